//! Gives a record's optional fields, typed; unknown ones are kept (FORMAT.md section 2).

use crate::bytes::Bytes;
use crate::hash::Hash;
use crate::limits::{BUSINESS_KEY_BYTES_MAX, EXTENSION_BYTES_MAX};

const COMMAND_ID: u8 = 1;
const BUSINESS_KEY: u8 = 2;
const ON_BEHALF_OF: u8 = 3;
const TRACE: u8 = 4;
const ENCRYPTION_KEY: u8 = 5;
const REMOTE_CAUSE: u8 = 6;
const STREAM_ROOT: u8 = 7;

const FIELD_HEAD_BYTES: usize = 3;
/// Bytes that a stream root takes in an extension area.
pub(crate) const STREAM_ROOT_BYTES: usize = FIELD_HEAD_BYTES + 32;

/// Why an extension area is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtensionError {
    /// Longer than the format allows.
    #[error("the extensions are longer than {EXTENSION_BYTES_MAX} bytes")]
    TooLong,
    /// A field reaches beyond the area.
    #[error("an extension reaches beyond the extension area")]
    Truncated,
    /// Types do not ascend.
    #[error("extension {0} is out of order or occurs twice")]
    Order(u8),
    /// The value of a known type is not one.
    #[error("the value of extension {0} is malformed")]
    Value(u8),
}

/// Trace and span of the request that caused an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    /// W3C trace id.
    pub trace_id: [u8; 16],
    /// W3C span id.
    pub span_id: [u8; 8],
}

/// An event of another partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Partition.
    pub partition: u16,
    /// Seq in that partition.
    pub seq: u64,
}

/// The optional fields of a record that is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExtensionFields<'a> {
    /// Deduplicates a command.
    pub command_id: Option<[u8; 16]>,
    /// Business key of a started case.
    pub business_key: Option<&'a str>,
    /// Ordinal of the actor for whom the acting one acted.
    pub on_behalf_of: Option<u32>,
    /// Trace context.
    pub trace: Option<Trace>,
    /// Names the key of an encrypted payload.
    pub encryption_key_id: Option<[u8; 16]>,
    /// The causing event when it lies in another partition.
    pub remote_cause: Option<Position>,
    /// RFC 6962 root over the event hashes of all earlier events of the stream; on terminal records only.
    pub stream_root: Option<Hash>,
}

impl ExtensionFields<'_> {
    /// The encoded fields. Allocates nothing when there are none.
    pub fn encode(&self) -> Result<ExtensionsBuf, ExtensionError> {
        let mut bytes = Vec::new();
        let mut put = |kind: u8, parts: &[&[u8]]| {
            let length: usize = parts.iter().map(|part| part.len()).sum();
            bytes.push(kind);
            bytes.extend_from_slice(&(length as u16).to_le_bytes());
            parts.iter().for_each(|part| bytes.extend_from_slice(part));
        };
        if let Some(id) = &self.command_id {
            put(COMMAND_ID, &[id]);
        }
        if let Some(key) = self.business_key {
            if key.len() > BUSINESS_KEY_BYTES_MAX {
                return Err(ExtensionError::Value(BUSINESS_KEY));
            }
            put(BUSINESS_KEY, &[key.as_bytes()]);
        }
        if let Some(actor) = self.on_behalf_of {
            put(ON_BEHALF_OF, &[&actor.to_le_bytes()]);
        }
        if let Some(trace) = &self.trace {
            put(TRACE, &[&trace.trace_id, &trace.span_id]);
        }
        if let Some(id) = &self.encryption_key_id {
            put(ENCRYPTION_KEY, &[id]);
        }
        if let Some(cause) = &self.remote_cause {
            put(REMOTE_CAUSE, &[&cause.partition.to_le_bytes(), &cause.seq.to_le_bytes()]);
        }
        if let Some(root) = &self.stream_root {
            put(STREAM_ROOT, &[root]);
        }
        Ok(ExtensionsBuf(bytes))
    }
}

/// An owned, valid extension area.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExtensionsBuf(Vec<u8>);

impl ExtensionsBuf {
    /// A view of it.
    pub fn as_ref(&self) -> Extensions<'_> {
        Extensions(&self.0)
    }
}

/// A valid extension area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extensions<'a>(&'a [u8]);

impl<'a> Extensions<'a> {
    /// No extensions.
    pub const EMPTY: Self = Self(&[]);

    /// Checks an extension area.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ExtensionError> {
        if bytes.is_empty() {
            return Ok(Self::EMPTY);
        }
        if bytes.len() > EXTENSION_BYTES_MAX {
            return Err(ExtensionError::TooLong);
        }
        let mut rest = Bytes(bytes);
        let mut last = None;
        while !rest.0.is_empty() {
            let (kind, value) = field(&mut rest).ok_or(ExtensionError::Truncated)?;
            if last.is_some_and(|last| kind <= last) {
                return Err(ExtensionError::Order(kind));
            }
            if !is_value(kind, value) {
                return Err(ExtensionError::Value(kind));
            }
            last = Some(kind);
        }
        Ok(Self(bytes))
    }

    /// The area's bytes.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// All fields as (type, value), known or not, in order.
    pub fn iter(self) -> impl Iterator<Item = (u8, &'a [u8])> {
        let mut rest = Bytes(self.0);
        std::iter::from_fn(move || field(&mut rest))
    }

    /// The value of one type.
    pub fn get(self, kind: u8) -> Option<&'a [u8]> {
        self.iter().find_map(|(found, value)| (found == kind).then_some(value))
    }

    /// Deduplicates a command.
    pub fn command_id(self) -> Option<[u8; 16]> {
        self.get(COMMAND_ID)?.try_into().ok()
    }

    /// Business key of a started case.
    pub fn business_key(self) -> Option<&'a str> {
        std::str::from_utf8(self.get(BUSINESS_KEY)?).ok()
    }

    /// Ordinal of the actor for whom the acting one acted.
    pub fn on_behalf_of(self) -> Option<u32> {
        Bytes(self.get(ON_BEHALF_OF)?).u32()
    }

    /// Trace context.
    pub fn trace(self) -> Option<Trace> {
        let mut value = Bytes(self.get(TRACE)?);
        Some(Trace { trace_id: value.array()?, span_id: value.array()? })
    }

    /// Names the key of an encrypted payload.
    pub fn encryption_key_id(self) -> Option<[u8; 16]> {
        self.get(ENCRYPTION_KEY)?.try_into().ok()
    }

    /// The causing event when it lies in another partition.
    pub fn remote_cause(self) -> Option<Position> {
        let mut value = Bytes(self.get(REMOTE_CAUSE)?);
        Some(Position { partition: value.u16()?, seq: value.u64()? })
    }

    /// RFC 6962 root over the event hashes of all earlier events of the stream.
    pub fn stream_root(self) -> Option<Hash> {
        self.get(STREAM_ROOT)?.try_into().ok()
    }

    /// Where in the area the stream root's bytes begin.
    pub(crate) fn stream_root_offset(self) -> Option<usize> {
        let mut rest = Bytes(self.0);
        while let Some((kind, value)) = field(&mut rest) {
            if kind == STREAM_ROOT {
                return Some(self.0.len() - rest.0.len() - value.len());
            }
        }
        None
    }

    /// The same fields with this stream root; `None` when there is no room for it or a later type stands behind it.
    pub(crate) fn with_stream_root(self, root: &Hash) -> Option<ExtensionsBuf> {
        let mut bytes = match self.iter().last() {
            Some((STREAM_ROOT, value)) => self.0[..self.0.len() - value.len() - FIELD_HEAD_BYTES].to_vec(),
            Some((kind, _)) if kind > STREAM_ROOT => return None,
            _ => self.0.to_vec(),
        };
        bytes.push(STREAM_ROOT);
        bytes.extend_from_slice(&(root.len() as u16).to_le_bytes());
        bytes.extend_from_slice(root);
        (bytes.len() <= EXTENSION_BYTES_MAX).then_some(ExtensionsBuf(bytes))
    }
}

fn field<'a>(rest: &mut Bytes<'a>) -> Option<(u8, &'a [u8])> {
    let kind = rest.u8()?;
    let length = rest.u16()?;
    Some((kind, rest.take(usize::from(length))?))
}

fn is_value(kind: u8, value: &[u8]) -> bool {
    match kind {
        COMMAND_ID | ENCRYPTION_KEY => value.len() == 16,
        BUSINESS_KEY => value.len() <= BUSINESS_KEY_BYTES_MAX && std::str::from_utf8(value).is_ok(),
        ON_BEHALF_OF => value.len() == 4,
        TRACE => value.len() == 24,
        REMOTE_CAUSE => value.len() == 10,
        STREAM_ROOT => value.len() == 32,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_reads_back() -> Result<(), ExtensionError> {
        let fields = ExtensionFields {
            command_id: Some([1; 16]),
            business_key: Some("order 7"),
            on_behalf_of: Some(9),
            trace: Some(Trace { trace_id: [2; 16], span_id: [3; 8] }),
            encryption_key_id: Some([4; 16]),
            remote_cause: Some(Position { partition: 5, seq: 6 }),
            stream_root: Some([7; 32]),
        };
        let encoded = fields.encode()?;
        let read = Extensions::parse(encoded.as_ref().bytes())?;
        assert_eq!(read.command_id(), fields.command_id);
        assert_eq!(read.business_key(), fields.business_key);
        assert_eq!(read.on_behalf_of(), fields.on_behalf_of);
        assert_eq!(read.trace(), fields.trace);
        assert_eq!(read.encryption_key_id(), fields.encryption_key_id);
        assert_eq!(read.remote_cause(), fields.remote_cause);
        assert_eq!(read.stream_root(), fields.stream_root);
        assert_eq!(read.iter().count(), 7);
        Ok(())
    }

    #[test]
    fn keeps_unknown_types_and_refuses_what_the_format_does() {
        assert_eq!(Extensions::parse(&[200, 1, 0, 42]).map(|e| e.get(200)), Ok(Some(&[42][..])));
        assert_eq!(Extensions::parse(&[200, 0, 0, 200, 0, 0]), Err(ExtensionError::Order(200)));
        assert_eq!(Extensions::parse(&[200, 2, 0, 1]), Err(ExtensionError::Truncated));
        assert_eq!(Extensions::parse(&[3, 1, 0, 1]), Err(ExtensionError::Value(3)));
        assert_eq!(Extensions::parse(&[2, 1, 0, 0xff]), Err(ExtensionError::Value(2)));
        assert_eq!(Extensions::parse(&[0; EXTENSION_BYTES_MAX + 1]), Err(ExtensionError::TooLong));
        let long = "x".repeat(BUSINESS_KEY_BYTES_MAX + 1);
        let fields = ExtensionFields { business_key: Some(&long), ..Default::default() };
        assert_eq!(fields.encode(), Err(ExtensionError::Value(2)));
    }
}
