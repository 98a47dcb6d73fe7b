//! The hashes that writer and reader compute in batches are those that FORMAT.md section 3 defines, one event at a time.

mod fixture;

use std::collections::HashMap;

use actum_log::{
    BlockBody, Clocks, Draft, EventStore, ExtensionFields, FrameKey, FrameSource, FrameType, Hash, MemoryStore, Resume,
    block_hash, chain_hash, event_hash, leaf, payload_hash, records_in, root_of, salt, split_body_and_seal,
};
use fixture::{Test, check, draft, genesis, open, signer};

/// Streams that begin, continue, end and repeat within one group of 16, in groups that are full and not.
fn many_streams() -> Result<MemoryStore, Box<dyn std::error::Error>> {
    let mut store = MemoryStore::new(genesis().to_string());
    let (mut stage, mut sealer) = open(Resume::at_genesis(&genesis(), 0));
    for block in 0..6_u64 {
        for event in 0..70 + block {
            let stream = 1 + (event * 5 + block * 11) % if block == 3 { 7 } else { 61 };
            let payload = vec![event as u8; (event * (block + 1) * 3) as usize];
            let command_id = (event % 3 == 0).then_some([event as u8; 16]);
            let extensions = ExtensionFields { command_id, ..Default::default() }.encode()?;
            let terminal = event % 17 == block;
            if !stage.has_ended(stream) {
                stage.push(&Draft { terminal, extensions: extensions.as_ref(), ..draft(stream, &payload) })?;
            }
        }
        let open = stage.close(Clocks::default()).ok_or("nothing was pushed")?;
        store.commit(&[sealer.seal(open, &signer())?])?;
    }
    Ok(store)
}

#[test]
fn roots_and_indexes_follow_from_the_definition() -> Test {
    let store = many_streams()?;
    let (mut chains, mut leaves) = (HashMap::<u64, Hash>::new(), Vec::new());
    let (mut records, mut previous_hash, mut checked) = (Vec::new(), genesis().hash(), 0);
    for frame in store.frames(FrameKey::first(0))? {
        let frame = frame?;
        if frame.key.kind == FrameType::Chunk {
            frame.decode_into(&mut records)?;
            continue;
        }
        let (_, raw) = frame.decode()?;
        let (body_bytes, _) = split_body_and_seal(&raw)?;
        let body = BlockBody::decode(body_bytes)?;
        assert_eq!(records[64..96], previous_hash, "the block record binds the block before");
        for entry in &body.streams {
            assert_eq!(entry.chain, chains.get(&entry.stream).copied().unwrap_or_default());
        }
        for (index, record) in (0..).zip(records_in(&records)) {
            let record = record?;
            let payload = payload_hash(&salt(&body.secret, index), record.payload());
            let event = event_hash(record.head_bytes(), &payload);
            let chain = chains.entry(record.header().stream).or_default();
            *chain = chain_hash(chain, &event);
            leaves.push(leaf(chain, record.header().seq, record.header().version));
        }
        assert_eq!(body.root, root_of(&leaves));
        previous_hash = block_hash(body_bytes);
        checked += 1;
        records.clear();
    }
    assert_eq!(checked, 6);
    let resume = check(&store, 0)?.resume.ok_or("incomplete")?;
    assert!(resume.streams.len() > 16 && resume.ended.len() > 16, "enough of both kinds");
    for tip in &resume.streams {
        assert_eq!(chains.get(&tip.stream), Some(&tip.chain));
    }
    Ok(())
}
