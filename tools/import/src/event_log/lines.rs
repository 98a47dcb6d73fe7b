//! Bytes with the number of the line that they are in, and a limit on how many one token may have.

use std::io::{self, BufRead, Read};

use super::TOKEN_BYTES_MAX;

pub(super) struct Lines<R> {
    inner: R,
    /// The line of the next byte, from 1.
    pub(super) line: u64,
    /// Bytes since the last token ended.
    token: usize,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(inner: R) -> Self {
        Lines { inner, line: 1, token: 0 }
    }

    /// A new token begins.
    pub(super) fn begin_token(&mut self) {
        self.token = 0;
    }
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Lines<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.token > TOKEN_BYTES_MAX {
            let message = format!("a single tag or text has more than {TOKEN_BYTES_MAX} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let room = TOKEN_BYTES_MAX + 1 - self.token;
        let bytes = self.inner.fill_buf()?;
        Ok(&bytes[..bytes.len().min(room)])
    }

    fn consume(&mut self, count: usize) {
        if let Ok(bytes) = self.inner.fill_buf() {
            let newlines = bytes.iter().take(count).filter(|byte| **byte == b'\n').count();
            self.line += newlines as u64;
        }
        self.token += count;
        self.inner.consume(count);
    }
}
