//! The few spellings that saved state is made of.
//!
//! | what | bytes |
//! |---|---|
//! | number | LEB128: seven bits a byte, lowest first, top bit set on all but the last; shortest form only |
//! | flag | one byte, 0 or 1 |
//! | bytes, text | length as number, then the bytes (text: UTF-8) |
//! | value | length as number, then deterministic CBOR (`cbor`) |
//! | list | count as number, then the elements |
//! | option | a flag, then what is there |

use super::SnapshotError;
use crate::{Value, cbor};

/// Longest number: 64 bits in groups of seven.
const NUMBER_BYTES_MAX: usize = 10;

/// Appends a number.
pub fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends bytes with their length.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a text with its length.
pub fn put_text(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, text.as_bytes());
}

/// Appends a value with its length.
pub fn put_value(out: &mut Vec<u8>, value: &Value) {
    let at = out.len();
    cbor::encode(value, out);
    let length = out.len() - at;
    let mut head = Vec::with_capacity(NUMBER_BYTES_MAX);
    put(&mut head, length as u64);
    out.splice(at..at, head);
}

/// Appends a list: its count, then each element.
pub fn put_list<T>(out: &mut Vec<u8>, items: &[T], mut each: impl FnMut(&mut Vec<u8>, &T)) {
    put(out, items.len() as u64);
    items.iter().for_each(|item| each(out, item));
}

/// Appends what may be missing.
pub fn put_option<T>(out: &mut Vec<u8>, item: Option<&T>, each: impl FnOnce(&mut Vec<u8>, &T)) {
    out.push(u8::from(item.is_some()));
    if let Some(item) = item {
        each(out, item);
    }
}

/// Reads saved state from its beginning to its end. Reserves no memory that the bytes do not pay for.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// Bytes that are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// So many bytes.
    ///
    /// # Errors
    /// Fewer are left.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], SnapshotError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(SnapshotError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// One byte.
    ///
    /// # Errors
    /// None is left.
    pub fn byte(&mut self) -> Result<u8, SnapshotError> {
        let (first, rest) = self.rest.split_first().ok_or(SnapshotError::Truncated)?;
        self.rest = rest;
        Ok(*first)
    }

    /// An array.
    ///
    /// # Errors
    /// Fewer bytes are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(SnapshotError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// A number.
    ///
    /// # Errors
    /// It is cut off, too large, or not in its shortest form.
    pub fn number(&mut self) -> Result<u64, SnapshotError> {
        let mut number = 0;
        for index in 0..NUMBER_BYTES_MAX {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                let fits = byte <= 1 || index + 1 < NUMBER_BYTES_MAX;
                let shortest = byte != 0 || index == 0;
                return if fits && shortest { Ok(number) } else { Err(SnapshotError::NotCanonical("a number")) };
            }
        }
        Err(SnapshotError::NotCanonical("a number"))
    }

    /// A number that fits a smaller type.
    ///
    /// # Errors
    /// As [`Reader::number`]; or it does not fit.
    pub fn small<T: TryFrom<u64>>(&mut self) -> Result<T, SnapshotError> {
        T::try_from(self.number()?).map_err(|_| SnapshotError::NotCanonical("a number is too large"))
    }

    /// A flag.
    ///
    /// # Errors
    /// It is cut off, or neither 0 nor 1.
    pub fn flag(&mut self) -> Result<bool, SnapshotError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(SnapshotError::NotCanonical("a flag")),
        }
    }

    /// Bytes with their length.
    ///
    /// # Errors
    /// They are cut off.
    pub fn bytes(&mut self) -> Result<&'a [u8], SnapshotError> {
        let length = self.number()?;
        self.take(usize::try_from(length).map_err(|_| SnapshotError::Truncated)?)
    }

    /// A text.
    ///
    /// # Errors
    /// It is cut off, or not UTF-8.
    pub fn text(&mut self) -> Result<&'a str, SnapshotError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| SnapshotError::NotCanonical("a text"))
    }

    /// A value.
    ///
    /// # Errors
    /// It is cut off, or none.
    pub fn value(&mut self) -> Result<Value, SnapshotError> {
        Ok(cbor::decode(self.bytes()?)?)
    }

    /// A list. Each element must take a byte at least.
    ///
    /// # Errors
    /// The first of an element; or there cannot be so many.
    pub fn list<T>(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<T, SnapshotError>,
    ) -> Result<Vec<T>, SnapshotError> {
        let count = self.number()?;
        if count > self.rest.len() as u64 {
            return Err(SnapshotError::Truncated);
        }
        (0..count).map(|_| each(self)).collect()
    }

    /// What may be missing.
    ///
    /// # Errors
    /// Those of `each`.
    pub fn option<T>(
        &mut self,
        each: impl FnOnce(&mut Self) -> Result<T, SnapshotError>,
    ) -> Result<Option<T>, SnapshotError> {
        if self.flag()? { each(self).map(Some) } else { Ok(None) }
    }

    /// The version that a form begins with.
    ///
    /// # Errors
    /// It is another.
    pub fn version(&mut self, expected: u64) -> Result<(), SnapshotError> {
        let found = self.number()?;
        if found == expected { Ok(()) } else { Err(SnapshotError::Version { found, expected }) }
    }

    /// Nothing may follow.
    ///
    /// # Errors
    /// Something does.
    pub fn end(&self) -> Result<(), SnapshotError> {
        if self.rest.is_empty() { Ok(()) } else { Err(SnapshotError::Trailing) }
    }
}

/// Refuses a list that is not strictly ascending by `key`.
///
/// # Errors
/// It is not; `what` says which list.
pub fn ascending<T, K: Ord>(items: &[T], key: impl Fn(&T) -> K, what: &'static str) -> Result<(), SnapshotError> {
    let ordered = items.windows(2).all(|pair| key(&pair[0]) < key(&pair[1]));
    if ordered { Ok(()) } else { Err(SnapshotError::NotCanonical(what)) }
}
