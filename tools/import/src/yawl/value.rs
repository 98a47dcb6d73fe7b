//! Initial values: text or XML as values of a shape.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::shape::{Field, Kind, Shape};
use super::spec::Initial;
use crate::finding::{Code, Findings, Span};
use crate::xml::{self, Element};
use crate::yaml::Node;

/// Most comparisons of the names of elements with those of one map.
const COMPARISONS_MAX: usize = 1 << 22;

/// The value, if there is one, and the shape that it has: what was not known of the shape is taken from the value.
pub(super) fn initial(
    initial: &Initial<'_>,
    variable: &str,
    shape: Shape,
    findings: &mut Findings<'_>,
) -> (Option<Node>, Shape) {
    let element = initial.element;
    let span = element.span;
    let text = element.text.trim();
    if !element.children.is_empty() {
        return content(&element.children, variable, shape, span, findings);
    }
    if text.is_empty() {
        return (None, shape);
    }
    if !text.starts_with('<') {
        return match scalar(text, &shape) {
            Ok(node) => (Some(node.at(span)), shape),
            Err(why) => {
                let message = format!("`{}` is not a value of `{variable}`: {why}", short(text));
                findings.error(Code::BadValue, span, message, None);
                (None, shape)
            }
        };
    }
    let wrapped = format!("<value>{text}</value>");
    let mut inner = Findings::new(&wrapped);
    if let Some(root) = xml::parse(&wrapped, &mut inner) {
        return content(&root.children, variable, shape, span, findings);
    }
    let why = inner.finish().into_iter().next().map(|finding| finding.message).unwrap_or_default();
    findings.error(Code::BadValue, span, format!("the initial value of `{variable}` is not XML: {why}"), None);
    (None, shape)
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

fn content(
    children: &[Element],
    variable: &str,
    shape: Shape,
    span: Span,
    findings: &mut Findings<'_>,
) -> (Option<Node>, Shape) {
    // Some files give the element of the variable itself, others what is in it.
    let own = |shape: &Shape| match shape {
        Shape::List { item, .. } => item != variable,
        Shape::Map(fields) => !fields.contains_key(variable),
        Shape::Scalar(_) | Shape::Unknown => true,
    };
    let children = match children {
        [only] if only.name == variable && own(&shape) => {
            if only.children.is_empty() {
                let text = only.text.trim();
                return match scalar(text, &shape) {
                    _ if text.is_empty() => (None, shape),
                    Ok(node) => (Some(node.at(span)), shape),
                    Err(why) => {
                        findings.error(
                            Code::BadValue,
                            span,
                            format!("`{}` is not a value of `{variable}`: {why}", short(text)),
                            None,
                        );
                        (None, shape)
                    }
                };
            }
            only.children.as_slice()
        }
        all => all,
    };
    let shape = if shape == Shape::Unknown { guess(children) } else { shape };
    match elements(children, &shape) {
        Ok(node) => (Some(node.at(span)), shape),
        Err(why) => {
            findings.error(
                Code::BadValue,
                span,
                format!("the initial value of `{variable}` does not fit its type: {why}"),
                None,
            );
            (None, shape)
        }
    }
}

/// Several elements of one name look like a list, others like a map.
fn guess(children: &[Element]) -> Shape {
    if children.is_empty() {
        return Shape::Unknown;
    }
    let merged = |elements: &[&Element]| {
        let mut shapes = elements.iter().map(|element| guess(&element.children));
        let first = shapes.next().unwrap_or(Shape::Unknown);
        if shapes.all(|shape| shape == first) { first } else { Shape::Unknown }
    };
    let first = &children[0].name;
    if children.len() > 1 && children.iter().all(|child| child.name == *first) {
        let all: Vec<&Element> = children.iter().collect();
        return Shape::List { item: first.clone(), of: Rc::new(merged(&all)) };
    }
    let mut by_name: BTreeMap<String, Vec<&Element>> = BTreeMap::new();
    for child in children {
        by_name.entry(child.name.clone()).or_default().push(child);
    }
    let field = |(name, elements): (String, Vec<&Element>)| {
        let many = elements.len() > 1;
        (name, Field { shape: merged(&elements), many })
    };
    Shape::Map(Rc::new(by_name.into_iter().map(field).collect()))
}

fn elements(children: &[Element], shape: &Shape) -> Result<Node, String> {
    match shape {
        Shape::Scalar(_) => Err(format!("it has elements, and the type is {}", shape.word())),
        Shape::Unknown => match guess(children) {
            Shape::Unknown => Ok(Node::bare("null")),
            known => elements(children, &known),
        },
        Shape::List { item, of } => {
            if let Some(other) = children.iter().find(|child| child.name != *item) {
                return Err(format!("`{}` stands where only `{item}` may be", other.name));
            }
            Ok(Node::list(children.iter().map(|child| one(child, of)).collect::<Result<_, _>>()?))
        }
        Shape::Map(fields) => {
            if fields.len().saturating_mul(children.len()) > COMPARISONS_MAX {
                return Err("it has too many elements".to_owned());
            }
            let mut map = Vec::new();
            for (name, field) in fields.iter() {
                let mut found = children.iter().filter(|child| child.name == *name).peekable();
                if found.peek().is_none() {
                    continue;
                }
                let mut values = found.map(|child| one(child, &field.shape)).collect::<Result<Vec<_>, _>>()?;
                let value = if field.many {
                    Node::list(values)
                } else if values.len() > 1 {
                    return Err(format!("`{name}` is there twice"));
                } else {
                    values.remove(0)
                };
                map.push((name.clone(), value));
            }
            match children.iter().find(|child| !fields.contains_key(&child.name)) {
                Some(other) => Err(format!("it has no `{}`", other.name)),
                None => Ok(Node::map(map)),
            }
        }
    }
}

fn one(element: &Element, shape: &Shape) -> Result<Node, String> {
    if element.children.is_empty() {
        let text = element.text.trim();
        return if text.is_empty() { Ok(empty(shape)) } else { scalar(text, shape) };
    }
    elements(&element.children, shape)
}

fn empty(shape: &Shape) -> Node {
    match shape {
        Shape::List { .. } => Node::list(Vec::new()),
        _ => Node::bare("null"),
    }
}

/// Text as the value that it stands for.
fn scalar(text: &str, shape: &Shape) -> Result<Node, String> {
    let wrong = || Err(format!("not of the type {}", shape.word()));
    let kind = match shape {
        Shape::Scalar(kind) => *kind,
        Shape::Unknown => Kind::Text,
        Shape::List { .. } | Shape::Map(_) => return wrong(),
    };
    match kind {
        Kind::Text => Ok(Node::text(text)),
        Kind::Bool => match text {
            "true" | "1" => Ok(Node::bare("true")),
            "false" | "0" => Ok(Node::bare("false")),
            _ => wrong(),
        },
        Kind::Int => text.strip_prefix('+').unwrap_or(text).parse::<i64>().map(Node::bare).or_else(|_| wrong()),
        Kind::Double => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Node::bare(double(number))),
            _ => wrong(),
        },
        Kind::Decimal if is_decimal(text) => Ok(Node::text(text)),
        Kind::Time if is_time(text) => Ok(Node::text(text)),
        Kind::Time => Err("a time needs an offset, as in 2026-01-31T12:00:00Z".to_owned()),
        Kind::Decimal => wrong(),
    }
}

/// A finite number that is read back as a double.
pub(super) fn double(number: f64) -> String {
    format!("{number:?}")
}

/// Digits with at most one point, and a sign.
pub(super) fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    (!whole.is_empty() || !part.is_empty()) && whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit())
}

/// RFC 3339, roughly: a date, `T`, and an offset.
pub(super) fn is_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else { return false };
    let offset = time.ends_with('Z') || time.get(8..).is_some_and(|rest| rest.contains(['+', '-']));
    date.len() == 10 && time.len() >= 9 && offset && text.is_ascii()
}
