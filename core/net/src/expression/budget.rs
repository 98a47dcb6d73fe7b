//! The cost limit of one evaluation.

use std::cell::Cell;

use actum_model::Value;

use super::fault::Fault;

/// Bytes that cost as much as visiting one node.
const BYTES_PER_STEP: usize = 16;

/// Steps that are left.
#[derive(Debug)]
pub(crate) struct Budget(Cell<u32>);

impl Budget {
    pub(crate) fn new(steps: u32) -> Self {
        Self(Cell::new(steps))
    }

    pub(crate) fn left(&self) -> u32 {
        self.0.get()
    }

    /// Pays for visiting a node, or for one element.
    #[inline]
    pub(super) fn step(&self) -> Result<(), Fault> {
        self.spend(1)
    }

    #[inline]
    fn spend(&self, steps: usize) -> Result<(), Fault> {
        let left = self.0.get();
        if let Some(left) = u32::try_from(steps).ok().and_then(|steps| left.checked_sub(steps)) {
            self.0.set(left);
            return Ok(());
        }
        // Nothing after this can succeed, so `costly || true` is an error too.
        self.0.set(0);
        Err(Fault::TooCostly)
    }

    /// Pays for producing or comparing so many bytes.
    pub(super) fn bytes(&self, bytes: usize) -> Result<(), Fault> {
        self.spend(bytes / BYTES_PER_STEP)
    }

    /// Pays for copying, or walking, a value.
    pub(super) fn value(&self, value: &Value) -> Result<(), Fault> {
        self.step()?;
        match value {
            Value::String(text) => self.bytes(text.len()),
            Value::Bytes(bytes) => self.bytes(bytes.len()),
            Value::List(items) => items.iter().try_for_each(|item| self.value(item)),
            Value::Map(entries) => entries.iter().try_for_each(|(key, value)| {
                self.bytes(key.len())?;
                self.value(value)
            }),
            _ => Ok(()),
        }
    }
}
