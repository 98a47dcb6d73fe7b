//! The types that a specification defines for itself, in XML Schema.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::shape::{Field, Kind, Shape, builtin, builtin_like};
use super::spec::TypeName;
use crate::finding::{Code, Findings, Span};
use crate::xml::{Element, SCHEMA};

/// Deepest chain of named types, each part of the one before: values have at most 64 levels.
const TYPE_DEPTH_MAX: usize = 32;

/// Types that YAWL brings along; nets have no counterpart, but their values can be kept.
const YAWL_TYPES: [&str; 7] = [
    "YBooleanListType",
    "YByteListType",
    "YDocumentType",
    "YIntegerListType",
    "YStringListType",
    "YStringPairListType",
    "YTimerType",
];

#[derive(Debug, Default)]
pub(super) struct Schema<'x> {
    types: HashMap<&'x str, &'x Element>,
    elements: HashMap<&'x str, &'x Element>,
    /// What named types come down to; `None` while that is found out.
    known: RefCell<HashMap<&'x str, Option<Shape>>>,
    /// How many types are being found out, each for the one before.
    depth: Cell<usize>,
}

/// The children in XML Schema's namespace that say something.
fn parts(element: &Element) -> impl Iterator<Item = &Element> {
    element.children.iter().filter(|child| child.space.as_deref() == Some(SCHEMA) && child.name != "annotation")
}

impl<'x> Schema<'x> {
    pub(super) fn of(schema: Option<&'x Element>) -> Self {
        let mut read = Self::default();
        for part in schema.into_iter().flat_map(parts) {
            let Some(name) = part.attribute("name") else { continue };
            match part.name.as_str() {
                "simpleType" | "complexType" => read.types.insert(name, part),
                "element" => read.elements.insert(name, part),
                _ => None,
            };
        }
        read
    }

    /// What a type comes down to. `span`: whoever names it.
    pub(super) fn shape(&self, name: &TypeName, span: Span, findings: &mut Findings<'_>) -> Shape {
        match name {
            TypeName::Named(name) => self.named(name, span, findings),
            TypeName::Untyped => Shape::Unknown,
            TypeName::Element(name) => {
                if let Some(element) = self.elements.get(local(name)) {
                    return self.of_element(element, findings);
                }
                findings.error(Code::BadType, span, format!("the schema has no element `{name}`"), None);
                Shape::Unknown
            }
        }
    }

    fn named(&self, name: &str, span: Span, findings: &mut Findings<'_>) -> Shape {
        let (prefix, short) = name.split_once(':').map_or(("", name), |(prefix, short)| (prefix, short));
        if let Some((name, element)) = self.types.get_key_value(short) {
            let known = self.known.borrow().get(name).cloned();
            return match known {
                Some(Some(shape)) => shape,
                // It contains itself: below here, anything goes.
                Some(None) => Shape::Unknown,
                None if self.depth.get() >= TYPE_DEPTH_MAX => {
                    let message = format!("types are made of types more than {TYPE_DEPTH_MAX} deep");
                    findings.error(Code::BadType, element.span, message, None);
                    Shape::Unknown
                }
                None => {
                    self.known.borrow_mut().insert(name, None);
                    self.depth.set(self.depth.get() + 1);
                    let shape = self.definition(element, findings);
                    self.depth.set(self.depth.get() - 1);
                    self.known.borrow_mut().insert(name, Some(shape.clone()));
                    shape
                }
            };
        }
        if matches!(prefix, "" | "xs" | "xsd") {
            if let Some(shape) = builtin(short) {
                return shape;
            }
            if !YAWL_TYPES.contains(&short) {
                let message = format!("`{name}` is neither a type of XML Schema nor defined in this file");
                let hint = builtin_like(short).map(|known| format!("did you mean `{known}`?"));
                findings.error(Code::BadType, span, message, hint.as_deref());
                return Shape::Unknown;
            }
        }
        let message = format!("the type `{name}` is not defined in this file: values of it are not checked");
        findings.warning(Code::UnknownType, span, message, None);
        Shape::Unknown
    }

    fn definition(&self, element: &'x Element, findings: &mut Findings<'_>) -> Shape {
        if element.name == "simpleType" { self.simple(element, findings) } else { self.complex(element, findings) }
    }

    fn simple(&self, element: &'x Element, findings: &mut Findings<'_>) -> Shape {
        let Some(part) = parts(element).next() else { return Shape::Scalar(Kind::Text) };
        if matches!(part.name.as_str(), "list" | "union") {
            // Its values are text with blanks in it, or of one of several types.
            let message = format!("values of a `{}` type are kept as text and not checked", part.name);
            findings.warning(Code::NotChecked, part.span, message, None);
            return Shape::Scalar(Kind::Text);
        }
        if part.name != "restriction" {
            return not_understood(part, findings);
        }
        if parts(part).any(|facet| facet.name != "simpleType") {
            let of = element.attribute("name").map(|name| format!(" of the type `{name}`")).unwrap_or_default();
            let message = format!("the restrictions{of} are not checked");
            findings.warning(Code::NotChecked, part.span, message, None);
        }
        match (part.attribute("base"), parts(part).find(|inner| inner.name == "simpleType")) {
            (Some(base), _) => self.named(base, part.span, findings),
            (None, Some(inner)) => self.simple(inner, findings),
            (None, None) => Shape::Scalar(Kind::Text),
        }
    }

    fn complex(&self, element: &'x Element, findings: &mut Findings<'_>) -> Shape {
        if matches!(element.attribute("mixed"), Some("true" | "1")) {
            let message = "text between elements (`mixed`) has no counterpart in a value";
            findings.error(Code::BadType, element.span, message, None);
        }
        let mut fields = Vec::new();
        for part in parts(element) {
            self.group(part, false, &mut fields, findings);
        }
        match fields.as_slice() {
            [(name, field)] if field.many => Shape::List { item: name.clone(), of: Rc::new(field.shape.clone()) },
            _ => {
                let mut map: BTreeMap<String, Field> = BTreeMap::new();
                for (name, field) in fields {
                    // Under a `choice` or twice in a sequence: then it may be there several times.
                    map.entry(name).and_modify(|known| known.many = true).or_insert(field);
                }
                Shape::Map(Rc::new(map))
            }
        }
    }

    fn group(&self, part: &'x Element, many: bool, fields: &mut Vec<(String, Field)>, findings: &mut Findings<'_>) {
        let many = many || !matches!(part.attribute("maxOccurs"), None | Some("0" | "1"));
        match part.name.as_str() {
            "sequence" | "all" | "choice" => {
                for inner in parts(part) {
                    self.group(inner, many, fields, findings);
                }
            }
            "element" => {
                let global = part.attribute("ref").map(|name| (local(name), self.elements.get(local(name)).copied()));
                let (name, element) = match (part.attribute("name"), global) {
                    (Some(name), _) => (name, part),
                    (None, Some((name, Some(element)))) => (name, element),
                    _ => {
                        findings.error(Code::BadType, part.span, "an element without a name that is known", None);
                        return;
                    }
                };
                fields.push((name.to_owned(), Field { shape: self.of_element(element, findings), many }));
            }
            _ => {
                not_understood(part, findings);
            }
        }
    }

    fn of_element(&self, element: &'x Element, findings: &mut Findings<'_>) -> Shape {
        match (element.attribute("type"), parts(element).find(|part| part.name.ends_with("Type"))) {
            (Some(name), _) => self.named(name, element.span, findings),
            (None, Some(inner)) => self.definition(inner, findings),
            (None, None) => Shape::Unknown,
        }
    }
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

fn not_understood(element: &Element, findings: &mut Findings<'_>) -> Shape {
    let message = format!("`{}` in a type is not understood", element.name);
    let hint = "understood are `sequence`, `all` and `choice` of elements, and `restriction` of simple types";
    findings.error(Code::BadType, element.span, message, Some(hint));
    Shape::Unknown
}
