//! Functions.

use super::super::query::Query;
use super::super::shape::{Kind, Shape};
use super::compare::operand;
use super::term::{Is, Level, Term};
use super::{Frame, Made, refuse, refuse_with};
use crate::finding::Code;

impl Frame<'_> {
    pub(super) fn call(&mut self, name: &str, arguments: &[Query]) -> Made<Term> {
        let name = name.strip_prefix("fn:").unwrap_or(name);
        let terms = arguments.iter().map(|argument| self.term(argument)).collect::<Made<Vec<_>>>()?;
        match (name, terms.as_slice()) {
            ("true", []) => Ok(Term::truth("true".to_owned(), Level::Primary)),
            ("false", []) => Ok(Term::truth("false".to_owned(), Level::Primary)),
            ("not", [term]) => {
                let truth = super::truth(term)?;
                Ok(Term::truth(format!("!{}", truth.within(Level::Unary)), Level::Unary))
            }
            ("boolean", [term]) => super::truth(term),
            ("number", [term]) => number(term),
            ("string", [term]) => text(term),
            ("data", [term]) => {
                let kind = operand(term)?.kind;
                Ok(term.clone().with(Is::Atom(kind)))
            }
            ("count", [term]) => count(term),
            ("sum", [term]) => sum(term),
            ("exists", [term]) => present(term),
            ("empty", [term]) => {
                let present = present(term)?;
                Ok(Term::truth(format!("!{}", present.within(Level::Unary)), Level::Unary))
            }
            ("concat", [_, _, ..]) => {
                let parts =
                    terms.iter().map(|term| Ok(text(term)?.within(Level::Product))).collect::<Made<Vec<_>>>()?;
                Ok(Term::atom(parts.join(" + "), Level::Sum, Some(Kind::Text)))
            }
            ("contains", [whole, part]) => method("contains", whole, part),
            ("starts-with", [whole, part]) => method("startsWith", whole, part),
            ("ends-with", [whole, part]) => method("endsWith", whole, part),
            ("string-length", [term]) => {
                Ok(Term::atom(format!("size({})", text(term)?.cel), Level::Primary, Some(Kind::Int)))
            }
            _ => {
                let hint = "known are true, false, not, boolean, number, string, data, count, sum, exists, empty, concat, \
                            contains, starts-with, ends-with and string-length";
                let what = if KNOWN.contains(&name) { "takes another number of values" } else { "is not understood" };
                refuse_with(Code::Query, format!("the function `{name}` with {} {what}", counted(terms.len())), hint)
            }
        }
    }
}

const KNOWN: [&str; 15] = [
    "true",
    "false",
    "not",
    "boolean",
    "number",
    "string",
    "data",
    "count",
    "sum",
    "exists",
    "empty",
    "concat",
    "contains",
    "starts-with",
    "ends-with",
];

fn counted(count: usize) -> String {
    if count == 1 { "1 value".to_owned() } else { format!("{count} values") }
}

fn method(name: &str, whole: &Term, part: &Term) -> Made<Term> {
    let (whole, part) = (text(whole)?, text(part)?);
    Ok(Term::truth(format!("{}.{name}({})", whole.within(Level::Primary), part.cel), Level::Primary))
}

fn number(term: &Term) -> Made<Term> {
    match operand(term)?.kind {
        None => refuse_with(Code::QueryType, "`number()` of a value whose type is not known", "declare its type"),
        Some(kind) if kind.is_number() => Ok(term.clone().with(match &term.is {
            // Still the text of that element: a mapping of it keeps its type.
            Is::TextOf(shape) | Is::Element(_, shape) => Is::TextOf(shape.clone()),
            _ => Is::Atom(Some(kind)),
        })),
        Some(Kind::Text) => {
            let (cel, level) = term.unless_null("null", |value| format!("double({value})"), Level::Primary);
            Ok(Term { null: term.null, ..Term::atom(cel, level, Some(Kind::Double)) })
        }
        Some(kind) => refuse(Code::QueryType, format!("`number()` of a {}", kind.word())),
    }
}

/// As text; what is empty is empty text.
pub(super) fn text(term: &Term) -> Made<Term> {
    if term.is == Is::Nothing {
        return Ok(Term::atom("''".to_owned(), Level::Primary, Some(Kind::Text)));
    }
    let kind = operand(term)?.kind;
    if kind == Some(Kind::Text) && !term.null {
        return Ok(term.clone());
    }
    let make = |value: &str| if kind == Some(Kind::Text) { value.to_owned() } else { format!("string({value})") };
    let (cel, level) = term.unless_null("''", make, Level::Primary);
    Ok(Term::atom(cel, level, Some(Kind::Text)))
}

fn count(term: &Term) -> Made<Term> {
    match &term.is {
        Is::Many(..) | Is::Content(Shape::List { .. } | Shape::Unknown) => {
            let (cel, level) = term.unless_null("0", |list| format!("size({list})"), Level::Primary);
            Ok(Term::atom(cel, level, Some(Kind::Int)))
        }
        Is::Nothing => Ok(Term::atom("0".to_owned(), Level::Primary, Some(Kind::Int))),
        _ => refuse_with(
            Code::QueryType,
            "`count()` of something that is there once",
            "count what is in it: `count(/data/list/*)`",
        ),
    }
}

fn sum(term: &Term) -> Made<Term> {
    let of = match &term.is {
        Is::Many(_, shape, _) => shape,
        Is::Content(Shape::List { of, .. }) => of.as_ref(),
        _ => return refuse(Code::QueryType, "`sum()` of something that is not known to be a list"),
    };
    let kind = match of {
        Shape::Scalar(kind) if kind.is_number() => Some(*kind),
        Shape::Unknown => None,
        other => return refuse(Code::QueryType, format!("`sum()` of a list of {}", other.word())),
    };
    let (cel, level) = term.unless_null("0", |list| format!("{list}.sum()"), Level::Primary);
    Ok(Term::atom(cel, level, kind))
}

fn present(term: &Term) -> Made<Term> {
    match &term.is {
        Is::TextOf(Shape::Scalar(Kind::Text) | Shape::Unknown) => {
            Ok(term.and_not_null(Some(format!("{} != ''", term.plain))))
        }
        Is::TextOf(_) => Ok(term.and_not_null(None)),
        Is::Many(..) | Is::Content(Shape::List { .. } | Shape::Unknown) => {
            Ok(term.and_not_null(Some(format!("size({}) > 0", term.plain))))
        }
        _ => refuse_with(
            Code::QueryType,
            "whether an element is there: it is, even if it is empty",
            "ask for its `text()`",
        ),
    }
}
