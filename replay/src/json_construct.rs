//! Events of frames, instances, cancellation, signals, exceptions and hand-over as JSON.

use actum_model::{ActorId, ActorSet, CaseEvent, json};
use actum_net::Net;
use serde_json::{Map, Value as Json, json};

use crate::json::{Put, conditions, variables};
use crate::{Names, names};

pub(crate) fn put(keys: &mut Map<String, Json>, event: &CaseEvent, net: Option<&Net>, names: &Names) {
    match event {
        CaseEvent::WorkEnabled { frame, instance, .. } => {
            // Most work is of the root net and no instance.
            if frame.0 != 0 {
                keys.put("frame", frame.0);
            }
            if let Some(instance) = instance {
                keys.put("family", instance.family.0);
                keys.put("index", instance.index);
                keys.put("each", instance.each.as_ref().map(json::to_json));
            }
        }
        CaseEvent::WorkCancelled { produced, .. } if !produced.is_empty() => {
            keys.put("produced", conditions(net, produced));
        }
        CaseEvent::SubnetStarted { frame, subnet, item, changes, produced } => {
            keys.put("frame", frame.0);
            keys.put("subnet", names::subnet(net, *subnet));
            keys.put("item", item.0);
            keys.put("variables", variables(net, changes));
            keys.put("produced", conditions(net, produced));
        }
        CaseEvent::SubnetEnded { frame, item, completed } => {
            keys.put("frame", frame.0);
            keys.put("item", item.0);
            keys.put("completed", *completed);
        }
        CaseEvent::JoinAdvanced { frame, task, absorbed, arrived } => {
            keys.put("frame", frame.0);
            keys.put("task", names::task(net, *task));
            keys.put("absorbed", conditions(net, absorbed));
            keys.put("arrived", conditions(net, arrived));
        }
        CaseEvent::TokensCancelled { frame, task, removed } => {
            keys.put("frame", frame.0);
            keys.put("task", names::task(net, *task));
            let removed = removed.iter().map(|(one, count)| (names::condition(net, *one), Json::from(*count)));
            keys.put("removed", Json::Object(removed.collect()));
        }
        CaseEvent::SignalReceived { name, data, kept, item } => {
            keys.put("signal", name.as_str());
            keys.put("data", json::to_json(data));
            keys.put("kept", *kept);
            keys.put("item", item.map(|item| item.0));
        }
        CaseEvent::ExceptionRaised { item, kind, name, message, answer } => {
            keys.put("item", item.map(|item| item.0));
            keys.put("exception", kind.name());
            keys.put("name", name.as_str());
            keys.put("message", message.as_str());
            keys.put("answer", answer.as_str());
        }
        CaseEvent::InstancesPassed { result, changes, produced, .. } => {
            keys.put("result", json::to_json(result));
            keys.put("variables", variables(net, changes));
            keys.put("produced", conditions(net, produced));
        }
        CaseEvent::WorkSkipped { consumed, changes, produced, .. } => {
            keys.put("consumed", conditions(net, consumed));
            keys.put("variables", variables(net, changes));
            keys.put("produced", conditions(net, produced));
        }
        CaseEvent::WorkDelegated { to, keep_state, .. } => {
            keys.put("to", names.actor(*to));
            keys.put("keep_state", *keep_state);
        }
        CaseEvent::WorkEscalated { to, reason, .. } => {
            keys.put("to", to.map(|to| names.actor(to)));
            keys.put("reason", reason.as_str());
        }
        CaseEvent::WorkWaiting { until, .. } => keys.put("until", until.to_string()),
        CaseEvent::AllocationDecided { directory, strategy, seed, candidates, rules, scores, chosen, .. } => {
            let list = |actors: &ActorSet| actors.iter().map(|actor| names.actor(actor)).collect::<Vec<_>>();
            let rule = |(name, removed): &(String, ActorSet)| json!({ "rule": name, "removed": list(removed) });
            keys.put("directory", directory.0);
            keys.put("strategy", strategy.as_str());
            keys.put("seed", *seed);
            keys.put("candidates", list(candidates));
            keys.put("rules", rules.iter().map(rule).collect::<Vec<_>>());
            let score = |(actor, score): &(ActorId, i64)| json!({ "actor": names.actor(*actor), "score": score });
            keys.put("scores", scores.iter().map(score).collect::<Vec<_>>());
            keys.put("chosen", chosen.map(|chosen| names.actor(chosen)));
        }
        other if crate::json_policy::put(keys, other) => {}
        other => crate::json_durable::put(keys, other, net),
    }
}
