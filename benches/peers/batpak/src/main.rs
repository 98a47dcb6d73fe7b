//! `peer-batpak DIRECTORY EVENTS STREAMS`: appends events with 64 bytes of payload over interleaved streams, in the largest batches that
//! batpak takes, each synced, and prints events per second.

use std::path::PathBuf;
use std::time::Instant;

use batpak::prelude::{AppendOptions, Coordinate, EventKind};
use batpak::store::{BatchAppendItem, CausationRef, Store, StoreConfig, SyncMode};

const BATCH: u64 = 4_096;
const PAYLOAD_BYTES: usize = 64;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().expect("DIRECTORY EVENTS STREAMS");
    let directory = PathBuf::from(next());
    let events: u64 = next().parse().expect("a number of events");
    let streams: u64 = next().parse().expect("a number of streams");
    println!("{:.0}", append(directory, events / BATCH, streams));
}

fn append(directory: PathBuf, batches: u64, streams: u64) -> f64 {
    let config = StoreConfig::new(directory)
        .with_sync_every_n_events(1)
        .with_sync_mode(SyncMode::SyncData)
        .with_batch_max_size(BATCH as u32);
    let store = Store::open(config).expect("a store");
    let coordinates: Vec<Coordinate> = (0..streams)
        .map(|stream| Coordinate::new(format!("case:{stream}"), "bench:scope").expect("a coordinate"))
        .collect();
    let kind = EventKind::custom(0xF, 1);
    let begin = Instant::now();
    for batch in 0..batches {
        let items = (batch * BATCH..(batch + 1) * BATCH).map(|index| {
            let coordinate = coordinates[(index % streams) as usize].clone();
            let payload = serde_bytes::ByteBuf::from(payload(index));
            BatchAppendItem::new(coordinate, kind, &payload, AppendOptions::default(), CausationRef::None)
                .expect("an item")
        });
        store.append_batch(items.collect()).expect("a commit");
    }
    let seconds = begin.elapsed().as_secs_f64();
    store.close().expect("the store closes");
    (batches * BATCH) as f64 / seconds
}

/// As the benches of the log have it.
fn payload(index: u64) -> [u8; PAYLOAD_BYTES] {
    let mut bytes = [0x20; PAYLOAD_BYTES];
    let mixed = index.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (index >> 7);
    bytes[..8].copy_from_slice(&index.to_le_bytes());
    bytes[8..16].copy_from_slice(&mixed.to_le_bytes());
    bytes[16..24].copy_from_slice(&mixed.rotate_left(23).to_le_bytes());
    bytes
}
