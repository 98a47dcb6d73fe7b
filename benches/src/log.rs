//! Logs of synthetic events, as large as a bench needs.

use std::sync::Arc;

use actum_log::{
    Clocks, Draft, EventStore, Extensions, FileSigner, Genesis, Opening, Outcome, Pipeline, Resume, Signer, Stage,
};

/// Bytes of a payload.
pub const PAYLOAD_BYTES: usize = 64;

/// Events of a block, without the block record.
pub const BLOCK_EVENTS: u64 = 8_191;

/// A payload as an application has it: a few changing fields, the rest alike.
#[must_use]
pub fn payload(index: u64) -> [u8; PAYLOAD_BYTES] {
    let mut bytes = [0x20; PAYLOAD_BYTES];
    // A full-period mix, so that the changing fields do not compress.
    let mixed = index.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (index >> 7);
    bytes[..8].copy_from_slice(&index.to_le_bytes());
    bytes[8..16].copy_from_slice(&mixed.to_le_bytes());
    bytes[16..24].copy_from_slice(&mixed.rotate_left(23).to_le_bytes());
    bytes
}

/// Who signs a bench's log, and its genesis.
///
/// # Panics
/// Without entropy.
#[must_use]
pub fn identity() -> (Arc<dyn Signer>, Genesis) {
    let signer: Arc<dyn Signer> = Arc::new(FileSigner::generate().expect("a key"));
    let genesis = Genesis::new([9; 16], "actum.local/bench", 0, signer.public_key()).expect("a genesis");
    (signer, genesis)
}

/// Stages the event of an index.
///
/// # Panics
/// When the open block has no room.
pub fn push(stage: &mut Stage, stream: u64, index: u64) {
    let draft = Draft {
        stream,
        kind: 600,
        schema: 1,
        terminal: false,
        actor: 0,
        cause: None,
        time: index,
        extensions: Extensions::EMPTY,
        payload: &payload(index),
    };
    stage.push(&draft).expect("room in the block");
}

/// Appends `events` events, each with the stream that `stream` gives for its index, through the log's own pipeline; returns the store when
/// all are durable. `on_block` hears of each block when it is handed over and when it is durable.
///
/// # Panics
/// When the log refuses.
pub fn append(
    store: Box<dyn EventStore>,
    (signer, genesis): &(Arc<dyn Signer>, Genesis),
    events: u64,
    stream: impl Fn(u64) -> u64,
    mut on_block: impl FnMut(Step) + Send + Clone + 'static,
) -> Box<dyn EventStore> {
    let opening = Opening::new().expect("entropy");
    let (mut stage, sealer) = Resume::at_genesis(genesis, 0).open(genesis, opening).expect("an empty log opens");
    let mut on_durable = on_block.clone();
    let pipeline = Pipeline::spawn(sealer, signer.clone(), store, move |outcome| match outcome {
        Outcome::Durable(block) => on_durable(Step::Durable(block.size)),
        Outcome::Failed { error, .. } => panic!("{error}"),
    })
    .expect("threads");
    for index in 0..events {
        push(&mut stage, stream(index), index);
        if (index + 1) % BLOCK_EVENTS == 0 || index + 1 == events {
            let block = stage.close(Clocks::default()).expect("an open block");
            on_block(Step::Submitted(block.size()));
            pipeline.submit(block).expect("the log accepts");
        }
    }
    let finished = pipeline.finish();
    assert!(finished.error.is_none(), "the pipeline failed");
    finished.store.expect("the store comes back")
}

/// What happened to a block, by the tree size after it.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// It was handed to the pipeline.
    Submitted(u64),
    /// It survives power loss.
    Durable(u64),
}
