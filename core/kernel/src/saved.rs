//! Names and forms of the parts of a partition's state as checkpoints save it (FORMAT.md section 14): who writes them and who
//! reads them agree here.
//!
//! | section | kind | what |
//! |---|---|---|
//! | `cases` | table, by case | each case that has not ended, [`encode_case`](actum_model::snapshot::encode_case) |
//! | `directory` | plain | [`encode_directory`](actum_model::snapshot::encode_directory) |
//! | `nets` | plain | every net that was deployed, [`encode_nets`] |
//! | `standing` | plain | how people stand, [`Standing::encode`](crate::resource::Standing::encode) |
//! | `projection/<name>` | plain | a projection's snapshot; the section's version is the projection's |

use std::sync::Arc;

use actum_model::snapshot::wire::{Reader, put, put_bytes};
use actum_model::snapshot::{CASE_SNAPSHOT_VERSION, DIRECTORY_SNAPSHOT_VERSION, SnapshotError};
use actum_net::Net;

use crate::resource::STANDING_SNAPSHOT_VERSION;

/// A section's name and version.
pub type Section = (&'static str, u32);

/// Cases that have not ended, by number.
pub const CASES: Section = ("cases", CASE_SNAPSHOT_VERSION as u32);
/// The directory.
pub const DIRECTORY: Section = ("directory", DIRECTORY_SNAPSHOT_VERSION as u32);
/// The nets.
pub const NETS: Section = ("nets", 1);
/// How people stand.
pub const STANDING: Section = ("standing", STANDING_SNAPSHOT_VERSION as u32);
/// What names of projections' sections begin with.
pub const PROJECTION_PREFIX: &str = "projection/";

/// Nets as bytes, in the order given: by ascending hash, so that the same nets give the same bytes.
#[must_use]
pub fn encode_nets(nets: &[Arc<Net>]) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, nets.len() as u64);
    nets.iter().for_each(|net| put_bytes(&mut out, &net.canonical));
    out
}

/// Reads what [`encode_nets`] wrote; compiles each net again.
///
/// # Errors
/// Anything else. Total on any bytes.
pub fn decode_nets(bytes: &[u8]) -> Result<Vec<Arc<Net>>, SnapshotError> {
    let mut reader = Reader::new(bytes);
    let nets = reader.list(|reader| {
        let net = Net::from_canonical(reader.bytes()?).map_err(|_| SnapshotError::NotCanonical("a net"))?;
        Ok(Arc::new(net))
    })?;
    reader.end()?;
    let ordered = nets.windows(2).all(|pair| pair[0].hash < pair[1].hash);
    if ordered { Ok(nets) } else { Err(SnapshotError::NotCanonical("nets")) }
}
