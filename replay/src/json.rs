//! An event as JSON: the form of `export --format jsonl`, stable for scripts. The keys are listed in this room's README.

use actum_model::{CaseEvent, Change, ConditionIx, Event, SavedEvent, SystemEvent, Time, json};
use actum_net::Net;
use serde_json::{Map, Value as Json, json};

use crate::{Fact, LoggedEvent, Names, Stream, json_construct, json_durable, json_organisation, names};

/// An event with names instead of ordinals. Call it with the names as of that event.
#[must_use]
pub fn to_json(logged: &LoggedEvent, names: &Names) -> Json {
    let mut keys = head(logged, names);
    match &logged.fact {
        Fact::Block(block) => {
            keys.put("block", block.number);
            keys.put("previous", hex(&block.previous_hash));
            keys.put("epoch", block.epoch);
            keys.put("boot", hex(&block.boot_id));
            let wall_clock = u64::try_from(block.wall_ns).map(Time);
            keys.put("wall_clock", wall_clock.map_or_else(|_| json!(block.wall_ns), |time| json!(time.to_string())));
            keys.put("monotonic_ns", block.monotonic_ns);
            keys.put("key_id", hex(&block.key_id));
        }
        Fact::KeyRotated(rotation) => {
            keys.put("old", hex(&rotation.old));
            keys.put("new", hex(&rotation.new));
            keys.put("next", rotation.next.map(|next| hex(&next)));
        }
        Fact::KeyRevoked { key, reason } => {
            keys.put("revoked", hex(key));
            keys.put("reason", reason.as_str());
        }
        Fact::Checkpoint { size, streams, root } => {
            keys.put("size", *size);
            keys.put("streams", *streams);
            keys.put("root", hex(root));
        }
        Fact::Unknown => {}
        Fact::Event(Event::System(event)) => system(&mut keys, event, names),
        Fact::Event(Event::Case(event)) => {
            let net = logged.stream.case().and_then(|case| names.net_of(case)).map(|net| &**net);
            case(&mut keys, event, net, names);
        }
    }
    Json::Object(keys)
}

/// The same for a case's event whose net is at hand: names forget the nets of cases that ended.
#[must_use]
pub fn json_of_case(logged: &LoggedEvent, net: Option<&Net>, names: &Names) -> Json {
    let mut keys = head(logged, names);
    if let Some((_, event)) = logged.of_case() {
        case(&mut keys, event, net, names);
    }
    Json::Object(keys)
}

/// The keys that every event has, then those that are only there when they say something.
fn head(logged: &LoggedEvent, names: &Names) -> Map<String, Json> {
    let mut keys = Map::new();
    keys.put("seq", logged.meta.seq.0);
    keys.put("case", logged.stream.case().map(|case| case.0));
    match logged.stream {
        Stream::Case(_) => {}
        Stream::Other(number) => keys.put("stream", format!("other-{number}")),
        system => keys.put("stream", system.name()),
    }
    keys.put("version", logged.meta.version);
    keys.put("kind", logged.kind());
    keys.put("time", logged.meta.time.to_string());
    keys.put("actor", names.actor(logged.meta.actor));
    keys.put("cause", logged.meta.cause.map(|cause| cause.0));
    if logged.partition != 0 {
        keys.put("partition", logged.partition);
    }
    if let Some(actor) = logged.on_behalf_of {
        keys.put("on_behalf_of", names.actor(actor));
    }
    if let Some(command) = &logged.command {
        keys.put("command", hex(command));
    }
    if let Some(trace) = &logged.trace {
        keys.put("trace", json!({ "trace": hex(&trace.trace_id), "span": hex(&trace.span_id) }));
    }
    if let Some(cause) = logged.remote_cause {
        keys.put("remote_cause", json!({ "partition": cause.partition, "seq": cause.seq }));
    }
    if let Some(key) = &logged.key {
        keys.put("key", key.as_str());
    }
    keys
}

fn case(keys: &mut Map<String, Json>, event: &CaseEvent, net: Option<&Net>, names: &Names) {
    if let Some((item, task)) = event.work() {
        keys.put("item", item.0);
        keys.put("task", names::task(net, task));
    }
    match event {
        CaseEvent::CaseStarted { net: hash, semantics, changes, produced } => {
            keys.put("net", net.map(|net| net.name.as_str()));
            keys.put("net_hash", hash.to_string());
            keys.put("semantics", *semantics);
            keys.put("variables", variables(net, changes));
            keys.put("produced", conditions(net, produced));
        }
        CaseEvent::CaseCancelled { reason } => keys.put("reason", reason.as_str()),
        CaseEvent::CaseForced { reason, changes } => {
            keys.put("reason", reason.as_str());
            keys.put("variables", variables(net, changes));
        }
        CaseEvent::WorkForced { reason, consumed, .. } => {
            keys.put("reason", reason.as_str());
            keys.put("consumed", conditions(net, consumed));
        }
        CaseEvent::RestLimited { item, until } => {
            keys.put("item", item.map(|item| item.0));
            keys.put("until", until.to_string());
        }
        CaseEvent::CaseFailed { code, message } | CaseEvent::WorkFailed { code, message, .. } => {
            keys.put("code", code.as_str());
            keys.put("message", message.as_str());
        }
        CaseEvent::WorkOffered { role, to, .. } => {
            keys.put("role", role.map(|role| names::role(net, role)));
            keys.put("to", to.iter().map(|actor| names.actor(*actor)).collect::<Vec<_>>());
        }
        CaseEvent::WorkAllocated { to, .. } => keys.put("to", names.actor(*to)),
        CaseEvent::WorkStarted { consumed, .. } => keys.put("consumed", conditions(net, consumed)),
        CaseEvent::WorkCompleted { result, changes, produced, .. } => {
            keys.put("result", json::to_json(result));
            keys.put("variables", variables(net, changes));
            keys.put("produced", conditions(net, produced));
        }
        CaseEvent::WorkRetried { attempt, .. } => keys.put("attempt", *attempt),
        other => json_construct::put(keys, other, net, names),
    }
}

fn saved(keys: &mut Map<String, Json>, event: &SavedEvent) {
    match event {
        SavedEvent::Saved { size, hash, bytes, streams, root } => {
            keys.put("size", *size);
            keys.put("hash", hex(hash));
            keys.put("bytes", *bytes);
            keys.put("streams", *streams);
            keys.put("root", hex(root));
        }
        SavedEvent::Recovered { size, hash, reread, passed_over } => {
            keys.put("size", *size);
            keys.put("hash", hex(hash));
            keys.put("reread", *reread);
            let passed = |(size, reason): &(u64, String)| json!({ "size": size, "reason": reason });
            keys.put("passed_over", passed_over.iter().map(passed).collect::<Vec<_>>());
        }
    }
}

fn system(keys: &mut Map<String, Json>, event: &SystemEvent, names: &Names) {
    match event {
        SystemEvent::EngineOpened { software, blocks, events, unacknowledged_blocks, dropped_bytes, torn_heads } => {
            keys.put("software", software.as_str());
            keys.put("blocks", *blocks);
            keys.put("events", *events);
            keys.put("unacknowledged_blocks", *unacknowledged_blocks);
            keys.put("dropped_bytes", *dropped_bytes);
            keys.put("torn_heads", *torn_heads);
        }
        SystemEvent::LogRestored { source, size, block, block_hash, replaced } => {
            keys.put("source", source.as_str());
            keys.put("size", *size);
            keys.put("block", *block);
            keys.put("block_hash", hex(block_hash));
            let replaced = replaced
                .as_ref()
                .map(|head| json!({ "size": head.size, "block": head.block, "block_hash": hex(&head.block_hash) }));
            keys.put("replaced", replaced.unwrap_or(Json::Null));
        }
        SystemEvent::Breaker(event) => crate::json_policy::put_breaker(keys, event),
        SystemEvent::Saved(event) => saved(keys, event),
        SystemEvent::NetDeployed { net, name, canonical } => {
            keys.put("net", name.as_str());
            keys.put("net_hash", net.to_string());
            let text = std::str::from_utf8(canonical);
            keys.put("canonical", text.map_or_else(|_| json!({ "$bytes": hex(canonical) }), |text| json!(text)));
        }
        SystemEvent::ActorRegistered { actor, name, roles } => {
            keys.put("id", actor.0);
            keys.put("name", name.as_str());
            keys.put("roles", roles.as_slice());
        }
        SystemEvent::ActorRolesChanged { actor, roles } => {
            keys.put("id", actor.0);
            keys.put("name", names.actor(*actor));
            keys.put("roles", roles.as_slice());
        }
        SystemEvent::Organisation(event) => json_organisation::put(keys, event, names),
        SystemEvent::Message(event) => json_durable::put_message(keys, event),
        SystemEvent::Start(event) => json_durable::put_start(keys, event),
        SystemEvent::SchemaDescribed { kind, schema, name, layout } => {
            keys.put("describes", json!({ "kind": kind, "schema": schema, "name": name, "layout": layout }));
        }
        _ => {}
    }
}

pub(crate) fn conditions(net: Option<&Net>, conditions: &[ConditionIx]) -> Vec<String> {
    conditions.iter().map(|condition| names::condition(net, *condition)).collect()
}

pub(crate) fn variables(net: Option<&Net>, changes: &[Change]) -> Json {
    let entry = |change: &Change| (names::variable(net, change.variable), json::to_json(&change.value));
    Json::Object(changes.iter().map(entry).collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Puts anything that JSON can hold.
pub(crate) trait Put {
    fn put(&mut self, key: &str, value: impl Into<Json>);
}

impl Put for Map<String, Json> {
    fn put(&mut self, key: &str, value: impl Into<Json>) {
        self.insert(key.to_owned(), value.into());
    }
}
