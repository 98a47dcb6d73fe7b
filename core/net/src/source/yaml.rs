//! Builds the tree from the YAML parser's events: a loop with its own stack, so depth costs no recursion.

use std::collections::HashSet;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use super::scalar::{ScalarError, plain};
use super::{DEPTH_MAX, Data, Findings, Key, NET_BYTES_MAX, Node, Span};
use crate::diagnostic::Code;

/// Longest key, in bytes.
const KEY_BYTES_MAX: usize = 256;

/// Reads a whole source. `None` after a finding that leaves no tree to look at.
pub fn parse(findings: &mut Findings<'_>) -> Option<Node> {
    let source = findings.source();
    if source.len() > NET_BYTES_MAX {
        let message = format!("the file has {} bytes; a net has at most {NET_BYTES_MAX}", source.len());
        findings.error(Code::TooLarge, Span::default(), message, None);
        return None;
    }
    let mut parser = Parser::new_from_str(source);
    let mut builder = Builder { findings, offsets: Offsets::new(source), open: Vec::new(), root: None };
    let mut documents = 0;
    while let Some(event) = parser.next_event() {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => return builder.syntax(&error),
        };
        let span = builder.offsets.span(span);
        match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    builder.findings.error(Code::Syntax, span, "a net is a single YAML document", None);
                    return None;
                }
            }
            Event::StreamEnd => break,
            event => builder.event(event, span)?,
        }
    }
    if builder.root.is_none() {
        let hint = Some("start with `actum: 1` and `net: my-net`".to_owned());
        builder.findings.error(Code::Syntax, Span::default(), "the file is empty", hint);
    }
    builder.root
}

struct Builder<'f, 's> {
    findings: &'f mut Findings<'s>,
    offsets: Offsets,
    open: Vec<Open>,
    root: Option<Node>,
}

/// A list or map that is not finished.
enum Open {
    List { start: usize, items: Vec<Node> },
    Map { start: usize, entries: Vec<(Key, Node)>, seen: HashSet<String>, key: Option<PendingKey> },
}

struct PendingKey {
    key: Key,
    /// A key that was there before, or is no key: its value is dropped.
    dropped: bool,
}

impl Builder<'_, '_> {
    fn syntax(self, error: &ScanError) -> Option<Node> {
        let at = self.offsets.byte(error.marker().index());
        if error.info().contains("recursion limit") {
            // The scanner reads ahead, and has a limit of its own.
            let message = format!("nested deeper than {DEPTH_MAX}");
            self.findings.error(Code::TooDeep, Span { start: at, end: at }, message, None);
            return None;
        }
        let message = format!("neither YAML nor JSON: {}", error.info());
        self.findings.error(Code::Syntax, Span { start: at, end: at }, message, None);
        None
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        match event {
            Event::Alias(_) => {
                self.refuse("an alias", span);
                if let Some(Open::Map { key: Some(key), .. }) = self.open.last_mut() {
                    key.dropped = true;
                }
                self.value(Node { span, data: Data::Null });
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.no_extras(anchor, tag.as_deref(), span);
                if self.at_key() {
                    self.key(text.into_owned(), span);
                } else {
                    let data = self.scalar(&text, style, span);
                    self.value(Node { span, data });
                }
            }
            Event::SequenceStart(anchor, tag) => {
                self.no_extras(anchor, tag.as_deref(), span);
                self.open(Open::List { start: span.start, items: Vec::new() }, span)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.no_extras(anchor, tag.as_deref(), span);
                let (entries, seen) = (Vec::new(), HashSet::new());
                self.open(Open::Map { start: span.start, entries, seen, key: None }, span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List { start, items }) => {
                    self.value(Node { span: Span { start, end: span.end.max(start) }, data: Data::List(items) });
                }
                Some(Open::Map { start, entries, .. }) => {
                    self.value(Node { span: Span { start, end: span.end.max(start) }, data: Data::Map(entries) });
                }
                None => {}
            },
            _ => {}
        }
        Some(())
    }

    fn open(&mut self, open: Open, span: Span) -> Option<()> {
        if self.open.len() >= DEPTH_MAX {
            let message = format!("nested deeper than {DEPTH_MAX}");
            self.findings.error(Code::TooDeep, span, message, None);
            return None;
        }
        if self.at_key() {
            let hint = Some("a map's key is plain text".to_owned());
            self.findings.error(Code::WrongType, span, "a list or a map cannot be a key", hint);
            self.pending(Key { text: String::new(), span }, true);
            // What is being opened is the key itself, so that its value comes after it: nothing sensible can follow.
            return None;
        }
        self.open.push(open);
        Some(())
    }

    fn refuse(&mut self, what: &str, span: Span) {
        let hint = Some("write the value out".to_owned());
        self.findings.error(Code::AnchorOrTag, span, format!("a net may not contain {what}"), hint);
    }

    fn no_extras(&mut self, anchor: usize, tag: Option<&Tag>, span: Span) {
        if anchor > 0 {
            self.refuse("an anchor", span);
        }
        if tag.is_some() {
            self.refuse("a tag", span);
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, span: Span) -> Data {
        if style != ScalarStyle::Plain {
            return Data::Text(text.to_owned());
        }
        match plain(text) {
            Ok(data) => data,
            Err(ScalarError::TooLarge) => {
                let hint = Some("put quotes around it if it is not a number to calculate with".to_owned());
                self.findings.error(Code::BadValue, span, "the integer does not fit 64 bits", hint);
                Data::Int(0)
            }
            Err(ScalarError::NotFinite) => {
                self.findings.error(Code::BadValue, span, "a number must be finite", None);
                Data::Double(0.0)
            }
        }
    }

    fn at_key(&self) -> bool {
        matches!(self.open.last(), Some(Open::Map { key: None, .. }))
    }

    fn pending(&mut self, new: Key, dropped: bool) {
        if let Some(Open::Map { key, .. }) = self.open.last_mut() {
            *key = Some(PendingKey { key: new, dropped });
        }
    }

    fn key(&mut self, text: String, span: Span) {
        let Some(Open::Map { seen, .. }) = self.open.last_mut() else { return };
        let fresh = seen.insert(text.clone());
        if !fresh {
            self.findings.error(Code::DuplicateKey, span, format!("the key `{text}` appears twice"), None);
        }
        let fits = text.len() <= KEY_BYTES_MAX;
        if !fits {
            let message = format!("a key has at most {KEY_BYTES_MAX} bytes");
            self.findings.error(Code::BadValue, span, message, None);
        }
        self.pending(Key { text, span }, !fresh || !fits);
    }

    fn value(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, .. }) => match key.take() {
                Some(PendingKey { key, dropped: false }) => entries.push((key, node)),
                Some(_) => {}
                // An alias as a key: refused already.
                None => *key = Some(PendingKey { key: Key { text: String::new(), span: node.span }, dropped: true }),
            },
        }
    }
}

/// From the parser's character positions to bytes.
struct Offsets {
    /// The first byte of each character; `None` if every character is one byte.
    bytes: Option<Vec<u32>>,
    end: usize,
}

impl Offsets {
    fn new(source: &str) -> Self {
        let bytes = (!source.is_ascii()).then(|| source.char_indices().map(|(at, _)| at as u32).collect());
        Self { bytes, end: source.len() }
    }

    fn byte(&self, character: usize) -> usize {
        match &self.bytes {
            None => character.min(self.end),
            Some(bytes) => bytes.get(character).map_or(self.end, |at| *at as usize),
        }
    }

    fn span(&self, span: saphyr_parser::Span) -> Span {
        Span { start: self.byte(span.start.index()), end: self.byte(span.end.index()) }
    }
}
