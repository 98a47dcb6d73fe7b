//! A case's state as JSON: the form of `show -o json`, stable for scripts.

use actum_kernel::{Need, Waiting, progress, waiting};
use actum_model::{FrameState, WorkItemState, json};
use serde_json::{Map, Value as Json, json};

use crate::{CaseView, Done, names};

impl CaseView {
    /// The state with names instead of ordinals. The keys are listed in this room's README.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let net = self.net.as_deref();
        let case = &self.case;
        let variables =
            case.variables.iter().map(|(variable, value)| (names::variable(net, *variable), json::to_json(value)));
        let tokens = case.control.marking.iter();
        let tokens = tokens.map(|(frame, condition, count)| (names::marked(net, frame, condition), Json::from(count)));
        let mut view = json!({
            "case": case.id.0,
            "key": self.key,
            "net": net.map(|net| net.name.as_str()),
            "net_hash": case.net.to_string(),
            "status": case.control.status.name(),
            "reason": self.reason,
            "version": case.version,
            "seq": case.last_seq.0,
            "started": case.started.to_string(),
            "changed": case.changed.to_string(),
            "variables": variables.collect::<Map<_, _>>(),
            "tokens": tokens.collect::<Map<_, _>>(),
            "items": case.control.items.iter().map(|item| self.item(item)).collect::<Vec<_>>(),
            "done": self.done.iter().map(|done| self.done(done)).collect::<Vec<_>>(),
        });
        if let Some(net) = net {
            let progress = progress(net, case);
            view["progress"] = json!({
                "done": self.done_of_root(net),
                "enabled": progress.enabled,
                "running": progress.running,
                "left_most": progress.left_most,
            });
            view["waits"] = waiting(net, case).iter().map(|one| self.waits(one)).collect();
        }
        if let Some(until) = case.control.rest_until(None) {
            view["rests_until"] = until.to_string().into();
        }
        // What most cases never have is there only when it says something.
        if case.control.suspended {
            view["suspended"] = Json::Bool(true);
        }
        if !case.control.frames().is_empty() {
            view["frames"] = case.control.frames().iter().map(|frame| self.frame(frame)).collect();
        }
        view
    }

    fn waits(&self, one: &Waiting) -> Json {
        let net = self.net.as_deref();
        let mut view = json!({ "item": one.item.0, "task": names::task(net, one.task), "for": need_name(&one.needs) });
        match &one.needs {
            Need::Rest { until } => view["until"] = until.map(|until| until.to_string()).into(),
            Need::Signal { name } => view["signal"] = name.as_str().into(),
            Need::Message { name, key } => {
                view["message"] = name.as_str().into();
                view["message_key"] = key.as_str().into();
            }
            Need::Timer { at } => view["at"] = at.to_string().into(),
            Need::Taking { role, of } => {
                view["role"] = role.map(|role| names::role(net, role)).into();
                view["of"] = of.iter().map(|actor| Json::from(self.names.actor(*actor))).collect();
            }
            Need::Person { who, begun } => {
                view["actor"] = self.names.actor(*who).into();
                view["begun"] = (*begun).into();
            }
            Need::Handler { name, attempt } => {
                view["handler"] = name.as_str().into();
                view["attempt"] = (*attempt).into();
            }
            Need::Retry { at, attempt } => {
                view["at"] = at.to_string().into();
                view["attempt"] = (*attempt).into();
            }
            _ => {}
        }
        view
    }

    fn frame(&self, frame: &FrameState) -> Json {
        let net = self.net.as_deref();
        let variables = self.case.variables_of(frame.id).iter();
        let variables = variables.map(|(variable, value)| (names::variable(net, *variable), json::to_json(value)));
        json!({
            "frame": frame.id.0,
            "subnet": names::subnet(net, frame.subnet),
            "item": frame.item.0,
            "variables": variables.collect::<Map<_, _>>(),
        })
    }

    fn item(&self, item: &WorkItemState) -> Json {
        let net = self.net.as_deref();
        let failure = self.failures.iter().rev().find(|(failed, ..)| *failed == item.id);
        let mut view = json!({
            "item": item.id.0,
            "task": names::task(net, item.task),
            "phase": item.phase.name(),
            "attempt": item.attempt,
            "role": item.role.map(|role| names::role(net, role)),
            "offered_to": item.offered_to.iter().map(|actor| self.names.actor(*actor)).collect::<Vec<_>>(),
            "actor": item.resource.map(|actor| self.names.actor(actor)),
            "consumed": item.consumed.iter().map(|condition| names::condition(net, *condition)).collect::<Vec<_>>(),
            "code": failure.map(|(_, code, _)| code),
            "message": failure.map(|(.., message)| message),
        });
        if item.frame.0 != 0 {
            view["frame"] = item.frame.0.into();
        }
        if let Some(instance) = &item.instance {
            view["family"] = instance.family.0.into();
            view["index"] = instance.index.into();
        }
        if let Some(timer) = item.timer {
            view["until"] = timer.to_string().into();
        }
        view
    }

    fn done(&self, done: &Done) -> Json {
        json!({
            "item": done.item.0,
            "task": names::task(self.net.as_deref(), done.task),
            "actor": self.names.actor(done.actor),
            "time": done.time.to_string(),
            "seq": done.seq.0,
        })
    }
}

fn need_name(need: &Need) -> &'static str {
    match need {
        Need::Rest { .. } => "rest",
        Need::Signal { .. } => "signal",
        Need::Message { .. } => "message",
        Need::Timer { .. } => "timer",
        Need::Taking { .. } => "taking",
        Need::Person { .. } => "person",
        Need::Handler { .. } => "handler",
        Need::Retry { .. } => "retry",
        Need::Decision => "decision",
        _ => "other",
    }
}
