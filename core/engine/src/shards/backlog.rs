//! What partition 0 decided for all and another partition has not heard, because the process ended in between.

use std::sync::Arc;

use actum_log::{FrameSource, ReadError, records};
use actum_model::{ActorId, Event, NetHash, Seq, SystemEvent, payload};
use actum_net::Net;

use super::seat::OWNER;
use super::tell::{Told, concerns_all};
use crate::error::chain;
use crate::partition::stream;

/// The events of partition 0 that concern all, after `heard`, in order. `net` knows what partition 0 deployed. Reads the log without
/// hashing: the fold before it did that.
pub(crate) fn backlog(
    source: &dyn FrameSource,
    heard: Option<Seq>,
    net: impl Fn(NetHash) -> Option<Arc<Net>>,
) -> Result<Vec<Told>, ReadError> {
    let mut backlog = Vec::new();
    for record in records(source, OWNER, heard.map_or(0, |heard| heard.0 + 1))? {
        let record = record?;
        let header = record.header();
        if !matches!(header.stream, stream::NETS | stream::DIRECTORY) {
            continue;
        }
        let event = payload::decode(header.kind, header.schema, record.view().payload())
            .map_err(|error| ReadError::Corrupt(format!("event {}: {}", header.seq, chain(&error))))?;
        let Event::System(event) = event else { continue };
        if concerns_all(&event) {
            let (origin, actor) = (Seq(header.seq), ActorId(header.actor));
            let net = if let SystemEvent::NetDeployed { net: hash, .. } = &event { net(*hash) } else { None };
            backlog.push(Told { origin, stream: header.stream, actor, event, net });
        }
    }
    Ok(backlog)
}
