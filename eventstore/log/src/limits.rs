//! Every limit of the format and of this crate, with its reason.

/// Bytes of a record's fixed header.
pub const HEADER_BYTES: usize = 64;

/// Longest payload one may append. Larger things belong into a blob store, with their hash in the event.
pub const PAYLOAD_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Longest record: the longest payload and 64 KiB of room around it. A reader holds one in memory.
pub const RECORD_BYTES_MAX: usize = PAYLOAD_BYTES_MAX + 64 * 1024;

/// Longest extension area: it is hashed with the header, and never withheld, so it stays small.
pub const EXTENSION_BYTES_MAX: usize = 4_096;

/// Longest business key: it is an index key.
pub const BUSINESS_KEY_BYTES_MAX: usize = 512;

/// Most records in a block: bounds the stream index, and the work lost when a block is refused.
pub const BLOCK_RECORDS_MAX: usize = 65_536;

/// Most bytes of records in a block: a reader must hold a block before it can believe it.
pub const BLOCK_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Raw bytes at which a chunk ends: small enough that reaching one event costs microseconds.
pub const CHUNK_BYTES_TARGET: usize = 16 * 1024;

/// Longest chunk, decoded: one record of the longest kind.
pub const CHUNK_RAW_BYTES_MAX: usize = RECORD_BYTES_MAX;

/// Longest body of a block frame, decoded: the largest stream index and seal fit several times.
pub const BLOCK_RAW_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Longest genesis text.
pub const GENESIS_BYTES_MAX: usize = 64 * 1024;

/// Longest origin: a key name must fit on a line that people read.
pub const ORIGIN_BYTES_MAX: usize = 200;

/// Most partitions of a log: the end frame lists them all.
pub const PARTITIONS_MAX: u16 = 1_024;

/// Longest body of an end frame: one entry for each partition and the frame count.
pub const END_RAW_BYTES_MAX: usize = PARTITIONS_MAX as usize * 24 + 8;

/// Longest proof that comes with a tail: it carries the genesis, two seals and all rotations.
pub const TAIL_PROOF_BYTES_MAX: usize = 1024 * 1024;

/// Longest seal that is written: it must fit into a slot of the head file.
pub const SEAL_BYTES_MAX: usize = 3_072;

/// Longest seal that is read: witnesses may have added signatures to an archive since.
pub const SEAL_READ_BYTES_MAX: usize = 64 * 1024;

/// Most signature lines of a seal that is read, as in Go's `sumdb/note`.
pub const SEAL_SIGNATURES_MAX: usize = 100;

/// Longest key file: a PKCS#8 PEM of Ed25519 has about 120 bytes.
pub const KEY_FILE_BYTES_MAX: u64 = 4_096;

/// Records at which an open block counts as full, unless told otherwise: the seal's signature then costs a few nanoseconds per event.
pub const STAGE_RECORDS: usize = 8_192;

/// Bytes at which an open block counts as full, unless told otherwise: hashing it takes a few milliseconds.
pub const STAGE_BYTES: usize = 4 * 1024 * 1024;

/// Open blocks that wait for the sealing thread: enough to keep it busy, few enough to bound what a crash loses.
pub const SEAL_QUEUE_BLOCKS: usize = 4;

/// Signed blocks that wait for the committing thread.
pub const PACK_QUEUE_BLOCKS: usize = 4;

/// Packed blocks that may wait for a commit.
pub const COMMIT_QUEUE_BLOCKS: usize = 8;

/// Most blocks in one commit: bounds the latency of the first of them.
pub const COMMIT_GROUP_BLOCKS: usize = 8;

/// Most rotations of a partition: every proof carries them all.
pub const ROTATIONS_MAX: usize = 1_024;

/// Longest reason of a revocation: a sentence or two for people.
pub const REASON_BYTES_MAX: usize = 1_024;

/// Most bytes that an application adds to a checkpoint: hashes of what it saved elsewhere, not the thing itself.
pub const CHECKPOINT_APPLICATION_BYTES_MAX: usize = 4_096;

/// Longest proof file: whoever checks it holds all of it in memory.
pub const PROOF_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Most events that a dossier shows besides the terminal one: checking its multi-proof takes time quadratic in them.
pub const DOSSIER_EVENTS_MAX: usize = 4_096;
