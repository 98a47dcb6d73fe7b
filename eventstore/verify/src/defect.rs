//! Everything that can be wrong, one variant each, with a stable code.

use crate::fault::FaultKind;

/// What is wrong. The variants before `Seq` mean *corrupt*, those from `Seq` on *tampered*.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// The bytes end before the thing does.
    #[error("the bytes end in the middle of it")]
    Truncated,
    /// A frame's checksum differs from its bytes.
    #[error("its checksum does not fit its bytes")]
    Checksum,
    /// The body does not decompress to its stated length.
    #[error("it does not decompress to its stated length")]
    Compression,
    /// The format's page does not allow this.
    #[error("not of format 1: {0}")]
    Layout(&'static str),
    /// A store's frame is damaged, as the store says.
    #[error("the store found damage")]
    SourceCorrupt,

    /// The event stands where another seq belongs: reordered, dropped, duplicated or spliced.
    #[error("seq {expected} belongs here, but {found} was found")]
    Seq {
        /// What continues the log.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// The event's version does not continue its stream.
    #[error("version {expected} of its stream belongs here, but {found} was found")]
    Version {
        /// What continues the stream.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// The event's `previous` is not the seq of its stream's event before it.
    #[error("it does not name its stream's event before it as previous")]
    Previous,
    /// The event is older than the one before it.
    #[error("its time lies before that of the event before it")]
    Time,
    /// The event belongs to a stream that has ended.
    #[error("its stream {stream} has ended before")]
    AfterTerminal {
        /// The stream.
        stream: u64,
    },
    /// The stream root of a terminal event is not the root over the stream's earlier events.
    #[error("its stream root does not fit the events of its stream {stream}")]
    StreamRoot {
        /// The stream.
        stream: u64,
    },
    /// The block's index says something else of a stream than the log before the block.
    #[error("the index of its block contradicts the log before it on stream {stream}")]
    StreamIndex {
        /// The stream.
        stream: u64,
    },
    /// The block's index names a stream without a record in the block, or lacks one that has.
    #[error("the stream index and the records disagree on whether stream {stream} occurs")]
    StreamIndexSet {
        /// The stream.
        stream: u64,
    },
    /// A block stands where another belongs: reordered, dropped, duplicated or spliced.
    #[error("block {expected} belongs here, but {found} was found")]
    BlockNumber {
        /// What continues the log.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// The body or block record contradicts the block's frames or records.
    #[error("its {0} contradicts its content")]
    Content(&'static str),
    /// The block is of another partition.
    #[error("it belongs to another partition")]
    Partition,
    /// The block record names another predecessor (for block 0: another genesis).
    #[error("it names another predecessor than the one before it")]
    PreviousHash,
    /// The writer epoch is below that of the block before.
    #[error("its writer epoch went back")]
    Epoch,
    /// One epoch has two boot ids, or two epochs have one.
    #[error("its boot id does not fit its writer epoch")]
    BootId,
    /// The frontier is not that of the tree before the block.
    #[error("its frontier is not that of the tree before it")]
    Frontier,
    /// The root differs from what the events hash to.
    #[error("its events do not hash to its root")]
    Root,
    /// The block record names another key than the one in force.
    #[error("its block record names another key than the one in force")]
    KeyId,
    /// A line of the seal's text says something else than the block.
    #[error("its {0} differs from what it seals")]
    SealText(&'static str),
    /// The seal has no valid signature by the key in force.
    #[error("it is not signed by the key in force")]
    Signature,
    /// A rotation's block is not signed by the new key too.
    #[error("it rotates the key, and the new key did not sign it on the second line")]
    Countersignature,
    /// A rotation names another old key than the one in force.
    #[error("it rotates another key than the one in force")]
    OldKey,
    /// A rotation follows, although the key before it was the last.
    #[error("it rotates the key, but no next key was committed before")]
    NoNextKey,
    /// A rotation's new key is not the one that was committed before.
    #[error("its new key is not the one whose digest was committed before")]
    NextKey,
    /// A rotation's new key was in force before.
    #[error("its new key was in force before")]
    NewKey,
    /// A revocation is of a key that cannot be revoked there.
    #[error("it revokes a key that {0}")]
    Revocation(&'static str),
    /// The newest seal is by a key that the reviewer knows to be revoked.
    #[error("it is the newest, and by a key that the trust file says is revoked")]
    RevokedKey,
    /// A checkpoint says something else of the log than the log before it.
    #[error("its checkpoint's {0} is not that of the log before it")]
    Checkpoint(&'static str),
    /// The seal that the reviewer kept says something else than the log.
    #[error("its {0} is not what the log says: the log does not continue that seal")]
    Since(&'static str),
    /// The log ends before the block whose seal the reviewer kept.
    #[error("the log has {blocks} blocks, but the seal is of block {kept}: blocks are missing")]
    SinceBehind {
        /// Blocks in the log.
        blocks: u64,
        /// Number of the block whose seal was kept.
        kept: u64,
    },
    /// The archive is a tail, and no seal was given to verify it against.
    #[error(
        "it begins after event {size} with a tail, which is verified only against the seal of that size: give the seal"
    )]
    TailWithoutSince {
        /// Size of the tree where the tail begins, on its own word.
        size: u64,
    },
    /// The archive is a tail that begins elsewhere than at the seal that was given.
    #[error(
        "it begins after event {size} with a tail, but the seal given is of size {kept}: give the seal of size {size}"
    )]
    TailSince {
        /// Size of the tree where the tail begins, on its own word.
        size: u64,
        /// Size of the seal that was given.
        kept: u64,
    },
    /// The log's key is not the pinned one.
    #[error("its key is not the pinned one")]
    PinnedKey,
    /// The log's origin is not the pinned one.
    #[error("its origin is not the pinned one")]
    PinnedOrigin,
    /// A store keeps a frame under a key that is not the frame's own.
    #[error("it is stored under another key than its own")]
    StoredKey,
    /// Blocks that the head acknowledges are missing.
    #[error("the log has {blocks} blocks, but block {acknowledged} was acknowledged: acknowledged blocks are missing")]
    HeadBehind {
        /// Blocks in the log.
        blocks: u64,
        /// Number of the newest acknowledged block.
        acknowledged: u64,
    },
    /// The head names another hash, size or seal for its block.
    #[error("its {0} differs from that of the block it names")]
    Head(&'static str),
    /// The end frame counts other blocks, events or frames than the archive has.
    #[error("it counts other {0} than the archive has")]
    EndCount(&'static str),
    /// An event's audit path does not lead from it to the sealed root.
    #[error("it is not in the sealed tree: its audit path does not lead to the sealed root")]
    Path,
    /// A consistency proof does not lead to the sealed roots.
    #[error("the newer tree does not continue the older one: the proof does not lead to their roots")]
    Consistency,
    /// A multi-proof does not lead to the root that the terminal event states.
    #[error("the chosen events do not hash to the stream root of the terminal event")]
    MultiProof,
    /// An entry is of another stream than the proof is about.
    #[error("stream {expected} belongs here, but {found} was found")]
    OtherStream {
        /// What the proof is about.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// Two seals of one log contradict each other.
    #[error("its {0} contradicts that of the older seal")]
    SealOrder(&'static str),
    /// The store says the log was tampered with.
    #[error("the store found the log tampered with")]
    SourceTampered,

    /// The source cannot be read now.
    #[error("it could not be read")]
    SourceUnavailable,
    /// There is no log.
    #[error("there is none")]
    SourceMissing,
}

impl Defect {
    /// What it means for whoever holds the log.
    pub fn kind(&self) -> FaultKind {
        match self {
            Defect::Truncated | Defect::Checksum | Defect::Compression | Defect::Layout(_) | Defect::SourceCorrupt => {
                FaultKind::Corrupt
            }
            Defect::SourceUnavailable => FaultKind::Unavailable,
            Defect::SourceMissing => FaultKind::NotFound,
            Defect::TailWithoutSince { .. } | Defect::TailSince { .. } => FaultKind::Unproven,
            _ => FaultKind::Tampered,
        }
    }

    /// A stable word for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Defect::Truncated => "truncated",
            Defect::Checksum => "checksum",
            Defect::Compression => "compression",
            Defect::Layout(_) => "layout",
            Defect::SourceCorrupt => "source-corrupt",
            Defect::Seq { .. } => "seq",
            Defect::Version { .. } => "version",
            Defect::Previous => "previous",
            Defect::Time => "time",
            Defect::AfterTerminal { .. } => "after-terminal",
            Defect::StreamRoot { .. } => "stream-root",
            Defect::StreamIndex { .. } => "stream-index",
            Defect::StreamIndexSet { .. } => "stream-index-set",
            Defect::BlockNumber { .. } => "block-number",
            Defect::Content(_) => "content",
            Defect::Partition => "partition",
            Defect::PreviousHash => "previous-hash",
            Defect::Epoch => "epoch",
            Defect::BootId => "boot-id",
            Defect::Frontier => "frontier",
            Defect::Root => "root",
            Defect::KeyId => "key-id",
            Defect::SealText(_) => "seal-text",
            Defect::Signature => "signature",
            Defect::Countersignature => "countersignature",
            Defect::OldKey => "old-key",
            Defect::NoNextKey => "no-next-key",
            Defect::NextKey => "next-key",
            Defect::NewKey => "new-key",
            Defect::Revocation(_) => "revocation",
            Defect::RevokedKey => "revoked-key",
            Defect::Checkpoint(_) => "checkpoint",
            Defect::Since(_) => "since",
            Defect::SinceBehind { .. } => "since-behind",
            Defect::TailWithoutSince { .. } => "tail-without-since",
            Defect::TailSince { .. } => "tail-since",
            Defect::PinnedKey => "pinned-key",
            Defect::PinnedOrigin => "pinned-origin",
            Defect::StoredKey => "stored-key",
            Defect::HeadBehind { .. } => "head-behind",
            Defect::Head(_) => "head",
            Defect::EndCount(_) => "end-count",
            Defect::Path => "path",
            Defect::Consistency => "consistency",
            Defect::MultiProof => "multi-proof",
            Defect::OtherStream { .. } => "stream",
            Defect::SealOrder(_) => "seal-order",
            Defect::SourceTampered => "source-tampered",
            Defect::SourceUnavailable => "unavailable",
            Defect::SourceMissing => "missing",
        }
    }
}
