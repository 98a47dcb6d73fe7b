//! Records of OCEL 2.0, whatever their spelling.

use actum_model::Time;

use crate::export::text::{Clock, Scalar};

/// Something that a log in OCEL has.
#[derive(Debug, Clone, Copy)]
pub enum Record<'r> {
    /// An event.
    Event(OcelEvent<'r>),
    /// An object. It may come after events that are about it.
    Object(Object<'r>),
}

/// An event, and what it is about.
#[derive(Debug, Clone, Copy)]
pub struct OcelEvent<'r> {
    /// Unique among events.
    pub id: &'r str,
    /// Its type: the name of the task.
    pub of: &'r str,
    /// When.
    pub time: Time,
    /// Its attributes, each once.
    pub attributes: &'r [Attribute<'r>],
    /// The objects that it is about.
    pub relations: &'r [Relation<'r>],
}

/// An object, with all values that its attributes ever had.
#[derive(Debug, Clone, Copy)]
pub struct Object<'r> {
    /// Unique among objects.
    pub id: &'r str,
    /// Its type.
    pub of: &'r str,
    /// Values of attributes, in the order of time; first values have time 0.
    pub attributes: &'r [Attribute<'r>],
    /// Objects that it belongs to.
    pub relations: &'r [Relation<'r>],
}

/// A value of an attribute, from a time on.
#[derive(Debug, Clone, Copy)]
pub struct Attribute<'r> {
    /// Its name.
    pub name: &'r str,
    /// The value, spelt plainly.
    pub value: &'r str,
    /// Since when it holds.
    pub time: Time,
}

/// That something is about an object.
#[derive(Debug, Clone, Copy)]
pub struct Relation<'r> {
    /// The object's id.
    pub object: &'r str,
    /// What the object is in it.
    pub qualifier: &'r str,
}

/// Types of attributes in OCEL 2.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeType {
    /// Text.
    String,
    /// A point in time.
    Time,
    /// A whole number.
    Integer,
    /// A number.
    Float,
    /// True or false.
    Boolean,
}

impl AttributeType {
    /// The word of the standard.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            AttributeType::String => "string",
            AttributeType::Time => "time",
            AttributeType::Integer => "integer",
            AttributeType::Float => "float",
            AttributeType::Boolean => "boolean",
        }
    }
}

impl From<Scalar> for AttributeType {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Text => AttributeType::String,
            Scalar::Date => AttributeType::Time,
            Scalar::Integer => AttributeType::Integer,
            Scalar::Float => AttributeType::Float,
            Scalar::Boolean => AttributeType::Boolean,
        }
    }
}

/// Names of types, each with its attributes.
type Typed<'t> = Vec<(&'t str, Vec<(&'t str, AttributeType)>)>;

/// The types of a log's events and objects, with their attributes.
#[derive(Debug, Clone)]
pub struct Types<'t> {
    /// Types of events.
    pub events: Typed<'t>,
    /// Types of objects.
    pub objects: Typed<'t>,
}

/// A time as OCEL writes it: RFC 3339 in UTC.
pub(super) fn put_time(time: Time, clock: &mut Clock, out: &mut String) {
    if time.0 == 0 {
        out.push_str("1970-01-01T00:00:00Z");
    } else {
        clock.put(time, out);
    }
}
