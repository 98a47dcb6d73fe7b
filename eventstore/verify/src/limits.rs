//! The format's limits (FORMAT.md). Each is checked before memory is taken.

pub(crate) const FRAME_HEADER_BYTES: usize = 40;
pub(crate) const RECORD_HEADER_BYTES: usize = 64;
pub(crate) const RECORD_BYTES_MAX: usize = 8_454_144;
pub(crate) const EXTENSION_BYTES_MAX: usize = 4_096;
pub(crate) const BUSINESS_KEY_BYTES_MAX: usize = 512;
pub(crate) const BLOCK_RECORDS_MAX: u32 = 65_536;
pub(crate) const BLOCK_RECORD_BYTES_MAX: u64 = 64 << 20;
pub(crate) const BLOCK_FRAME_BYTES_MAX: usize = 16 << 20;
pub(crate) const GENESIS_BYTES_MAX: usize = 64 << 10;
pub(crate) const PARTITIONS_MAX: u16 = 1_024;
pub(crate) const END_BYTES_MAX: usize = 24 * PARTITIONS_MAX as usize + 8;
pub(crate) const ORIGIN_BYTES_MAX: usize = 200;
/// As the page says of a seal that is read: room for many witnesses.
pub(crate) const SEAL_BYTES_MAX: usize = 64 << 10;

pub(crate) const PROOF_BYTES_MAX: usize = 256 << 20;
/// Checking a multi-proof takes time quadratic in its events.
pub(crate) const DOSSIER_EVENTS_MAX: u32 = 4_096;

pub(crate) const NONE: u64 = u64::MAX;
pub(crate) const BLOCK_KIND: u16 = 1;
pub(crate) const BLOCK_STREAM: u64 = 1 << 63;
pub(crate) const BLOCK_PAYLOAD_BYTES: usize = 96;
/// Signature lines of a seal, as in other readers of signed notes.
pub(crate) const SEAL_SIGNATURES_MAX: usize = 100;
