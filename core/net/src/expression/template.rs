//! Templates: literal data with expressions in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use actum_model::Value;

use super::budget::Budget;
use super::operand::check_stored;
use super::{COST_MAX, EvalError, Expression, Fault, Scope};

/// Longest text that interpolation may give, in bytes.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// Literal data with expressions in it: `"{{ expr }}"` gives the expression's typed value, a text around it
/// interpolates. Lists and maps nest.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(pub(super) Shape);

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Literal(Value),
    Expression(Expression),
    Text(Vec<Piece>),
    List(Vec<Shape>),
    Map(Vec<(String, Shape)>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    Text(String),
    Value(Expression),
}

impl Template {
    pub(crate) fn new(shape: Shape) -> Self {
        Self(shape)
    }

    /// The value, if it is the same for every scope.
    pub fn literal(&self) -> Option<&Value> {
        match &self.0 {
            Shape::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// Fills in the expressions. Deterministic: the same scope gives the same answer, on every machine.
    ///
    /// # Errors
    /// See [`Fault`]. The whole template shares one cost limit.
    pub fn render(&self, scope: &dyn Scope) -> Result<Value, EvalError> {
        let budget = Budget::new(COST_MAX);
        match &self.0 {
            Shape::Literal(value) => Ok(value.clone()),
            Shape::Expression(expression) => expression.eval_within(scope, &budget),
            shape => {
                let value = render(shape, scope, &budget)?;
                check_stored(&value)
                    .map_err(|fault| EvalError { expression: "the whole template".to_owned(), fault })?;
                Ok(value)
            }
        }
    }
}

fn render(shape: &Shape, scope: &dyn Scope, budget: &Budget) -> Result<Value, EvalError> {
    match shape {
        Shape::Literal(value) => Ok(value.clone()),
        Shape::Expression(expression) => expression.eval_within(scope, budget),
        Shape::Text(pieces) => interpolate(pieces, scope, budget).map(Value::String),
        Shape::List(items) => {
            items.iter().map(|item| render(item, scope, budget)).collect::<Result<_, _>>().map(Value::List)
        }
        Shape::Map(entries) => entries
            .iter()
            .map(|(key, shape)| Ok((key.clone(), render(shape, scope, budget)?)))
            .collect::<Result<BTreeMap<_, _>, _>>()
            .map(Value::Map),
    }
}

fn interpolate(pieces: &[Piece], scope: &dyn Scope, budget: &Budget) -> Result<String, EvalError> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(literal) => text.push_str(literal),
            Piece::Value(expression) => {
                let value = expression.eval_within(scope, budget)?;
                write_text(&mut text, &value);
                if text.len() > TEXT_BYTES_MAX {
                    return Err(EvalError { expression: expression.source().to_owned(), fault: Fault::TooCostly });
                }
            }
        }
    }
    Ok(text)
}

/// A value as people read it: text as it is, everything inside lists and maps as in JSON.
fn write_text(text: &mut String, value: &Value) {
    match value {
        Value::String(content) => text.push_str(content),
        Value::List(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                write_nested(text, item);
            }
            text.push(']');
        }
        Value::Map(entries) => {
            text.push('{');
            for (index, (key, item)) in entries.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                crate::canonical::write_string(text, key);
                text.push_str(": ");
                write_nested(text, item);
            }
            text.push('}');
        }
        scalar => text.push_str(&scalar_text(scalar)),
    }
}

fn write_nested(text: &mut String, value: &Value) {
    match value {
        Value::String(content) => crate::canonical::write_string(text, content),
        other => write_text(text, other),
    }
}

/// A scalar as text; also what CEL's `string()` gives.
pub(super) fn scalar_text(value: &Value) -> String {
    match value {
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Decimal(decimal) => decimal.to_string(),
        Value::String(text) => text.clone(),
        Value::Bytes(bytes) => bytes.iter().fold(String::from("0x"), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }),
        Value::Time(time) => time.to_string(),
        _ => "null".to_owned(),
    }
}

/// The `{{ }}` places of a string, in order.
pub(crate) struct Placeholders<'a> {
    rest: &'a str,
    offset: usize,
}

/// A part of a template string.
pub(crate) enum Part<'a> {
    Text(&'a str),
    /// An expression, and its first byte in the string.
    Expression(&'a str, usize),
    /// A `{{` that is never closed, and its first byte in the string.
    Unclosed(usize),
}

pub(crate) fn has_placeholder(text: &str) -> bool {
    text.contains("{{")
}

impl<'a> Placeholders<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { rest: text, offset: 0 }
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        self.offset += bytes;
        taken
    }
}

impl<'a> Iterator for Placeholders<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        match self.rest.find("{{") {
            None if self.rest.is_empty() => None,
            None => Some(Part::Text(self.take(self.rest.len()))),
            Some(0) => {
                let start = self.offset;
                let Some(end) = closing(&self.rest[2..]) else {
                    self.take(self.rest.len());
                    return Some(Part::Unclosed(start));
                };
                self.take(2);
                let expression = self.take(end);
                self.take(2);
                Some(Part::Expression(expression, start + 2))
            }
            Some(text) => Some(Part::Text(self.take(text))),
        }
    }
}

/// Where the `}}` is that closes an expression: outside of CEL's quotes and of its map literals.
fn closing(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut quote, mut depth, mut at) = (None, 0usize, 0);
    while at < bytes.len() {
        match (bytes[at], quote) {
            (b'\\', Some(_)) => at += 1,
            (byte, Some(open)) => quote = (byte != open).then_some(open),
            (byte @ (b'"' | b'\''), None) => quote = Some(byte),
            (b'{', None) => depth += 1,
            (b'}', None) if depth > 0 => depth -= 1,
            (b'}', None) if bytes.get(at + 1) == Some(&b'}') => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}
