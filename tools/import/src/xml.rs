//! Reads XML into a tree, within limits: no document types, no entities but XML's own, no deep or huge trees.

use std::rc::Rc;

use quick_xml::XmlVersion;
use quick_xml::errors::Error;
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesDecl, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

use crate::finding::{Code, Findings, Span};

/// Largest file that is read, in bytes. The largest specifications known have less than one MiB.
pub const SOURCE_BYTES_MAX: usize = 16 << 20;
/// Deepest nesting of elements.
pub const DEPTH_MAX: usize = 256;
/// Most elements in a file; each takes some hundred bytes of memory.
pub const ELEMENTS_MAX: usize = 200_000;
/// Most attributes of an element; each is compared with all before it.
pub const ATTRIBUTES_MAX: usize = 64;

/// The namespace of `xsi:type` and `xsi:schemaLocation`.
pub(crate) const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// The namespace of XML Schema.
pub(crate) const SCHEMA: &str = "http://www.w3.org/2001/XMLSchema";

/// An element with all that is in it.
#[derive(Debug)]
pub(crate) struct Element {
    /// The namespace that its prefix stands for.
    pub(crate) space: Option<Rc<str>>,
    /// Its name without the prefix.
    pub(crate) name: String,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) children: Vec<Element>,
    /// All text directly in it, put together.
    pub(crate) text: String,
    /// The start tag.
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) space: Option<Rc<str>>,
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Element {
    pub(crate) fn is(&self, space: &str, name: &str) -> bool {
        self.space.as_deref() == Some(space) && self.name == name
    }

    /// An attribute without a namespace.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let named = |attribute: &&Attribute| attribute.space.is_none() && attribute.name == name;
        self.attributes.iter().find(named).map(|attribute| attribute.value.as_str())
    }
}

/// Why reading stopped; the finding is recorded.
struct Stop;

/// The root element; `None` after a finding.
pub(crate) fn parse(source: &str, findings: &mut Findings<'_>) -> Option<Element> {
    if source.len() > SOURCE_BYTES_MAX {
        let message = format!("the file has more than {SOURCE_BYTES_MAX} bytes");
        findings.error(Code::TooLarge, Span(0, 0), message, None);
        return None;
    }
    Tree::new(source, findings).read().ok()
}

struct Tree<'s, 'f, 'l> {
    source: &'s str,
    findings: &'f mut Findings<'l>,
    spaces: Vec<Rc<str>>,
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl<'s, 'f, 'l> Tree<'s, 'f, 'l> {
    fn new(source: &'s str, findings: &'f mut Findings<'l>) -> Self {
        Self { source, findings, spaces: Vec::new(), open: Vec::new(), root: None, elements: 0 }
    }

    fn read(mut self) -> Result<Element, Stop> {
        let mut reader = NsReader::from_str(self.source);
        loop {
            let from = reader.buffer_position() as usize;
            let event = match reader.read_event() {
                Ok(event) => event,
                Err(error) => return Err(self.broken(&error, reader.error_position() as usize)),
            };
            let span = Span(from, reader.buffer_position() as usize);
            match event {
                Event::Start(tag) => {
                    let element = self.element(&reader, &tag, span)?;
                    self.open.push(element);
                }
                Event::Empty(tag) => {
                    let element = self.element(&reader, &tag, span)?;
                    self.close(element)?;
                }
                Event::End(_) => {
                    let Some(element) = self.open.pop() else { return Err(self.outside(span)) };
                    self.close(element)?;
                }
                Event::Text(text) => self.text(&text.xml10_content(), span)?,
                Event::CData(text) => self.text(&text.xml10_content(), span)?,
                Event::GeneralRef(name) => self.reference(&name, span)?,
                Event::Decl(declaration) => self.declaration(&declaration, span)?,
                Event::DocType(_) => {
                    let hint = Some("delete it: entities of its own could expand without end");
                    return Err(self.stop(Code::DocumentType, span, "the file has a document type definition", hint));
                }
                // They say nothing to a reader of the format.
                Event::Comment(_) | Event::PI(_) => {}
                Event::Eof => break,
            }
        }
        let end = Span(self.source.len(), self.source.len());
        if let Some(open) = self.open.last() {
            let message = format!("the element `{}` is not closed", open.name);
            let span = open.span;
            return Err(self.stop(Code::Syntax, span, message, None));
        }
        match self.root.take() {
            Some(root) => Ok(root),
            None => Err(self.stop(Code::Syntax, end, "the file has no element", None)),
        }
    }

    fn stop(&mut self, code: Code, span: Span, message: impl Into<String>, hint: Option<&str>) -> Stop {
        self.findings.error(code, span, message, hint);
        Stop
    }

    fn broken(&mut self, error: &Error, at: usize) -> Stop {
        let at = Span(at, at + 1);
        match error {
            Error::Syntax(error) => self.stop(Code::Syntax, at, error.to_string(), None),
            Error::IllFormed(error) => self.stop(Code::Syntax, at, error.to_string(), None),
            other => self.stop(Code::Syntax, at, other.to_string(), None),
        }
    }

    fn outside(&mut self, span: Span) -> Stop {
        self.stop(Code::Syntax, span, "there is something outside of the root element", None)
    }

    fn declaration(&mut self, declaration: &BytesDecl<'_>, span: Span) -> Result<(), Stop> {
        let Some(Ok(encoding)) = declaration.encoding() else { return Ok(()) };
        if ["utf-8", "utf8", "us-ascii", "ascii"].contains(&encoding.to_ascii_lowercase().as_str()) {
            return Ok(());
        }
        let message = format!("the file says that it is in {encoding}; only UTF-8 is read");
        Err(self.stop(Code::Encoding, span, message, Some("save it as UTF-8 and say so in its first line")))
    }

    fn element(&mut self, reader: &NsReader<&[u8]>, tag: &BytesStart<'_>, span: Span) -> Result<Element, Stop> {
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            let message = format!("the file has more than {ELEMENTS_MAX} elements");
            return Err(self.stop(Code::TooLarge, span, message, None));
        }
        if self.open.len() >= DEPTH_MAX {
            let message = format!("elements are nested deeper than {DEPTH_MAX}");
            return Err(self.stop(Code::TooDeep, span, message, None));
        }
        let (space, name) = reader.resolver().resolve_element(tag.name());
        let space = self.space(&space, span)?;
        let name = name.as_ref().to_owned();
        let attributes = self.attributes(reader, tag, span)?;
        Ok(Element { space, name, attributes, children: Vec::new(), text: String::new(), span })
    }

    fn attributes(
        &mut self,
        reader: &NsReader<&[u8]>,
        tag: &BytesStart<'_>,
        span: Span,
    ) -> Result<Vec<Attribute>, Stop> {
        let mut list: Vec<Attribute> = Vec::new();
        for (count, attribute) in tag.attributes().enumerate() {
            if count >= ATTRIBUTES_MAX {
                let message = format!("an element has more than {ATTRIBUTES_MAX} attributes");
                return Err(self.stop(Code::TooLarge, span, message, None));
            }
            let attribute = match attribute {
                Ok(attribute) => attribute,
                Err(error @ AttrError::Duplicated(..)) => {
                    return Err(self.stop(Code::DuplicateAttribute, span, error.to_string(), None));
                }
                Err(error) => return Err(self.stop(Code::Syntax, span, error.to_string(), None)),
            };
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let value = match attribute.normalized_value(XmlVersion::Implicit1_0) {
                Ok(value) => value.into_owned(),
                Err(error) => return Err(self.stop(Code::Entity, span, error.to_string(), None)),
            };
            let (space, name) = reader.resolver().resolve_attribute(attribute.key);
            let space = self.space(&space, span)?;
            let name = name.as_ref().to_owned();
            // The same attribute under two prefixes of one namespace.
            if list.iter().any(|other| other.name == name && other.space == space) {
                let message = format!("the attribute `{name}` is there twice");
                return Err(self.stop(Code::DuplicateAttribute, span, message, None));
            }
            list.push(Attribute { space, name, value });
        }
        Ok(list)
    }

    fn space(&mut self, found: &ResolveResult<'_>, span: Span) -> Result<Option<Rc<str>>, Stop> {
        match found {
            ResolveResult::Unbound => Ok(None),
            ResolveResult::Bound(Namespace(space)) => {
                if let Some(known) = self.spaces.iter().find(|known| known.as_ref() == *space) {
                    return Ok(Some(known.clone()));
                }
                let space: Rc<str> = Rc::from(*space);
                self.spaces.push(space.clone());
                Ok(Some(space))
            }
            ResolveResult::Unknown(prefix) => {
                let message = format!("the prefix `{prefix}` stands for no namespace");
                Err(self.stop(Code::UnknownPrefix, span, message, None))
            }
        }
    }

    fn close(&mut self, element: Element) -> Result<(), Stop> {
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None if self.root.is_none() => self.root = Some(element),
            None => return Err(self.outside(element.span)),
        }
        Ok(())
    }

    fn text(&mut self, text: &str, span: Span) -> Result<(), Stop> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            // A byte order mark counts as a blank.
            None if text.chars().all(|c| c.is_whitespace() || c == '\u{feff}') => {}
            None => return Err(self.outside(span)),
        }
        Ok(())
    }

    fn reference(&mut self, name: &str, span: Span) -> Result<(), Stop> {
        let character = match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "apos" => '\'',
            "quot" => '"',
            _ => {
                let Some(character) = character(name) else {
                    let message = format!("`&{name};` is not one of XML's own entities");
                    return Err(self.stop(Code::Entity, span, message, Some("write the character itself")));
                };
                character
            }
        };
        self.text(character.encode_utf8(&mut [0; 4]), span)
    }
}

/// What `#38` or `#x26` stands for, if XML allows the character.
fn character(name: &str) -> Option<char> {
    let number = name.strip_prefix('#')?;
    let code = match number.strip_prefix('x') {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code)
        .filter(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..))
}
