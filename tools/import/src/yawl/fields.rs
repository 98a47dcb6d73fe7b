//! Reads an element whose children and attributes are known, and reports all others: nothing is dropped in silence.

use crate::finding::{Code, Findings, Span};
use crate::xml::{Element, INSTANCE};

/// Namespaces of specifications: until Beta 8 (and some later files), and since.
const SPACES: [&str; 2] = ["http://www.citi.qut.edu.au/yawl", "http://www.yawlfoundation.org/yawlschema"];

pub(super) fn is_yawl(element: &Element) -> bool {
    element.space.as_deref().is_some_and(|space| SPACES.contains(&space))
}

/// A piece of text, and the element that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) span: Span,
}

pub(super) struct Fields<'x> {
    element: &'x Element,
    children: Vec<bool>,
    attributes: Vec<bool>,
    /// Whether text directly in it was asked for.
    text: bool,
}

impl<'x> Fields<'x> {
    pub(super) fn of(element: &'x Element) -> Self {
        Self {
            element,
            children: vec![false; element.children.len()],
            attributes: vec![false; element.attributes.len()],
            text: false,
        }
    }

    pub(super) fn span(&self) -> Span {
        self.element.span
    }

    /// All children of that name.
    pub(super) fn many(&mut self, name: &str) -> Vec<&'x Element> {
        let mut found = Vec::new();
        for (child, taken) in self.element.children.iter().zip(&mut self.children) {
            if child.name == name && is_yawl(child) {
                *taken = true;
                found.push(child);
            }
        }
        found
    }

    /// The child of that name; a second one is an error.
    pub(super) fn one(&mut self, name: &str, findings: &mut Findings<'_>) -> Option<&'x Element> {
        let found = self.many(name);
        if let Some(second) = found.get(1) {
            let message = format!("`{}` has more than one `{name}`", self.element.name);
            findings.error(Code::Repeated, second.span, message, None);
        }
        found.first().copied()
    }

    pub(super) fn required(&mut self, name: &str, findings: &mut Findings<'_>) -> Option<&'x Element> {
        let found = self.one(name, findings);
        if found.is_none() {
            let message = format!("`{}` has no `{name}`", self.element.name);
            findings.error(Code::Missing, self.element.span, message, None);
        }
        found
    }

    /// The trimmed text of the child of that name; `None` if it is empty too.
    pub(super) fn text(&mut self, name: &str, findings: &mut Findings<'_>) -> Option<Text> {
        self.one(name, findings).map(|child| leaf(child, findings)).filter(|text| !text.text.is_empty())
    }

    pub(super) fn required_text(&mut self, name: &str, findings: &mut Findings<'_>) -> Option<Text> {
        let found = self.required(name, findings)?;
        let text = leaf(found, findings);
        if text.text.is_empty() {
            findings.error(Code::Missing, found.span, format!("`{name}` is empty"), None);
            return None;
        }
        Some(text)
    }

    /// Whether the child of that name, which is always empty, is there.
    pub(super) fn flag(&mut self, name: &str, findings: &mut Findings<'_>) -> bool {
        match self.one(name, findings) {
            Some(child) => {
                Fields::of(child).finish(findings);
                true
            }
            None => false,
        }
    }

    /// Children that say nothing about what a net does, with all that is in them.
    pub(super) fn harmless(&mut self, names: &[&str]) {
        for name in names {
            self.many(name);
        }
    }

    /// Children of other namespaces, which are read elsewhere.
    pub(super) fn take_foreign(&mut self, which: impl Fn(&Element) -> bool) {
        for (child, taken) in self.element.children.iter().zip(&mut self.children) {
            *taken |= which(child);
        }
    }

    /// Children that a net cannot express.
    pub(super) fn refuse(&mut self, name: &str, why: &str, findings: &mut Findings<'_>) {
        for child in self.many(name) {
            findings.error(Code::NotSupported, child.span, format!("`{name}`: {why}"), None);
        }
    }

    pub(super) fn attribute(&mut self, name: &str) -> Option<&'x str> {
        self.take_attribute(None, name)
    }

    pub(super) fn required_attribute(&mut self, name: &str, findings: &mut Findings<'_>) -> Option<&'x str> {
        let value = self.attribute(name);
        if value.is_none_or(|value| value.trim().is_empty()) {
            let message = format!("`{}` has no attribute `{name}`", self.element.name);
            findings.error(Code::Missing, self.element.span, message, None);
            return None;
        }
        value
    }

    /// `xsi:type`, without its prefix.
    pub(super) fn instance_type(&mut self) -> Option<&'x str> {
        self.take_attribute(Some(INSTANCE), "type").map(|name| name.rsplit_once(':').map_or(name, |(_, name)| name))
    }

    fn take_attribute(&mut self, space: Option<&str>, name: &str) -> Option<&'x str> {
        let named = |(_, attribute): &(usize, &'x crate::xml::Attribute)| {
            attribute.name == name && attribute.space.as_deref() == space
        };
        let (at, found) = self.element.attributes.iter().enumerate().find(named)?;
        self.attributes[at] = true;
        Some(&found.value)
    }

    /// Attributes without namespace that say nothing about what a net does.
    pub(super) fn harmless_attributes(&mut self, harmless: impl Fn(&str) -> bool) {
        for (attribute, taken) in self.element.attributes.iter().zip(&mut self.attributes) {
            *taken |= attribute.space.is_none() && harmless(&attribute.name);
        }
    }

    /// The text directly in it, trimmed.
    pub(super) fn own_text(&mut self) -> Text {
        self.text = true;
        Text { text: self.element.text.trim().to_owned(), span: self.element.span }
    }

    /// Reports what was never asked for.
    pub(super) fn finish(self, findings: &mut Findings<'_>) {
        let name = &self.element.name;
        for (child, taken) in self.element.children.iter().zip(&self.children) {
            if !taken {
                let message = format!("`{name}` has an element `{}` that is not understood", child.name);
                findings.error(Code::UnknownElement, child.span, message, None);
            }
        }
        for (attribute, taken) in self.element.attributes.iter().zip(&self.attributes) {
            let harmless = match attribute.space.as_deref() {
                Some(INSTANCE) => matches!(attribute.name.as_str(), "schemaLocation" | "noNamespaceSchemaLocation"),
                Some("http://www.w3.org/XML/1998/namespace") => true,
                _ => false,
            };
            if !taken && !harmless {
                let message = format!("`{name}` has an attribute `{}` that is not understood", attribute.name);
                findings.error(Code::UnknownAttribute, self.element.span, message, None);
            }
        }
        if !self.text && !self.element.text.trim().is_empty() {
            let start: String = self.element.text.trim().chars().take(40).collect();
            let message = format!("`{name}` has text in it: `{start}`");
            findings.error(Code::UnexpectedText, self.element.span, message, None);
        }
    }
}

/// The trimmed text of an element that holds nothing else.
pub(super) fn leaf(element: &Element, findings: &mut Findings<'_>) -> Text {
    let mut fields = Fields::of(element);
    let text = fields.own_text();
    fields.finish(findings);
    text
}

/// Text for people on one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
