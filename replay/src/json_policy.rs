//! Events of policies as JSON.

use actum_model::{BreakerEvent, CaseEvent};
use serde_json::{Map, Value as Json};

use crate::json::Put;

/// The keys of an event of a case beside those that all work has; false if it is none of a policy.
pub(crate) fn put(keys: &mut Map<String, Json>, event: &CaseEvent) -> bool {
    match event {
        CaseEvent::WorkRetryScheduled { attempt, at, seed, .. } => {
            keys.put("attempt", *attempt);
            keys.put("at", at.to_string());
            keys.put("seed", *seed);
        }
        CaseEvent::WorkDeadLettered { attempts, reason, .. } => {
            keys.put("attempts", *attempts);
            keys.put("reason", reason.as_str());
        }
        CaseEvent::WorkShed { policy, message, until, .. } => {
            keys.put("policy", policy.as_str());
            keys.put("message", message.as_str());
            keys.put("until", until.map(|until| until.to_string()));
        }
        _ => return false,
    }
    true
}

/// `None` if it is none of a policy.
pub(crate) fn case_kind(event: &CaseEvent) -> Option<&'static str> {
    Some(match event {
        CaseEvent::WorkRetryScheduled { .. } => "WorkRetryScheduled",
        CaseEvent::WorkDeadLettered { .. } => "WorkDeadLettered",
        CaseEvent::WorkShed { .. } => "WorkShed",
        _ => return None,
    })
}

pub(crate) fn breaker_kind(event: &BreakerEvent) -> &'static str {
    match event {
        BreakerEvent::Opened { .. } => "BreakerOpened",
        BreakerEvent::HalfOpened { .. } => "BreakerHalfOpened",
        BreakerEvent::Closed { .. } => "BreakerClosed",
        _ => "SystemEvent",
    }
}

pub(crate) fn put_breaker(keys: &mut Map<String, Json>, event: &BreakerEvent) {
    keys.put("handler", event.handler());
    if let BreakerEvent::Opened { failures, until, .. } = event {
        keys.put("failures", *failures);
        keys.put("until", until.to_string());
    }
}
