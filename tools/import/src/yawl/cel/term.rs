//! A piece of CEL, and what is known of its value.

use std::fmt::Write as _;

use super::super::shape::{Kind, Shape};

/// How tightly CEL's operators bind; what binds less tightly than its surroundings needs parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Conditional,
    Or,
    And,
    Relation,
    Sum,
    Product,
    Unary,
    Primary,
}

/// What the value stands for in the document.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Is {
    /// A computed value; `None`: its kind is not known.
    Atom(Option<Kind>),
    /// One element: its content is the value, null if it is empty or not there.
    Element(Option<String>, Shape),
    /// The text of one element, null if there is none.
    TextOf(Shape),
    /// Any number of elements (or of their texts): a list.
    Many(Option<String>, Shape, bool),
    /// All that is in one element.
    Content(Shape),
    Nothing,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::yawl) struct Term {
    pub(super) cel: String,
    pub(super) level: Level,
    pub(super) is: Is,
    /// May be null.
    pub(super) null: bool,
    /// What must hold for `plain` to exist; `cel` asks for it.
    pub(super) guards: Vec<String>,
    /// The path itself, without asking; in parentheses if it is no path.
    pub(super) plain: String,
    /// If it is a literal: what it says.
    pub(super) literal: Option<Literal>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Number(String),
}

impl Term {
    pub(super) fn new(cel: String, level: Level, is: Is) -> Self {
        let plain = if level < Level::Primary { format!("({cel})") } else { cel.clone() };
        Self { plain, cel, level, is, null: false, guards: Vec::new(), literal: None }
    }

    pub(super) fn atom(cel: String, level: Level, kind: Option<Kind>) -> Self {
        Self::new(cel, level, Is::Atom(kind))
    }

    pub(super) fn truth(cel: String, level: Level) -> Self {
        Self::atom(cel, level, Some(Kind::Bool))
    }

    /// A variable that holds the content of an element of that name.
    pub(in crate::yawl) fn variable(cel: String, name: &str, shape: Shape) -> Self {
        Self { null: true, ..Self::new(cel, Level::Primary, Is::Element(Some(name.to_owned()), shape)) }
    }

    /// As [`Self::variable`], of a map that may not have the key.
    pub(in crate::yawl) fn optional(map: &str, key: &str, name: &str, shape: Shape) -> Self {
        Self::variable(map.to_owned(), name, Shape::Unknown).known().field(key, name, shape)
    }

    /// Never null.
    pub(super) fn known(mut self) -> Self {
        self.null = false;
        self
    }

    /// The field of a map that may not be there.
    pub(super) fn field(&self, key: &str, name: &str, shape: Shape) -> Self {
        let mut guards = self.guards.clone();
        if self.null {
            guards.push(format!("{} != null", self.plain));
        }
        let plain = if is_identifier(key) {
            let plain = format!("{}.{key}", self.plain);
            guards.push(format!("has({plain})"));
            plain
        } else {
            guards.push(format!("{} in {}", quoted(key), self.plain));
            format!("{}[{}]", self.plain, quoted(key))
        };
        let cel = format!("{} ? {plain} : null", guards.join(" && "));
        let is = Is::Element(Some(name.to_owned()), shape);
        Self { cel, level: Level::Conditional, is, null: true, guards, plain, literal: None }
    }

    /// In parentheses if `level` needs them.
    pub(super) fn within(&self, level: Level) -> String {
        if self.level < level { format!("({})", self.cel) } else { self.cel.clone() }
    }

    /// The same value in another role.
    pub(super) fn with(mut self, is: Is) -> Self {
        self.is = is;
        self
    }

    /// `make` of the value, or `otherwise` if it is null.
    pub(super) fn unless_null(&self, otherwise: &str, make: impl Fn(&str) -> String, level: Level) -> (String, Level) {
        if !self.null {
            return (make(&self.within(Level::Primary)), level);
        }
        let mut holds = self.guards.clone();
        holds.push(format!("{} != null", self.plain));
        (format!("{} ? {} : {otherwise}", holds.join(" && "), make(&self.plain)), Level::Conditional)
    }

    /// `test` of the value, false if it is null.
    pub(super) fn and_not_null(&self, test: Option<String>) -> Term {
        let mut parts = self.guards.clone();
        if self.null {
            parts.push(format!("{} != null", self.plain));
        }
        parts.extend(test);
        let level = if parts.len() > 1 { Level::And } else { Level::Relation };
        Term::truth(if parts.is_empty() { "true".to_owned() } else { parts.join(" && ") }, level)
    }
}

pub(super) fn is_identifier(name: &str) -> bool {
    const WORDS: [&str; 7] = ["in", "true", "false", "null", "for", "if", "return"];
    let start = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    start && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && !WORDS.contains(&name)
}

/// Text as a CEL literal that may stand in a template: braces in pairs would end it.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for c in text.chars() {
        match c {
            '\'' => quoted.push_str("\\'"),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '{' => quoted.push_str("\\u007b"),
            '}' => quoted.push_str("\\u007d"),
            c if c.is_control() => drop(write!(quoted, "\\u{:04x}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

impl Term {
    /// The name of the element that it is.
    pub(in crate::yawl) fn element_name(&self) -> Option<&str> {
        match &self.is {
            Is::Element(name, _) => name.as_deref(),
            _ => None,
        }
    }

    /// What is known of the element that it is.
    pub(in crate::yawl) fn element_shape(&self) -> Option<&Shape> {
        match &self.is {
            Is::Element(_, shape) => Some(shape),
            _ => None,
        }
    }

    /// The elements that it is: their name, what is known of each, and the list.
    pub(in crate::yawl) fn elements(&self) -> Option<(Option<&str>, Shape, String)> {
        let list = || self.unless_null("[]", str::to_owned, Level::Primary).0;
        match &self.is {
            Is::Many(name, shape, false) => Some((name.as_deref(), shape.clone(), list())),
            Is::Content(Shape::List { item, of }) => Some((Some(item), of.as_ref().clone(), list())),
            Is::Content(Shape::Unknown) => Some((None, Shape::Unknown, list())),
            _ => None,
        }
    }

    pub(in crate::yawl) fn cel(&self) -> &str {
        &self.cel
    }

    /// Elements of one name, kept in a list that is never null.
    pub(in crate::yawl) fn many(cel: String, name: &str, shape: Shape) -> Self {
        Self::new(cel, Level::Primary, Is::Many(Some(name.to_owned()), shape, false))
    }
}
