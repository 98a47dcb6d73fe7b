//! The correlation table as a section of saved state. Who waits is not in it: the cases say so.

use std::collections::BTreeSet;
use std::sync::Arc;

use actum_model::snapshot::SnapshotError;
use actum_model::snapshot::wire::{Reader, put, put_list, put_option, put_text, put_value};
use actum_model::{CaseId, NetHash, Seq, Time};

use super::{Kept, Letter, Messages};

/// Writes what is kept, and the ids that are known.
pub(crate) fn encode(messages: &Messages) -> Vec<u8> {
    let mut out = Vec::new();
    let kept: Vec<_> = messages.kept.iter().collect();
    put_list(&mut out, &kept, |out, (seq, kept)| {
        let Kept { letter, received, started } = kept;
        let Letter { name, key, data, to_all, keep_until } = &**letter;
        put(out, seq.0);
        put_text(out, name);
        put_text(out, key);
        put_value(out, data);
        out.push(u8::from(*to_all));
        put_option(out, keep_until.as_ref(), |out, until| put(out, until.0));
        let (received, started): (Vec<_>, Vec<_>) = (received.iter().collect(), started.iter().collect());
        put_list(out, &received, |out, case| put(out, case.0));
        put_list(out, &started, |out, net| out.extend_from_slice(&net.0));
    });
    let ids: Vec<_> = messages.ids_in_order.iter().collect();
    put_list(&mut out, &ids, |out, id| {
        put_text(out, id);
        put(out, messages.ids.get(&***id).map_or(0, |seq| seq.0));
    });
    out
}

/// Reads it; those who wait are to be added case by case ([`Messages::watch`]).
pub(crate) fn decode(bytes: &[u8]) -> Result<Messages, SnapshotError> {
    let mut reader = Reader::new(bytes);
    let mut messages = Messages::default();
    for (seq, kept) in reader.list(|reader| Ok((Seq(reader.number()?), kept(reader)?)))? {
        messages.keep(seq, kept);
    }
    for (id, seq) in reader.list(|reader| Ok((reader.text()?.to_owned(), Seq(reader.number()?))))? {
        messages.remember(&id, seq);
    }
    reader.end()?;
    Ok(messages)
}

fn kept(reader: &mut Reader<'_>) -> Result<Kept, SnapshotError> {
    let (name, key) = (reader.text()?.to_owned(), reader.text()?.to_owned());
    let (data, to_all) = (reader.value()?, reader.flag()?);
    let keep_until = reader.option(|reader| reader.number().map(Time))?;
    let received = reader.list(|reader| reader.number().map(CaseId))?;
    let started = reader.list(|reader| reader.array().map(NetHash))?;
    let (received, started) = (BTreeSet::from_iter(received), BTreeSet::from_iter(started));
    Ok(Kept { letter: Arc::new(Letter { name, key, data, to_all, keep_until }), received, started })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_model::{MessageEvent, Value};

    #[test]
    fn what_is_kept_reads_back() {
        let mut messages = Messages::default();
        for (seq, to_all) in [(4, true), (9, false)] {
            let published = MessageEvent::Published {
                name: "paid".to_owned(),
                key: "7".to_owned(),
                id: Some(format!("id {seq}")),
                data: Value::Int(3),
                to_all,
                keep_until: to_all.then_some(Time(50)),
                pending: true,
            };
            messages.apply(Seq(seq), &published);
        }
        messages.received(Seq(4), |kept| {
            kept.received.insert(CaseId(2));
            kept.started.insert(NetHash([7; 32]));
        });
        let bytes = encode(&messages);
        let read = decode(&bytes).expect("it was written here");
        assert_eq!((&read.kept, &read.ids, &read.expiry), (&messages.kept, &messages.ids, &messages.expiry));
        assert_eq!(encode(&read), bytes);
        assert!((0..bytes.len()).all(|length| decode(&bytes[..length]).is_err()));
    }
}
