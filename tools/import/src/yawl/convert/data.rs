//! Variables and parameters.

use std::collections::BTreeMap;

use super::super::cel::{Scope, Term};
use super::super::names::Names;
use super::super::schema::Schema;
use super::super::shape::Shape;
use super::super::spec::{Body, Decomposition, Parameter};
use super::super::value;
use crate::finding::{Code, Findings, Span};
use crate::yaml::{Map, Node};

/// Whether a parameter must have a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Optional,
    Mandatory,
}

/// A variable of a net, or a parameter of a service.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) span: Span,
    pub(super) name: String,
    /// Its name in the net language.
    pub(super) ident: String,
    pub(super) shape: Shape,
    pub(super) input: Option<Need>,
    pub(super) output: Option<Need>,
    initial: Option<Node>,
    documentation: Option<String>,
}

/// All variables of one decomposition, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Declarations {
    pub(super) variables: Vec<Variable>,
    by_name: BTreeMap<String, usize>,
    names: Names,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Input,
    Output,
    Local,
}

pub(super) fn declare(
    decomposition: &Decomposition<'_>,
    schema: &Schema<'_>,
    findings: &mut Findings<'_>,
) -> Declarations {
    let mut declared = Declarations::default();
    let mut add = |list: &[Parameter<'_>], role| {
        for parameter in list {
            declared.add(parameter, role, schema, findings);
        }
    };
    add(&decomposition.inputs, Role::Input);
    match &decomposition.body {
        Body::Net(net) => add(&net.locals, Role::Local),
        Body::Service(service) => add(&service.enablement, Role::Input),
    }
    add(&decomposition.outputs, Role::Output);
    declared
}

impl Declarations {
    pub(super) fn get(&self, name: &str) -> Option<&Variable> {
        self.by_name.get(name).map(|at| &self.variables[*at])
    }

    fn add(&mut self, parameter: &Parameter<'_>, role: Role, schema: &Schema<'_>, findings: &mut Findings<'_>) {
        let span = parameter.span;
        let mut shape = schema.shape(&parameter.kind, span, findings);
        let mut initial = None;
        if let Some(given) = &parameter.initial {
            (initial, shape) = value::initial(given, &parameter.name, shape, findings);
        }
        let need = if parameter.mandatory { Need::Mandatory } else { Need::Optional };
        let need_as = |wanted| (role == wanted).then_some(need);
        let known = self.by_name.get(&parameter.name).copied();
        if let Some(known) = known.map(|at| &mut self.variables[at]) {
            // An output has the name of the variable that it is taken from.
            let twice = match role {
                Role::Input => known.input.is_some(),
                Role::Local => true,
                Role::Output => known.output.is_some(),
            };
            let differs = known.shape != shape && known.shape != Shape::Unknown && shape != Shape::Unknown;
            if twice || differs {
                let why = if differs { ", with another type" } else { "" };
                let message = format!("`{}` is declared twice{why}", parameter.name);
                findings.error(Code::DuplicateId, span, message, None);
            }
            if known.shape == Shape::Unknown {
                known.shape = shape;
            }
            known.input = known.input.or(need_as(Role::Input));
            known.output = known.output.or(need_as(Role::Output));
            known.initial = known.initial.take().or(initial);
            return;
        }
        let ident = self.names.variable(&parameter.name);
        self.by_name.insert(parameter.name.clone(), self.variables.len());
        self.variables.push(Variable {
            span,
            name: parameter.name.clone(),
            ident,
            shape,
            input: need_as(Role::Input),
            output: need_as(Role::Output),
            initial,
            documentation: parameter.documentation.clone(),
        });
    }

    /// What queries over the data of a net see.
    pub(super) fn scope(&self, id: &str) -> Scope {
        let children = self.variables.iter();
        Scope {
            roots: vec!["data".to_owned(), id.to_owned()],
            children: children
                .map(|known| {
                    (known.name.clone(), Term::variable(known.ident.clone(), &known.name, known.shape.clone()))
                })
                .collect(),
            taken: self.idents(),
            ..Scope::default()
        }
    }

    pub(super) fn idents(&self) -> Vec<String> {
        self.variables.iter().map(|variable| variable.ident.clone()).collect()
    }

    /// `data` of a net.
    pub(super) fn node(&self) -> Node {
        let one = |variable: &Variable| {
            let mut map = Map::default();
            map.put("type", Node::text(variable.shape.word()));
            if variable.input.is_some() {
                map.put("input", Node::bare(true));
            }
            match &variable.initial {
                Some(initial) => map.put("default", initial.clone()),
                None if variable.input == Some(Need::Mandatory) => map.put("required", Node::bare(true)),
                None => {}
            }
            let renamed =
                (variable.ident != variable.name).then(|| format!("`{}` in the specification", variable.name));
            let words: Vec<&str> = variable.documentation.iter().chain(&renamed).map(String::as_str).collect();
            if !words.is_empty() {
                map.put("description", Node::text(words.join("; ")));
            }
            (variable.ident.clone(), map.done().at(variable.span))
        };
        Node::map(self.variables.iter().map(one).collect()).tall()
    }
}
