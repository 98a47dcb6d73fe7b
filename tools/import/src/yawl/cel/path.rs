//! Paths.

use super::super::query::{Path, Step};
use super::super::shape::Shape;
use super::term::{Is, Level, Term};
use super::{Frame, Made, refuse, refuse_with};
use crate::finding::Code;

impl Frame<'_> {
    pub(super) fn path(&self, path: &Path) -> Made<Term> {
        let (mut term, rest) = match &path.variable {
            Some(name) => {
                let found = self.bound.iter().rev().find(|(bound, _)| bound == name);
                let Some((_, term)) = found else {
                    return refuse(Code::UnknownVariable, format!("there is no variable `${name}`"));
                };
                (term.clone(), path.steps.as_slice())
            }
            None => self.root(&path.steps)?,
        };
        for step in rest {
            term = self.step(&term, step)?;
        }
        Ok(term)
    }

    fn root<'p>(&self, steps: &'p [Step]) -> Made<(Term, &'p [Step])> {
        let Some((Step::Child(root), rest)) = steps.split_first() else {
            return refuse(Code::Query, "a path begins with the name of the document's root element");
        };
        if let Some(document) = self.scope.documents.get(root) {
            return Ok((document.clone(), rest));
        }
        if !self.scope.roots.contains(root) {
            let known: Vec<String> =
                self.scope.roots.iter().chain(self.scope.documents.keys()).map(|name| format!("`/{name}`")).collect();
            let why = format!("there is no `/{root}` here; paths begin with {}", known.join(" or "));
            return refuse(Code::UnknownVariable, why);
        }
        let Some((Step::Child(name), rest)) = rest.split_first() else {
            return refuse(Code::Query, format!("`/{root}` is all data; name the variable"));
        };
        match self.scope.children.get(name) {
            Some(term) => Ok((term.clone(), rest)),
            None => match self.scope.hidden.get(name) {
                Some(why) => refuse(Code::NotSupported, format!("`{name}` {why}")),
                None => refuse(Code::UnknownVariable, format!("there is no `{name}` in `/{root}`")),
            },
        }
    }

    fn step(&self, term: &Term, step: &Step) -> Made<Term> {
        match (&term.is, step) {
            (Is::Element(_, shape), Step::Text) => match shape {
                Shape::Scalar(_) | Shape::Unknown => Ok(term.clone().with(Is::TextOf(shape.clone()))),
                _ => refuse(Code::QueryType, format!("there is no text directly in a {}", shape.word())),
            },
            (Is::Element(name, shape), Step::Children) => match shape {
                Shape::Scalar(kind) => {
                    let name = name.as_deref().unwrap_or("it");
                    refuse(Code::QueryType, format!("`{name}` is a {}: it has no children", kind.word()))
                }
                _ => Ok(term.clone().with(Is::Content(shape.clone()))),
            },
            (Is::Element(_, shape), Step::Child(name)) => child(term, shape, name),
            (Is::Many(_, shape, false), Step::Text) => match shape {
                Shape::Scalar(_) | Shape::Unknown => Ok(term.clone().with(Is::Many(None, shape.clone(), true))),
                _ => refuse(Code::QueryType, format!("there is no text directly in a {}", shape.word())),
            },
            (Is::Many(of, shape, false), Step::Child(_)) => {
                let local = self.local(of.as_deref().unwrap_or("item"));
                let is = Is::Element(of.clone(), shape.clone());
                let item = Term { null: true, ..Term::new(local.clone(), Level::Primary, is) };
                let inner = self.step(&item, step)?;
                let Is::Element(name, shape) = &inner.is else {
                    return refuse(Code::Query, "a path through lists within lists");
                };
                let is = Is::Many(name.clone(), shape.clone(), false);
                let make = |list: &str| format!("{list}.map({local}, {})", inner.cel);
                let (cel, level) = term.unless_null("[]", make, Level::Primary);
                Ok(Term::new(cel, level, is))
            }
            _ => refuse_with(
                Code::Query,
                "this step of a path is not understood",
                "a path is `/data/variable/element/text()`",
            ),
        }
    }
}

fn child(term: &Term, shape: &Shape, name: &str) -> Made<Term> {
    match shape {
        Shape::Scalar(kind) => refuse(Code::QueryType, format!("there is no `{name}` in a {}", kind.word())),
        Shape::List { item, of } if item == name => {
            Ok(term.clone().with(Is::Many(Some(name.to_owned()), of.as_ref().clone(), false)))
        }
        Shape::List { item, .. } => {
            refuse(Code::UnknownVariable, format!("there is no `{name}` in a list of `{item}`"))
        }
        Shape::Map(fields) => match fields.get(name) {
            Some(field) if field.many => Ok(term.field(name, name, Shape::Unknown).with(Is::Many(
                Some(name.to_owned()),
                field.shape.clone(),
                false,
            ))),
            Some(field) => Ok(term.field(name, name, field.shape.clone())),
            None => refuse(Code::UnknownVariable, format!("there is no `{name}` in this element")),
        },
        Shape::Unknown => Ok(term.field(name, name, Shape::Unknown)),
    }
}
