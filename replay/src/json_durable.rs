//! Events of timers, messages, starts and undoing as JSON.

use actum_model::{CaseEvent, Goal, MessageEvent, StartEvent, json};
use actum_net::Net;
use serde_json::{Map, Value as Json};

use crate::json::{Put, conditions, variables};
use crate::names;

pub(crate) fn put(keys: &mut Map<String, Json>, event: &CaseEvent, net: Option<&Net>) {
    match event {
        CaseEvent::CaseTriggered { start, due, message } => {
            keys.put("start", start.as_str());
            keys.put("due", due.map(|due| due.to_string()));
            keys.put("message", message.map(|message| message.0));
        }
        CaseEvent::CaseWaiting { until } => keys.put("until", until.to_string()),
        CaseEvent::TimerFiredLate { item, due } => {
            keys.put("item", item.map(|item| item.0));
            keys.put("due", due.to_string());
        }
        CaseEvent::MessageAwaited { name, key, .. } => {
            keys.put("name", name.as_str());
            keys.put("message_key", key.as_str());
        }
        CaseEvent::MessageReceived { message, name, data, .. } => {
            keys.put("message", message.0);
            keys.put("name", name.as_str());
            keys.put("data", json::to_json(data));
        }
        CaseEvent::CompensationNoted { frame, by, .. } => {
            if frame.0 != 0 {
                keys.put("frame", frame.0);
            }
            keys.put("by", names::task(net, *by));
        }
        CaseEvent::CompensationBegun { goal, items, removed } => {
            let word = match goal {
                Goal::GoOn => "go-on",
                Goal::End => "end",
                Goal::Savepoint(_) => "savepoint",
                Goal::Remove(_) => "remove",
            };
            keys.put("goal", word);
            if let Goal::Savepoint(name) = goal {
                keys.put("savepoint", name.as_str());
            }
            if let Goal::Remove(item) = goal {
                keys.put("item", item.0);
            }
            keys.put("items", items.iter().map(|item| item.0).collect::<Vec<_>>());
            keys.put("removed", marked(net, removed));
        }
        CaseEvent::WorkCompensating { of, .. } => keys.put("of", of.0),
        CaseEvent::SavepointReached { name, marked: tokens, arrived, variables: values } => {
            keys.put("savepoint", name.as_str());
            keys.put("marked", marked(net, tokens));
            let arrived = arrived.iter().map(|(task, inputs)| (names::task(net, *task), conditions(net, inputs)));
            keys.put("arrived", Json::Object(arrived.map(|(task, inputs)| (task, Json::from(inputs))).collect()));
            keys.put("variables", variables(net, values));
        }
        CaseEvent::SavepointRestored { name, marked: tokens, changes } => {
            keys.put("savepoint", name.as_str());
            keys.put("marked", marked(net, tokens));
            keys.put("variables", variables(net, changes));
        }
        _ => {}
    }
}

fn marked(net: Option<&Net>, tokens: &[(actum_model::ConditionIx, u32)]) -> Json {
    Json::Object(tokens.iter().map(|(one, count)| (names::condition(net, *one), Json::from(*count))).collect())
}

pub(crate) fn case_kind(event: &CaseEvent) -> &'static str {
    match event {
        CaseEvent::CaseTriggered { .. } => "CaseTriggered",
        CaseEvent::CaseWaiting { .. } => "CaseWaiting",
        CaseEvent::CaseTimedOut => "CaseTimedOut",
        CaseEvent::TimerFiredLate { .. } => "TimerFiredLate",
        CaseEvent::MessageAwaited { .. } => "MessageAwaited",
        CaseEvent::MessageReceived { .. } => "MessageReceived",
        CaseEvent::CompensationNoted { .. } => "CompensationNoted",
        CaseEvent::CompensationBegun { .. } => "CompensationBegun",
        CaseEvent::WorkCompensating { .. } => "WorkCompensating",
        CaseEvent::SavepointReached { .. } => "SavepointReached",
        CaseEvent::SavepointRestored { .. } => "SavepointRestored",
        _ => "CaseEvent",
    }
}

pub(crate) fn message_kind(event: &MessageEvent) -> &'static str {
    match event {
        MessageEvent::Published { .. } => "MessagePublished",
        MessageEvent::Dropped { .. } => "MessageDropped",
        _ => "SystemEvent",
    }
}

pub(crate) fn start_kind(event: &StartEvent) -> &'static str {
    match event {
        StartEvent::Skipped { .. } => "StartsSkipped",
        StartEvent::Refused { .. } => "StartRefused",
        _ => "SystemEvent",
    }
}

pub(crate) fn put_message(keys: &mut Map<String, Json>, event: &MessageEvent) {
    match event {
        MessageEvent::Published { name, key, id, data, to_all, keep_until, pending } => {
            keys.put("name", name.as_str());
            keys.put("message_key", key.as_str());
            keys.put("id", id.as_deref());
            keys.put("data", json::to_json(data));
            keys.put("to_all", *to_all);
            keys.put("keep_until", keep_until.map(|until| until.to_string()));
            keys.put("pending", *pending);
        }
        MessageEvent::Dropped { message, expired } => {
            keys.put("message", message.0);
            keys.put("expired", *expired);
        }
        _ => {}
    }
}

pub(crate) fn put_start(keys: &mut Map<String, Json>, event: &StartEvent) {
    match event {
        StartEvent::Skipped { net, start, until, count } => {
            keys.put("net_hash", net.to_string());
            keys.put("start", start.as_str());
            keys.put("until", until.to_string());
            keys.put("count", *count);
        }
        StartEvent::Refused { net, start, due, message, code, reason } => {
            keys.put("net_hash", net.to_string());
            keys.put("start", start.as_str());
            keys.put("due", due.map(|due| due.to_string()));
            keys.put("message", message.map(|message| message.0));
            keys.put("code", code.as_str());
            keys.put("reason", reason.as_str());
        }
        _ => {}
    }
}
