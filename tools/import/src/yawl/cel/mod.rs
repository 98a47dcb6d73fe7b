//! Makes CEL of queries. Where XPath and CEL differ, XPath's meaning is kept: an empty element is null here, and a test of
//! it is false. `YAWL.md` has the rules.

mod compare;
mod construct;
mod function;
mod path;
mod term;

use std::collections::BTreeMap;

use super::query::{Arithmetic, For, Query};
use super::shape::{Kind, Shape};
use crate::finding::Code;

pub(super) use construct::fit;
pub(super) use term::Term;
use term::{Is, Level, Literal, quoted};

/// Why a query has no counterpart.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) code: Code,
    pub(super) why: String,
    pub(super) hint: Option<&'static str>,
}

type Made<T> = Result<T, Refusal>;

fn refuse<T>(code: Code, why: impl Into<String>) -> Made<T> {
    Err(Refusal { code, why: why.into(), hint: None })
}

fn refuse_with<T>(code: Code, why: impl Into<String>, hint: &'static str) -> Made<T> {
    Err(Refusal { code, why: why.into(), hint: Some(hint) })
}

/// What a query may read.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// What the document's root element may be called, and what is in it by name.
    pub(super) roots: Vec<String>,
    pub(super) children: BTreeMap<String, Term>,
    /// Other documents, by the name of the root element, as one value.
    pub(super) documents: BTreeMap<String, Term>,
    /// What is known of, but cannot be read, and why.
    pub(super) hidden: BTreeMap<String, &'static str>,
    /// What variables of loops must not be called.
    pub(super) taken: Vec<String>,
}

/// A query's loops on the way to where it is.
struct Frame<'f> {
    scope: &'f Scope,
    /// XQuery's variable, and what it is at the moment.
    bound: Vec<(String, Term)>,
}

/// The value of a query.
pub(super) fn translate(query: &Query, scope: &Scope) -> Made<Term> {
    Frame { scope, bound: Vec::new() }.term(query)
}

/// A query as a guard: whether it holds.
pub(super) fn guard(query: &Query, scope: &Scope) -> Made<String> {
    let mut frame = Frame { scope, bound: Vec::new() };
    let term = frame.term(query)?;
    Ok(truth(&term)?.cel)
}

impl Frame<'_> {
    fn term(&mut self, query: &Query) -> Made<Term> {
        match query {
            Query::Text(text) => {
                let term = Term::atom(quoted(text), Level::Primary, Some(Kind::Text));
                Ok(Term { literal: Some(Literal::Text(text.clone())), ..term })
            }
            Query::Number(digits) => number(digits),
            Query::Path(path) => self.path(path),
            Query::Negative(inner) => {
                let inner = self.term(inner)?;
                let operand = compare::operand(&inner)?;
                match operand.kind {
                    None => Ok(Term::atom(format!("-{}", inner.within(Level::Unary)), Level::Unary, None)),
                    Some(kind @ (Kind::Int | Kind::Double)) => {
                        Ok(Term::atom(format!("-{}", inner.within(Level::Unary)), Level::Unary, Some(kind)))
                    }
                    Some(kind) => refuse(Code::QueryType, format!("`-` of a {}", kind.word())),
                }
            }
            Query::Arithmetic(operator, left, right) => {
                let (left, right) = (self.term(left)?, self.term(right)?);
                compare::arithmetic(*operator, &left, &right)
            }
            Query::Compare(comparison, left, right) => {
                let (left, right) = (self.term(left)?, self.term(right)?);
                self.compare(*comparison, &left, &right)
            }
            Query::And(left, right) => self.connect(left, right, "&&", Level::And),
            Query::Or(left, right) => self.connect(left, right, "||", Level::Or),
            Query::Call(name, arguments) => self.call(name, arguments),
            Query::If(parts) => {
                let (condition, then, otherwise) = parts.as_ref();
                let condition = self.term(condition)?;
                let condition = truth(&condition)?;
                let (then, otherwise) = (self.term(then)?, self.term(otherwise)?);
                conditional(&condition, &then, &otherwise)
            }
            Query::For(each) => self.each(each),
            Query::Element(element) => self.element(element),
            Query::Nothing => Ok(Term { null: true, ..Term::new("null".to_owned(), Level::Primary, Is::Nothing) }),
        }
    }

    fn connect(&mut self, left: &Query, right: &Query, operator: &str, level: Level) -> Made<Term> {
        let (left, right) = (self.term(left)?, self.term(right)?);
        let (left, right) = (truth(&left)?, truth(&right)?);
        Ok(Term::truth(format!("{} {operator} {}", left.within(level), right.within(level)), level))
    }

    fn each(&mut self, each: &For) -> Made<Term> {
        let range = self.term(&each.range)?;
        let itself = matches!(&each.body, Query::Path(path) if path.steps.is_empty() && path.variable.as_ref() == Some(&each.variable));
        if itself && matches!(range.is, Is::Content(_)) {
            // A copy of all that is in an element.
            return Ok(range);
        }
        let (name, of, text) = match &range.is {
            Is::Many(name, shape, text) => (name.clone(), shape.clone(), *text),
            Is::Content(Shape::List { item, of }) => (Some(item.clone()), of.as_ref().clone(), false),
            Is::Content(Shape::Unknown) => (None, Shape::Unknown, false),
            // Of one there is nothing to repeat.
            Is::Element(..) | Is::TextOf(_) | Is::Atom(_) => {
                self.bound.push((each.variable.clone(), range));
                let body = self.term(&each.body);
                self.bound.pop();
                return body;
            }
            Is::Nothing => return Ok(range),
            Is::Content(shape) => {
                return refuse(Code::QueryType, format!("`for` over the fields of a {}", shape.word()));
            }
        };
        let local = self.local(&each.variable);
        let is = if text { Is::TextOf(of.clone()) } else { Is::Element(name, of) };
        let item = Term { null: true, ..Term::new(local.clone(), Level::Primary, is) };
        self.bound.push((each.variable.clone(), item));
        let body = self.term(&each.body);
        self.bound.pop();
        let body = body?;
        let is = match &body.is {
            Is::Atom(kind) => Is::Many(None, kind.map_or(Shape::Unknown, Shape::Scalar), true),
            Is::TextOf(shape) => Is::Many(None, shape.clone(), true),
            Is::Element(name, shape) => Is::Many(name.clone(), shape.clone(), false),
            _ => return refuse(Code::Query, "what `return` gives for each element is not one element or text"),
        };
        if body.cel == local {
            return Ok(range.with(is));
        }
        let (cel, level) = range.unless_null("[]", |list| format!("{list}.map({local}, {})", body.cel), Level::Primary);
        Ok(Term::new(cel, level, is))
    }

    /// A name for the variable of a loop that nothing else has.
    fn local(&self, name: &str) -> String {
        let mut local: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let in_use = |local: &str| {
            self.scope.taken.iter().any(|taken| taken == local)
                || self.bound.iter().any(|(_, term)| term.plain == local)
                || !term::is_identifier(local)
        };
        while in_use(&local) {
            local.insert(0, 'x');
        }
        local
    }
}

/// XPath's effective boolean value.
fn truth(term: &Term) -> Made<Term> {
    Ok(match &term.is {
        Is::Atom(Some(Kind::Bool) | None) => term.clone(),
        Is::Atom(Some(Kind::Text)) => Term::truth(format!("{} != ''", term.within(Level::Sum)), Level::Relation),
        Is::Atom(Some(_)) => {
            return refuse_with(Code::QueryType, "a number as a condition", "compare it: `… != 0`");
        }
        Is::TextOf(Shape::Scalar(Kind::Text) | Shape::Unknown) => {
            term.and_not_null(Some(format!("{} != ''", term.plain)))
        }
        Is::TextOf(_) => term.and_not_null(None),
        Is::Element(name, _) => {
            let name = name.as_deref().unwrap_or("it");
            let why = format!("an element as a condition: in XPath it holds even if `{name}` is empty or says false");
            return refuse_with(Code::QueryType, why, "compare it, as in `… = 'true'`, or ask for its `text()`");
        }
        Is::Many(..) | Is::Content(Shape::List { .. } | Shape::Unknown) => {
            term.and_not_null(Some(format!("size({}) > 0", term.plain)))
        }
        Is::Content(_) => return refuse(Code::QueryType, "the children of an element as a condition"),
        Is::Nothing => Term::truth("false".to_owned(), Level::Primary),
    })
}

fn number(digits: &str) -> Made<Term> {
    let literal = Some(Literal::Number(digits.to_owned()));
    if let Ok(whole) = digits.parse::<i64>() {
        return Ok(Term { literal, ..Term::atom(whole.to_string(), Level::Primary, Some(Kind::Int)) });
    }
    match digits.parse::<f64>() {
        Ok(number) if number.is_finite() => {
            let cel = super::value::double(number);
            Ok(Term { literal, ..Term::atom(cel, Level::Primary, Some(Kind::Double)) })
        }
        _ => refuse(Code::Query, format!("`{digits}` is not a number")),
    }
}

fn conditional(condition: &Term, then: &Term, otherwise: &Term) -> Made<Term> {
    let is = both(then, otherwise)?;
    let convert = |term: &Term| match (&is, &term.is) {
        // Of a number and text, what is serialised is text.
        (Is::Atom(Some(Kind::Text)), Is::Atom(Some(kind)) | Is::TextOf(Shape::Scalar(kind))) if *kind != Kind::Text => {
            let (cel, level) = term.unless_null("null", |value| format!("string({value})"), Level::Primary);
            Term { null: term.null, ..Term::new(cel, level, is.clone()) }
        }
        _ => term.clone(),
    };
    let (then, otherwise) = (convert(then), convert(otherwise));
    let cel = format!("{} ? {} : {}", condition.within(Level::Or), then.within(Level::Or), otherwise.within(Level::Or));
    let null = then.null || otherwise.null;
    Ok(Term { null, ..Term::new(cel, Level::Conditional, is) })
}

/// What either of two values is.
fn both(left: &Term, right: &Term) -> Made<Is> {
    let merged = |left: &Shape, right: &Shape| if left == right { left.clone() } else { Shape::Unknown };
    let kind = |is: &Is| match is {
        Is::Atom(kind) => Some(*kind),
        Is::TextOf(shape) => Some(shape.scalar()),
        _ => None,
    };
    Ok(match (&left.is, &right.is) {
        (Is::Nothing, other) | (other, Is::Nothing) => other.clone(),
        (Is::TextOf(left), Is::TextOf(right)) if left == right => Is::TextOf(left.clone()),
        (Is::Element(left_name, left), Is::Element(right_name, right)) => {
            let name = if left_name == right_name { left_name.clone() } else { None };
            Is::Element(name, merged(left, right))
        }
        (Is::Many(left_name, left, left_text), Is::Many(right_name, right, right_text)) if left_text == right_text => {
            let name = if left_name == right_name { left_name.clone() } else { None };
            Is::Many(name, merged(left, right), *left_text)
        }
        (Is::Content(left), Is::Content(right)) => match (left, right) {
            // What is known of one holds for the other: both fill the same place.
            (Shape::Unknown, known) | (known, Shape::Unknown) => Is::Content(known.clone()),
            _ if left == right => Is::Content(left.clone()),
            _ => return refuse(Code::QueryType, "the branches of `if` give elements of different types"),
        },
        (left, right) => match (kind(left), kind(right)) {
            (Some(left), Some(right)) if left == right => Is::Atom(left),
            (Some(Some(Kind::Text)), Some(Some(_))) | (Some(Some(_)), Some(Some(Kind::Text))) => {
                Is::Atom(Some(Kind::Text))
            }
            (Some(_), Some(_)) => Is::Atom(None),
            _ => return refuse(Code::QueryType, "the branches of `if` give different things"),
        },
    })
}

fn symbol(operator: Arithmetic) -> &'static str {
    match operator {
        Arithmetic::Add => "+",
        Arithmetic::Subtract => "-",
        Arithmetic::Multiply => "*",
        Arithmetic::Divide => "div",
        Arithmetic::Remainder => "mod",
    }
}
