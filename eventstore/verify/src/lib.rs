//! Judges whether a log is what it claims to be, from its bytes and `eventstore/log/FORMAT.md` alone.
//!
//! Shares no code path with appending: of `actum-log` it uses the types of the seam (`Frame`, `FrameSource`, `Head`) only.
//! Uses nothing of the operating system, so that it can run in a browser.
//!
//! ```text
//! verify_source, verify_archive        one call, one thread
//!   open_source / open_archive         genesis against Trust -> Context
//!   source_blocks / ArchiveBlocks      frames -> BlockInput, in order
//!   digest_block                       BlockInput -> BlockDigest; pure, the costly part: any order, any thread
//!   Linker::link, Linker::finish       BlockDigest in order -> Verdict; cheap
//! ```
//!
//! [`verify_proof`] judges a proof file (section 10 of the page) without any log.
//!
//! To use several cores, hand the inputs to threads and link their digests in the order of the inputs:
//!
//! ```
//! use actum_verify::{ArchiveBlocks, Context, Fault, Linker, Verdict, digest_block};
//!
//! fn verify_in_batches(context: &Context, mut blocks: ArchiveBlocks<&[u8]>, threads: usize) -> Result<Verdict, Fault> {
//!     let mut linker = Linker::new(context);
//!     loop {
//!         let batch: Vec<_> = blocks.by_ref().take(threads).collect();
//!         if batch.is_empty() {
//!             return linker.finish();
//!         }
//!         let digests = std::thread::scope(|scope| {
//!             let digest = |input| scope.spawn(move || digest_block(&input?, context));
//!             let threads: Vec<_> = batch.into_iter().map(digest).collect();
//!             threads.into_iter().map(|thread| thread.join().expect("digesting never panics")).collect::<Vec<_>>()
//!         });
//!         for digest in digests {
//!             linker.link(&digest?)?;
//!         }
//!     }
//! }
//! ```

mod anchor;
mod archive;
mod body;
mod bytes;
mod checkpoint;
mod context;
mod defect;
mod digest;
mod event_hash;
mod fault;
mod frame;
mod genesis;
mod hash;
mod input;
mod keys;
mod lanes;
mod limits;
mod link;
mod pending;
mod proof;
mod record;
mod records;
mod seal;
mod since;
mod source;
mod streams;
mod tree;
mod trust;
mod trust_file;
mod verdict;
mod witness;

pub use anchor::{Anchor, Anchors, Requirement, UnmetRequirement};
pub use archive::{ArchiveBlocks, open_archive, verify_archive};
pub use context::Context;
pub use defect::Defect;
pub use digest::{BlockDigest, digest_block};
pub use fault::{Fault, FaultKind, Part, Place};
pub use genesis::{Clock, Genesis};
pub use input::BlockInput;
pub use link::Linker;
pub use proof::{ProofVerdict, Proven, ProvenEvent, verify_proof};
pub use since::SinceError;
pub use source::{Progress, SourceBlocks, open_source, source_blocks, source_linker, verify_source};
pub use trust::{Trust, VerifierKeyError};
pub use trust_file::TrustFileError;
pub use verdict::{KeySpan, PartitionVerdict, Verdict};
