//! Constructed elements, and how values get into variables.

use super::super::query::{Content, Element, Query};
use super::super::shape::{Field, Kind, Shape};
use super::function;
use super::term::{Is, Level, Term, quoted};
use super::{Frame, Made, refuse, refuse_with};
use crate::finding::Code;
use std::collections::BTreeMap;
use std::rc::Rc;

impl Frame<'_> {
    pub(super) fn element(&mut self, element: &Element) -> Made<Term> {
        let name = Some(element.name.clone());
        let mut parts = Vec::new();
        for content in &element.content {
            parts.push(match content {
                Content::Text(text) => self.term(&Query::Text(text.clone()))?,
                Content::Query(query) => self.term(query)?,
            });
        }
        // `()` adds nothing.
        parts.retain(|part| part.is != Is::Nothing);
        let whole = |term: Term, shape: Shape| Ok(term.with(Is::Element(name.clone(), shape)));
        let [only] = parts.as_slice() else {
            return match parts.as_slice() {
                [] => {
                    let nothing = Term::new("null".to_owned(), Level::Primary, Is::Nothing);
                    whole(Term { null: true, ..nothing }, Shape::Unknown)
                }
                parts if parts.iter().all(|part| matches!(part.is, Is::Element(..))) => {
                    let (cel, shape) = map(parts)?;
                    whole(Term::new(cel, Level::Primary, Is::Nothing), shape)
                }
                parts => {
                    let texts = parts.iter().map(|part| Ok(function::text(part)?.within(Level::Product)));
                    let cel = texts.collect::<Made<Vec<_>>>()?.join(" + ");
                    whole(Term::new(cel, Level::Sum, Is::Nothing), Shape::Scalar(Kind::Text))
                }
            };
        };
        match only.is.clone() {
            Is::Atom(kind) => whole(only.clone(), kind.map_or(Shape::Unknown, Shape::Scalar)),
            Is::TextOf(shape) | Is::Content(shape) => whole(only.clone(), shape),
            Is::Many(Some(item), of, false) => whole(only.clone(), Shape::List { item, of: Rc::new(of) }),
            Is::Many(..) => refuse(Code::Query, "the texts of several elements, put together"),
            Is::Element(..) => {
                let (cel, shape) = map(&parts)?;
                whole(Term::new(cel, Level::Primary, Is::Nothing), shape)
            }
            Is::Nothing => whole(only.clone(), Shape::Unknown),
        }
    }
}

/// Elements of several names, as a map.
fn map(parts: &[Term]) -> Made<(String, Shape)> {
    let mut fields = BTreeMap::new();
    let mut entries = Vec::new();
    for part in parts {
        let Is::Element(Some(name), shape) = &part.is else {
            return refuse(Code::Query, "an element whose name is not known, within a constructed one");
        };
        if fields.insert(name.clone(), Field { shape: shape.clone(), many: false }).is_some() {
            return refuse(Code::Query, format!("two elements `{name}` within a constructed one"));
        }
        entries.push(format!("{}: {}", quoted(name), part.cel));
    }
    // The blanks keep `}}` apart, which would end a template.
    Ok((format!("{{ {} }}", entries.join(", ")), Shape::Map(Rc::new(fields))))
}

/// The CEL of what a mapping's query gives, for a variable of that shape.
pub(in crate::yawl) fn fit(term: &Term, target: &Shape) -> Made<String> {
    let shape = match &term.is {
        // YAWL takes text too: it becomes the variable's.
        Is::Element(_, shape) | Is::TextOf(shape) => shape,
        Is::Nothing => return Ok("null".to_owned()),
        Is::Atom(Some(kind)) => &Shape::Scalar(*kind),
        Is::Atom(None) => &Shape::Unknown,
        Is::Many(..) | Is::Content(_) => {
            return refuse_with(
                Code::QueryType,
                "several elements for one variable",
                "put them into one: `<variable>{…}</variable>`",
            );
        }
    };
    match (shape, target) {
        (Shape::Unknown, _) | (_, Shape::Unknown) | (Shape::Map(_), Shape::Map(_)) => Ok(term.cel.clone()),
        (Shape::Scalar(kind), Shape::Scalar(wanted)) => scalar(term, *kind, *wanted),
        (Shape::List { of, .. }, Shape::List { of: wanted, .. }) => match (of.as_ref(), wanted.as_ref()) {
            (Shape::Scalar(kind), Shape::Scalar(wanted)) if kind != wanted => {
                let why = format!("a list of {} for a list of {}", kind.word(), wanted.word());
                refuse(Code::QueryType, why)
            }
            _ => Ok(term.cel.clone()),
        },
        // One element of a list that was written out.
        (Shape::Map(fields), Shape::List { item, .. }) if fields.len() == 1 && fields.contains_key(item) => {
            let field = format!("{}[{}]", term.within(Level::Primary), quoted(item));
            Ok(format!("[{field}]"))
        }
        (shape, target) => {
            refuse(Code::QueryType, format!("a {} for a variable of type {}", shape.word(), target.word()))
        }
    }
}

fn scalar(term: &Term, kind: Kind, wanted: Kind) -> Made<String> {
    use Kind::{Bool, Decimal, Double, Int, Text, Time};
    let call = |function: &str| Ok(term.unless_null("null", |value| format!("{function}({value})"), Level::Primary).0);
    match (kind, wanted) {
        (kind, wanted) if kind == wanted => Ok(term.cel.clone()),
        // Converted without loss when it is stored.
        (Int, Double | Decimal) | (Text, Time | Decimal) => Ok(term.cel.clone()),
        (_, Text) => call("string"),
        (Text, Int) => call("int"),
        (Text | Decimal, Double) => call("double"),
        (Text, Bool) => call("bool"),
        (kind, wanted) => {
            refuse(Code::QueryType, format!("a {} for a variable of type {}", kind.word(), wanted.word()))
        }
    }
}
