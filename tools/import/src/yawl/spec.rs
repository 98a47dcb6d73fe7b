//! A specification as its file has it, before anything is made of it.

use super::fields::Text;
use super::schema::Schema;
use crate::finding::Span;
use crate::xml::Element;

#[derive(Debug)]
pub(super) struct Specification<'x> {
    pub(super) span: Span,
    pub(super) uri: String,
    pub(super) name: Option<String>,
    pub(super) documentation: Option<String>,
    pub(super) version: Option<String>,
    pub(super) schema: Schema<'x>,
    /// The root net is the one that `root` is the index of.
    pub(super) decompositions: Vec<Decomposition<'x>>,
    pub(super) root: usize,
}

#[derive(Debug)]
pub(super) struct Decomposition<'x> {
    pub(super) span: Span,
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) documentation: Option<String>,
    pub(super) inputs: Vec<Parameter<'x>>,
    pub(super) outputs: Vec<Parameter<'x>>,
    /// Has `outputExpression`s: the queries that tasks may ask of its data.
    pub(super) lists_queries: bool,
    pub(super) body: Body<'x>,
}

#[derive(Debug)]
pub(super) enum Body<'x> {
    Net(Net<'x>),
    Service(Service<'x>),
}

#[derive(Debug)]
pub(super) struct Net<'x> {
    pub(super) locals: Vec<Parameter<'x>>,
    pub(super) input: Node,
    pub(super) output: Node,
    pub(super) conditions: Vec<Node>,
    pub(super) tasks: Vec<Task>,
}

#[derive(Debug)]
pub(super) struct Service<'x> {
    pub(super) enablement: Vec<Parameter<'x>>,
    /// The address of the service that does it.
    pub(super) address: Option<Text>,
    /// For people: what the service calls in turn.
    pub(super) notes: Vec<String>,
    pub(super) codelet: Option<Text>,
    pub(super) automated: bool,
}

/// A variable or parameter.
#[derive(Debug)]
pub(super) struct Parameter<'x> {
    pub(super) span: Span,
    pub(super) name: String,
    pub(super) kind: TypeName,
    pub(super) initial: Option<Initial<'x>>,
    pub(super) mandatory: bool,
    pub(super) documentation: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TypeName {
    /// By name, with the prefix it may have.
    Named(String),
    /// That of a global element of the schema.
    Element(String),
    Untyped,
}

/// An initial value: text, escaped XML, or XML.
#[derive(Debug)]
pub(super) struct Initial<'x> {
    pub(super) element: &'x Element,
}

/// A condition, or what a task has in common with one.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) documentation: Option<String>,
    pub(super) flows: Vec<Flow>,
}

#[derive(Debug)]
pub(super) struct Flow {
    pub(super) span: Span,
    pub(super) to: Reference,
    pub(super) predicate: Option<Text>,
    pub(super) ordering: Option<i64>,
    pub(super) default: bool,
}

/// The id of something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) id: String,
    pub(super) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    And,
    Or,
    Xor,
}

impl Gate {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
            Self::Xor => "xor",
        }
    }
}

#[derive(Debug)]
pub(super) struct Task {
    pub(super) node: Node,
    pub(super) join: Gate,
    pub(super) split: Gate,
    pub(super) removes: Vec<Reference>,
    pub(super) removes_flows: Vec<(Reference, Reference)>,
    pub(super) enablement: Vec<Mapping>,
    pub(super) starting: Vec<Mapping>,
    pub(super) completed: Vec<Mapping>,
    pub(super) timer: Option<Timer>,
    pub(super) resourcing: Option<Resourcing>,
    pub(super) decomposes_to: Option<Reference>,
    pub(super) instances: Option<Instances>,
}

#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) query: Text,
    pub(super) to: Text,
}

#[derive(Debug)]
pub(super) struct Instances {
    pub(super) span: Span,
    pub(super) minimum: Text,
    pub(super) maximum: Text,
    pub(super) threshold: Text,
    pub(super) dynamic: bool,
    pub(super) input: Option<InstanceInput>,
    pub(super) output: Option<InstanceOutput>,
}

#[derive(Debug)]
pub(super) struct InstanceInput {
    pub(super) query: Text,
    pub(super) splitting: Text,
    pub(super) parameter: Text,
}

#[derive(Debug)]
pub(super) struct InstanceOutput {
    pub(super) formal: Text,
    pub(super) joining: Text,
    pub(super) variable: Text,
}

#[derive(Debug)]
pub(super) struct Timer {
    pub(super) span: Span,
    pub(super) on_enabled: bool,
    pub(super) end: TimerEnd,
}

#[derive(Debug)]
pub(super) enum TimerEnd {
    /// An ISO 8601 duration, checked.
    After(String),
    /// Milliseconds since 1970.
    At(i64),
}

#[derive(Debug)]
pub(super) struct Resourcing {
    pub(super) span: Span,
    pub(super) offered_by_system: bool,
    pub(super) allocated_by_system: bool,
    pub(super) started_by_system: bool,
    pub(super) participants: Vec<String>,
    pub(super) roles: Vec<String>,
    pub(super) positions: Vec<String>,
    pub(super) groups: Vec<String>,
    pub(super) capabilities: Vec<String>,
    pub(super) separate_from: Vec<Reference>,
    pub(super) same_as: Option<Reference>,
    /// In our words.
    pub(super) allocator: Option<&'static str>,
    /// In our words.
    pub(super) may: Vec<&'static str>,
}

impl Resourcing {
    /// Whether it says who, or how somebody is chosen.
    pub(super) fn chooses(&self) -> bool {
        self.offered_by_system || self.allocated_by_system || self.started_by_system || self.names_people()
    }

    pub(super) fn names_people(&self) -> bool {
        let lists = [&self.participants, &self.roles, &self.positions, &self.groups, &self.capabilities];
        lists.iter().any(|list| !list.is_empty()) || self.same_as.is_some() || !self.separate_from.is_empty()
    }
}
