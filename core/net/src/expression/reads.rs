//! What expressions look at, without evaluating them: for analyses that ask which data matters.

use actum_model::Value;

use super::node::{Loop, Node};
use super::template::{Piece, Shape};
use super::{Given, Guard, Template};
use crate::net::VariableIx;

/// What an expression may look at, on whichever way through it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reads {
    /// Variables, ascending.
    pub variables: Vec<VariableIx>,
    /// The task's result.
    pub result: bool,
    /// Names that are there only in some places, in the order of their first use.
    pub given: Vec<Given>,
}

impl Guard {
    /// What it may look at.
    pub fn reads(&self) -> Reads {
        let mut reads = Reads::default();
        reads.node(&self.0.root);
        reads.sorted()
    }
}

impl Template {
    /// What it may look at.
    pub fn reads(&self) -> Reads {
        let mut reads = Reads::default();
        reads.shape(&self.0);
        reads.sorted()
    }
}

/// A template that gives this value whatever the scope.
impl From<Value> for Template {
    fn from(value: Value) -> Self {
        Self::new(Shape::Literal(value))
    }
}

impl Reads {
    fn sorted(mut self) -> Self {
        self.variables.sort_unstable();
        self.variables.dedup();
        self
    }

    fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Literal(_) => {}
            Shape::Expression(expression) => self.node(&expression.root),
            Shape::Text(pieces) => {
                for piece in pieces {
                    if let Piece::Value(expression) = piece {
                        self.node(&expression.root);
                    }
                }
            }
            Shape::List(items) => items.iter().for_each(|item| self.shape(item)),
            Shape::Map(entries) => entries.iter().for_each(|(_, shape)| self.shape(shape)),
        }
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Literal(_) | Node::Local(_) => {}
            Node::Variable(variable) => self.variables.push(*variable),
            Node::Result => self.result = true,
            Node::Given(given) => {
                if !self.given.contains(given) {
                    self.given.push(*given);
                }
            }
            Node::Select(operand, _) | Node::Has(operand, _) | Node::Not(operand) | Node::Negate(operand) => {
                self.node(operand);
            }
            Node::Index(left, right)
            | Node::And(left, right)
            | Node::Or(left, right)
            | Node::Equal(left, right)
            | Node::NotEqual(left, right)
            | Node::Compare(_, left, right)
            | Node::Arithmetic(_, left, right)
            | Node::In(left, right) => {
                self.node(left);
                self.node(right);
            }
            Node::Conditional(parts) => {
                self.node(&parts.0);
                self.node(&parts.1);
                self.node(&parts.2);
            }
            Node::List(items) | Node::Call(_, items) => items.iter().for_each(|item| self.node(item)),
            Node::Map(entries) => entries.iter().for_each(|(key, value)| {
                self.node(key);
                self.node(value);
            }),
            Node::Loop(parts) => {
                let Loop { kind: _, range, predicate, transform } = &**parts;
                self.node(range);
                predicate.iter().chain(transform).for_each(|part| self.node(part));
            }
        }
    }
}
