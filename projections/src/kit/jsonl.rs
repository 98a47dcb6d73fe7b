//! Histories as text files: one JSON object per event, which loses nothing.
//!
//! Payloads are the log's own bytes in hexadecimal, so a file stays readable as long as a log does. For people there is
//! `actum export --format jsonl`, with names instead of ordinals.

use actum_model::{ActorId, Meta, NetHash, Seq, Time, payload};
use serde_json::{Map, Value as Json, json};

use crate::{History, RecordedEvent};

/// Why a text is no history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct JsonlError {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// Writes a history, a line for each event.
#[must_use]
pub fn to_jsonl(history: &History) -> String {
    let line = |event: &RecordedEvent| {
        let encoded = payload::encode(&event.event);
        let meta = &event.meta;
        let object = json!({
            "seq": meta.seq.0,
            "stream": event.stream,
            "version": meta.version,
            "time": meta.time.0,
            "actor": meta.actor.0,
            "cause": meta.cause.map(|cause| cause.0),
            "net": hex(&event.net.0),
            "key": event.key.as_deref(),
            "waits": event.waits,
            "name": payload::name_of(encoded.kind),
            "kind": encoded.kind,
            "schema": encoded.schema,
            "payload": hex(&encoded.bytes),
        });
        format!("{object}\n")
    };
    history.events().iter().map(line).collect()
}

/// Reads what [`to_jsonl`] wrote. Empty lines are passed over.
///
/// # Errors
/// The first line that is no event.
pub fn from_jsonl(text: &str) -> Result<History, JsonlError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| event(line).map_err(|what| JsonlError { line: index + 1, what })).collect()
}

fn event(line: &str) -> Result<RecordedEvent, String> {
    let object: Map<String, Json> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let number = |key: &str| {
        object.get(key).and_then(Json::as_u64).ok_or_else(|| format!("`{key}` is missing or no whole number"))
    };
    let small = |key: &str| u16::try_from(number(key)?).map_err(|_| format!("`{key}` is too large"));
    let text =
        |key: &str| object.get(key).and_then(Json::as_str).ok_or_else(|| format!("`{key}` is missing or no text"));
    let actor = u32::try_from(number("actor")?).map_err(|_| "`actor` is too large".to_owned())?;
    let (kind, schema) = (small("kind")?, small("schema")?);
    let bytes = unhex(text("payload")?).ok_or("`payload` is not hexadecimal")?;
    let net = unhex(text("net")?).and_then(|net| net.try_into().ok()).ok_or("`net` is no hash")?;
    Ok(RecordedEvent {
        stream: number("stream")?,
        kind,
        meta: Meta {
            seq: Seq(number("seq")?),
            version: number("version")?,
            time: Time(number("time")?),
            actor: ActorId(actor),
            cause: object.get("cause").and_then(Json::as_u64).map(Seq),
        },
        net: NetHash(net),
        key: object.get("key").and_then(Json::as_str).map(Into::into),
        waits: object.get("waits").and_then(Json::as_bool).unwrap_or_default(),
        event: payload::decode(kind, schema, &bytes).map_err(|error| error.to_string())?,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}
