//! What is known of a value: its kind, or what elements it is made of.

use std::collections::BTreeMap;
use std::rc::Rc;

/// The kinds of scalar that XML Schema's types come down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int,
    Double,
    Decimal,
    Text,
    Time,
}

impl Kind {
    /// Its name in the net language.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Double => "double",
            Self::Decimal => "decimal",
            Self::Text => "string",
            Self::Time => "time",
        }
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Double | Self::Decimal)
    }
}

/// How an element's content is kept as a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    Scalar(Kind),
    /// Any number of elements of one name, and nothing else.
    List {
        item: String,
        of: Rc<Shape>,
    },
    /// Elements of several names: a map by name.
    Map(Rc<BTreeMap<String, Field>>),
    /// Nothing is known.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) shape: Shape,
    /// May be there several times: the value is a list.
    pub(super) many: bool,
}

impl Shape {
    /// The name of the net language's type that holds it.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Scalar(kind) => kind.word(),
            Self::List { .. } => "list",
            Self::Map(_) => "map",
            Self::Unknown => "any",
        }
    }

    pub(super) fn scalar(&self) -> Option<Kind> {
        match self {
            Self::Scalar(kind) => Some(*kind),
            _ => None,
        }
    }
}

/// The kind of one of XML Schema's own types, by its name without prefix.
pub(super) fn builtin(name: &str) -> Option<Shape> {
    let kind = match name {
        "boolean" => Kind::Bool,
        "byte" | "int" | "integer" | "long" | "negativeInteger" | "nonNegativeInteger" | "nonPositiveInteger"
        | "positiveInteger" | "short" | "unsignedByte" | "unsignedInt" | "unsignedLong" | "unsignedShort" => Kind::Int,
        "double" | "float" => Kind::Double,
        "decimal" => Kind::Decimal,
        "dateTime" => Kind::Time,
        "ENTITIES" | "ENTITY" | "ID" | "IDREF" | "IDREFS" | "NCName" | "NMTOKEN" | "NMTOKENS" | "NOTATION" | "Name"
        | "QName" | "anyURI" | "base64Binary" | "date" | "duration" | "gDay" | "gMonth" | "gMonthDay" | "gYear"
        | "gYearMonth" | "hexBinary" | "language" | "normalizedString" | "string" | "time" | "token" => Kind::Text,
        "anyType" | "anySimpleType" => return Some(Shape::Unknown),
        _ => return None,
    };
    Some(Shape::Scalar(kind))
}

/// XML Schema's own types, for suggestions.
pub(super) fn builtin_like(name: &str) -> Option<&'static str> {
    const COMMON: [&str; 12] = [
        "boolean", "date", "dateTime", "decimal", "double", "duration", "float", "int", "integer", "long", "string",
        "time",
    ];
    COMMON.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}
