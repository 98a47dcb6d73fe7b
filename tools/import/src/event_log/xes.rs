//! XES (IEEE 1849-2016), and the dialects before the standard.

use std::io::{self, BufRead};
use std::sync::Arc;

use quick_xml::XmlVersion;
use quick_xml::errors::Error;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::lines::Lines;
use super::{EventLogError, ForeignEvent, ForeignTrace, LOG_DEPTH_MAX, TRACE_EVENTS_MAX};

/// The traces of an XES file, one after the other; ends after the first error. Memory grows with the longest trace.
pub struct XesLog<R: BufRead> {
    reader: Reader<Lines<R>>,
    buffer: Vec<u8>,
    /// The elements that are open.
    open: Vec<String>,
    trace: ForeignTrace,
    event: Option<ForeignEvent>,
    has_activity: bool,
    seen_log: bool,
    over: bool,
}

impl<R: BufRead> std::fmt::Debug for XesLog<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("XesLog").field("line", &self.line()).finish_non_exhaustive()
    }
}

impl<R: BufRead> XesLog<R> {
    /// Reads from the beginning of a file.
    pub fn new(bytes: R) -> Self {
        XesLog {
            reader: Reader::from_reader(Lines::new(bytes)),
            buffer: Vec::new(),
            open: Vec::new(),
            trace: ForeignTrace::default(),
            event: None,
            has_activity: false,
            seen_log: false,
            over: false,
        }
    }

    fn line(&self) -> u64 {
        self.reader.get_ref().line
    }

    fn wrong<T>(&self, message: impl Into<String>) -> Result<T, EventLogError> {
        Err(EventLogError::Malformed { line: self.line(), message: message.into() })
    }

    fn read(&mut self) -> Result<Option<ForeignTrace>, EventLogError> {
        loop {
            self.buffer.clear();
            self.reader.get_mut().begin_token();
            let mut buffer = std::mem::take(&mut self.buffer);
            let step = match self.reader.read_event_into(&mut buffer) {
                Ok(event) => self.take(&event),
                Err(error) => self.broken(error),
            };
            self.buffer = buffer;
            match step? {
                Step::On => {}
                Step::Trace => {
                    let trace = std::mem::take(&mut self.trace);
                    return Ok(Some(trace));
                }
                Step::End => return Ok(None),
            }
        }
    }

    fn take(&mut self, event: &Event<'_>) -> Result<Step, EventLogError> {
        match event {
            Event::Start(tag) => self.begin(tag).map(|()| Step::On),
            Event::Empty(tag) => {
                self.begin(tag)?;
                self.end()
            }
            Event::End(_) => self.end(),
            Event::Decl(declaration) => match declaration.encoding() {
                Some(Ok(encoding))
                    if !["utf-8", "utf8", "us-ascii", "ascii"].contains(&encoding.to_ascii_lowercase().as_str()) =>
                {
                    self.wrong(format!("the file says that it is in {encoding}; only UTF-8 is read"))
                }
                _ => Ok(Step::On),
            },
            Event::DocType(_) => self.wrong("the file has a document type definition; delete it"),
            Event::Eof if !self.open.is_empty() => {
                let open = self.open.last().cloned().unwrap_or_default();
                self.wrong(format!("the file ends within <{open}>: it is cut short"))
            }
            Event::Eof if !self.seen_log => self.wrong("the file has no <log>: it is not XES"),
            Event::Eof => Ok(Step::End),
            _ => Ok(Step::On),
        }
    }

    fn broken(&mut self, error: Error) -> Result<Step, EventLogError> {
        match error {
            Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => self.wrong(error.to_string()),
            Error::Io(error) => Err(EventLogError::Read(copy(&error))),
            // Nothing more comes: what is not right is the end.
            error if self.reader.get_mut().fill_buf().is_ok_and(<[u8]>::is_empty) => {
                let open = self.open.last().map_or_else(|| "its first element".to_owned(), |name| format!("<{name}>"));
                self.wrong(format!("the file ends within {open}: it is cut short ({error})"))
            }
            error => self.wrong(error.to_string()),
        }
    }

    fn begin(&mut self, tag: &BytesStart<'_>) -> Result<(), EventLogError> {
        let name = tag.local_name().as_ref().to_owned();
        if self.open.is_empty() {
            if name != "log" || self.seen_log {
                return self.wrong(format!("the file begins with <{name}>, not with <log>: it is not XES"));
            }
            self.seen_log = true;
        }
        if self.open.len() >= LOG_DEPTH_MAX {
            return self.wrong(format!("elements are nested deeper than {LOG_DEPTH_MAX}"));
        }
        match (self.open.len(), name.as_str()) {
            (1, "trace") => self.trace = ForeignTrace::default(),
            (2, "event") if self.open[1] == "trace" => {
                if self.trace.events.len() >= TRACE_EVENTS_MAX {
                    return self.wrong(format!("a trace has more than {TRACE_EVENTS_MAX} events"));
                }
                self.event = Some(ForeignEvent::default());
                self.has_activity = false;
            }
            (2, "string") if self.open[1] == "trace" => {
                if let Some(value) = self.value(tag, &["concept:name"])? {
                    self.trace.name = Some(value.1);
                }
            }
            (3, "string") if self.event.is_some() => {
                if let Some((key, value)) = self.value(tag, &["concept:name", "lifecycle:transition"])?
                    && let Some(event) = &mut self.event
                {
                    if key == 0 {
                        event.activity = value;
                        self.has_activity = true;
                    } else {
                        event.transition = Some(value);
                    }
                }
            }
            _ => {}
        }
        self.open.push(name);
        Ok(())
    }

    fn end(&mut self) -> Result<Step, EventLogError> {
        let Some(name) = self.open.pop() else { return self.wrong("an element ends that did not begin") };
        match (self.open.len(), name.as_str()) {
            (2, "event") => {
                if let Some(event) = self.event.take() {
                    if !self.has_activity {
                        return self.wrong("an event has no concept:name: nobody knows what was done");
                    }
                    self.trace.events.push(event);
                }
                Ok(Step::On)
            }
            (1, "trace") => Ok(Step::Trace),
            _ => Ok(Step::On),
        }
    }

    /// The value of an attribute with one of these keys, and which.
    fn value(&self, tag: &BytesStart<'_>, keys: &[&str]) -> Result<Option<(usize, String)>, EventLogError> {
        let (mut at, mut found) = (None, None);
        for attribute in tag.attributes() {
            let attribute = match attribute {
                Ok(attribute) => attribute,
                Err(error) => return self.wrong(error.to_string()),
            };
            let value = match attribute.normalized_value(XmlVersion::Implicit1_0) {
                Ok(value) => value,
                Err(error) => return self.wrong(error.to_string()),
            };
            match attribute.key.as_ref() {
                "key" => match keys.iter().position(|key| *key == value) {
                    Some(index) => at = Some(index),
                    None => return Ok(None),
                },
                "value" => found = Some(value.into_owned()),
                _ => {}
            }
        }
        Ok(at.zip(found))
    }
}

/// What became of a token.
enum Step {
    On,
    Trace,
    End,
}

fn copy(error: &Arc<io::Error>) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}

impl<R: BufRead> Iterator for XesLog<R> {
    type Item = Result<ForeignTrace, EventLogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.read().transpose();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}
