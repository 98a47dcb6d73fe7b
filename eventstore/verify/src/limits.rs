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

/// Keys that a partition can have had: a proof's rotations.
pub(crate) const PROOF_ROTATIONS_MAX: u32 = 1_024;
/// Body of a proof frame, in tails.
pub(crate) const PROOF_FRAME_BYTES_MAX: usize = 1 << 20;
/// A trust file is a short text that people read.
pub(crate) const TRUST_FILE_BYTES_MAX: usize = 64 << 10;

pub(crate) const NONE: u64 = u64::MAX;
pub(crate) const BLOCK_KIND: u16 = 1;
pub(crate) const ROTATION_KIND: u16 = 2;
pub(crate) const REVOCATION_KIND: u16 = 3;
pub(crate) const CHECKPOINT_KIND: u16 = 4;
pub(crate) const BLOCK_STREAM: u64 = 1 << 63;
pub(crate) const KEYS_STREAM: u64 = BLOCK_STREAM + 2;
pub(crate) const CHECKPOINTS_STREAM: u64 = BLOCK_STREAM + 7;
pub(crate) const ROTATION_BYTES: usize = 96;
pub(crate) const REVOCATION_REASON_BYTES_MAX: usize = 1_024;
/// Size, number of streams and root, before the application's bytes.
pub(crate) const CHECKPOINT_FIXED_BYTES: usize = 48;
pub(crate) const CHECKPOINT_EXTRA_BYTES_MAX: usize = 4_096;
pub(crate) const BLOCK_PAYLOAD_BYTES: usize = 96;
/// Signature lines of a seal, as in other readers of signed notes.
pub(crate) const SEAL_SIGNATURES_MAX: usize = 100;
/// Event hashes that wait for a stream root, of all partitions together. Not the format's: more only saves time.
pub(crate) const PENDING_BYTES_MAX: usize = 64 << 20;
