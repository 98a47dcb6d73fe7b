//! Up to which times starts are dealt with, as a section of saved state. The rest follows from the nets.

use actum_model::snapshot::SnapshotError;
use actum_model::snapshot::wire::{Reader, put, put_list, put_text};
use actum_model::{NetHash, Time};

use super::Starts;

/// Writes it.
pub(crate) fn encode(starts: &Starts) -> Vec<u8> {
    let mut out = Vec::new();
    let done: Vec<_> = starts.done.iter().collect();
    put_list(&mut out, &done, |out, ((net, start), until)| {
        out.extend_from_slice(&net.0);
        put_text(out, start);
        put(out, until.0);
    });
    out
}

/// Reads it; the newest nets are to be added ([`Starts::deployed`]).
pub(crate) fn decode(bytes: &[u8]) -> Result<Starts, SnapshotError> {
    let mut reader = Reader::new(bytes);
    let one = |reader: &mut Reader<'_>| {
        let of = (NetHash(reader.array()?), reader.text()?.to_owned());
        Ok((of, Time(reader.number()?)))
    };
    let done = reader.list(one)?;
    reader.end()?;
    Ok(Starts { done: done.into_iter().collect(), ..Starts::default() })
}
