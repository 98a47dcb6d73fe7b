//! A log that proves what it holds: every event hashed, chained, in a tree whose head is signed.
//!
//! Writing: [`Genesis`], then [`Resume::open`] gives a [`Stage`] (takes events) and a [`Sealer`] (hashes and signs blocks);
//! an [`EventStore`] keeps the blocks; [`Pipeline`] runs the two on threads of their own.
//! Reading: [`fold`] re-hashes a partition and hands out its records, [`records()`] reads without hashing, [`write_archive`] and
//! [`ArchiveReader`] carry a log as one file, [`prove_event`] and its like make proofs that need no log. Payloads are opaque bytes here. `FORMAT.md` gives every byte.

mod archive;
mod archive_source;
mod batch;
mod block;
mod bytes;
mod checkpoint;
mod chunk;
mod chunk_cache;
mod ended;
mod entropy;
mod event_reader;
mod extension;
mod faulty;
mod fold_error;
mod frame;
mod genesis;
mod hash;
mod key_change;
mod key_file;
mod key_record;
mod keys;
pub mod limits;
mod memory;
mod pipeline;
mod proof;
mod reader;
mod record;
mod records;
mod resume;
mod saved;
mod seal;
mod sealer;
mod signer;
mod stage;
mod store;
mod stream_map;
mod stream_table;
mod stream_trees;
mod strict;
#[cfg(any(test, feature = "suite"))]
pub mod suite;
mod tail;
mod tally;
mod tree;
mod walk;

pub use archive::{ArchiveError, ArchiveFrame, ArchiveReader, ArchiveSummary, PartitionSummary, write_archive};
pub use archive_source::ArchiveSource;
pub use block::{
    BLOCK_RECORD_BYTES, BLOCK_RECORD_PAYLOAD_BYTES, BlockBody, BlockError, BlockRecord, StreamEntry,
    join_body_and_seal, split_body_and_seal,
};
pub use checkpoint::{CHECKPOINT_FIXED_BYTES, Checkpoint, CheckpointError};
pub use chunk::SharedRecord;
pub use ended::EndedStreams;
pub use event_reader::{EventReader, Events, StreamBack};
pub use extension::{ExtensionError, ExtensionFields, Extensions, ExtensionsBuf, Position, Trace};
pub use faulty::{Fault, FaultyStore};
pub use fold_error::{DecodeError, FoldError, Mismatch};
pub use frame::{Compressor, FRAME_HEADER_BYTES, Frame, FrameError, FrameHeader, FrameKey, FrameType};
pub use genesis::{Clock, Genesis, GenesisError};
pub use hash::{
    Hash, SALT_BYTES, block_hash, chain_hash, event_hash, frame_checksum, genesis_hash, head_checksum, leaf, page_hash,
    payload_hash, salt, salts, saved_hash,
};
pub use key_change::{Author, ChangeKeyError};
pub use key_record::{KeyRecordError, ROTATION_PAYLOAD_BYTES, Revocation, Rotation};
pub use keys::{KeyChangeError, Keys, key_digest};
pub use memory::MemoryStore;
pub use pipeline::{Finished, Lane, OnOutcome, Outcome, Pipeline, PipelineError, SubmitError};
pub use proof::{
    CasePaths, CheckpointTable, ProofError, ProofOptions, prove_case, prove_completeness, prove_consistency,
    prove_dossier, prove_event,
};
pub use reader::{FoldOptions, Folded, RecordView, SealCheck, fold, fold_from, stream_table};
pub use record::{
    APPLICATION_KIND_FIRST, BLOCK_KIND, BLOCK_STREAM, CHECKPOINT_KIND, CHECKPOINT_STREAM, Header, KEY_STREAM,
    MESSAGE_STREAM, REVOCATION_KIND, ROTATION_KIND, Record, RecordError, SYSTEM_STREAM, SYSTEM_STREAM_LAST,
    StoredRecord, records_in,
};
pub use records::{Records, records};
pub use resume::{Opening, Resume, ResumeError, StreamTip};
pub use saved::{
    EndedStream, Entries, LOG_SECTIONS, SavedContents, SavedError, SavedFile, SavedWriter, SectionInfo, SectionKind,
    ended_stream, read_log_state, saved_files, saved_folder, saved_path, write_log_state,
};
pub use seal::{Seal, SealError, SealSignature, SealText, VerifierKey, VerifierKeyError, key_id, key_name, sign_seal};
pub use sealer::{Sealer, SecretSource, SignedBlock};
pub use signer::{FileSigner, KeyError, SignError, Signer};
pub use stage::{Clocks, Draft, OpenBlock, PushError, Pushed, Stage, StageLimits};
pub use store::{CommitError, EventStore, FrameSource, Frames, Head, ReadError, SealedBlock};
pub use stream_table::{STREAM_LEAF_BYTES, StreamLeaf, StreamTable};
pub use stream_trees::StreamTrees;
pub use tail::write_tail;
pub use tree::{Frontier, leaf_hash, log_leaf_hash, node_hash, root_of};
