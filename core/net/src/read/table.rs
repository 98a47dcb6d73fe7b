//! Reads a map with known keys, and reports the others.

use crate::diagnostic::Code;
use crate::source::{Data, Findings, Key, Node, Span};
use crate::suggest::suggestion;

type Entry = (Key, Node);

/// A map of which each key is asked for by name; what was never asked for is unknown.
#[derive(Debug)]
pub struct Table<'n> {
    what: String,
    span: Span,
    entries: &'n [Entry],
    /// Keys that the language has.
    known: Vec<&'static str>,
}

impl<'n> Table<'n> {
    /// The map that a node is; `what` names it in messages.
    pub fn of(node: &'n Node, what: &str, findings: &mut Findings<'_>) -> Option<Self> {
        let entries = entries(node, findings)?;
        Some(Self { what: what.to_owned(), span: node.span, entries, known: Vec::new() })
    }

    /// As [`Self::of`]; nothing at all counts as an empty map.
    pub(crate) fn of_optional(node: &'n Node, what: &str, findings: &mut Findings<'_>) -> Option<Self> {
        if matches!(node.data, Data::Null) {
            return Some(Self { what: what.to_owned(), span: node.span, entries: &[], known: Vec::new() });
        }
        Self::of(node, what, findings)
    }

    /// The entry of a key.
    pub fn take(&mut self, key: &'static str) -> Option<&'n Entry> {
        self.known.push(key);
        self.entries.iter().find(|(found, _)| found.text == key)
    }

    /// The entry of a key that must be there.
    pub fn required(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Option<&'n Entry> {
        let entry = self.take(key);
        if entry.is_none() {
            let message = format!("{} has no `{key}`", self.what);
            findings.error(Code::MissingKey, self.head(), message, None);
        }
        entry
    }

    /// The text of a key.
    pub fn text(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Option<String> {
        self.take(key).and_then(|(_, node)| super::text(node, findings)).map(|name| name.text)
    }

    pub(crate) fn truth(&mut self, key: &'static str, findings: &mut Findings<'_>) -> bool {
        self.take(key).and_then(|(_, node)| super::truth(node, findings)).unwrap_or(false)
    }

    /// Reports the keys that were never asked for.
    pub fn finish(self, findings: &mut Findings<'_>) {
        for (key, _) in self.entries {
            if !self.known.contains(&key.text.as_str()) {
                let message = format!("{} has no key `{}` in this language", self.what, key.text);
                let hint = suggestion(&key.text, self.known.iter().copied())
                    .or_else(|| Some(format!("known keys: {}", self.known.join(", "))));
                findings.error(Code::UnknownKey, key.span, message, hint);
            }
        }
    }

    /// Where the map begins: all of it would underline half the file.
    fn head(&self) -> Span {
        self.entries.first().map_or(self.span, |(key, _)| key.span)
    }
}

/// The entries of a map whose keys are the author's names.
pub fn entries<'n>(node: &'n Node, findings: &mut Findings<'_>) -> Option<&'n [Entry]> {
    if let Data::Map(entries) = &node.data {
        return Some(entries);
    }
    super::wrong_type(node, "a map", None, findings);
    None
}
