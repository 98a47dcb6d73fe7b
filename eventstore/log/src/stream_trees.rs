//! Gives terminal events the root over their stream's events (FORMAT.md section 2, extension 7).

use crate::hash::{Hash, SALT_BYTES, event_hash, payload_hash};
use crate::limits::HEADER_BYTES;
use crate::record::{BLOCK_STREAM, Header, Record};
use crate::stream_map::StreamMap;
use crate::tree::{Frontier, leaf_hash};

/// The tree over the event hashes of each stream that has not ended, the block stream left out: it never ends.
///
/// Costs two SHA-256 hashes for each event and, for each open stream, 32 bytes for each one bit of its version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamTrees(StreamMap<Frontier>);

/// A root that belongs into the bytes of a terminal record, at this offset.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RootPatch {
    pub(crate) offset: usize,
    pub(crate) root: Hash,
}

impl StreamTrees {
    /// The roots of the perfect subtrees of a stream's tree, largest first; none for one that has none.
    pub(crate) fn roots_of(&self, stream: u64) -> &[Hash] {
        self.0.get(stream).map_or(&[], Frontier::roots)
    }

    pub(crate) fn insert(&mut self, stream: u64, tree: Frontier) {
        self.0.insert(stream, tree);
    }

    pub(crate) fn remove(&mut self, stream: u64) {
        self.0.remove(stream);
    }

    /// These trees grown by the event hashes that each stream got since.
    pub(crate) fn grown<'a>(mut self, streams: impl IntoIterator<Item = (u64, &'a [Hash])>) -> Self {
        for (stream, events) in streams {
            let tree = self.0.get_or_insert_with(stream, Frontier::default);
            events.iter().for_each(|event| tree.push(leaf_hash(event)));
        }
        self
    }

    /// Takes an event in. An event that ends its stream gives the root over those before it.
    fn take(&mut self, header: &Header, event: &Hash) -> Option<Hash> {
        if header.terminal {
            return Some(self.0.remove(header.stream).unwrap_or_default().root());
        }
        if header.stream != BLOCK_STREAM {
            self.0.get_or_insert_with(header.stream, Frontier::default).push(leaf_hash(event));
        }
        None
    }

    /// Takes in records that begin at `offset` in their block, corrects the event hashes of those that end a stream and have
    /// room for its root, and notes where the roots go.
    pub(crate) fn extend(
        &mut self,
        records: &[Record<'_>],
        salts: &[u8],
        mut offset: usize,
        events: &mut [Hash],
        patches: &mut Vec<RootPatch>,
    ) {
        for ((record, salt), event) in records.iter().zip(salts.chunks(SALT_BYTES)).zip(events) {
            let room = record.header().terminal.then(|| record.extensions().stream_root_offset()).flatten();
            let root = self.take(record.header(), event);
            if let (Some(root), Some(at)) = (root, room) {
                let at = HEADER_BYTES + at;
                let mut head = record.head_bytes().to_vec();
                head[at..at + 32].copy_from_slice(&root);
                *event = event_hash(&head, &payload_hash(salt, record.payload()));
                patches.push(RootPatch { offset: offset + at, root });
            }
            offset += record.bytes().len();
        }
    }
}
