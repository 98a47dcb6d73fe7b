//! Tasks.

use std::collections::BTreeMap;

use actum_model::Value;

use super::object::Object;
use super::{policies, some, sorted, starts, string};
use crate::exception::TimeoutFrom;
use crate::instances::{INSTANCES_MAX, InstanceRest};
use crate::net::{Join, Rest, Split};
use crate::read::{
    AnswerDraft, ExceptionDraft, FlowDraft, InstancesDraft, Name, Part, ResourcesDraft, TaskDraft, TriggerOfException,
    literal,
};

/// `incoming` is how many input conditions it has: joins and splits that have nothing to do are left out.
pub(super) fn write(task: &TaskDraft, incoming: usize) -> Value {
    let join = task.join.filter(|_| incoming > 1).map(|join| self::join(join.join));
    let split = task.split.filter(|_| task.flow.len() > 1).map(|split| match split {
        Split::And => "and",
        Split::Xor => "xor",
        Split::Or => "or",
    });
    let form = task.form.iter().flat_map(|(_, fields)| fields).map(|field| {
        let entry = Object::default()
            .with("type", Some(string(field.kind.name())))
            .flag("required", field.required)
            .text("title", field.title.as_ref());
        (field.name.text.clone(), entry.done())
    });
    let part = |part: &Option<Part>| {
        part.as_ref().map(|part| literal(&part.node)).filter(|value| *value != Value::Map(BTreeMap::new()))
    };
    let takes = task.takes.iter().filter(|(_, tokens)| *tokens > 1);
    let trigger = task.trigger.as_ref().map(|trigger| {
        let signal = Object::default().with("signal", Some(string(&trigger.signal.text)));
        signal.flag("persistent", trigger.persistent).done()
    });
    let wait = task.wait.as_ref().map(|wait| {
        let length = Object::default().with("for", wait.length.as_ref().map(literal));
        let until = length.with("until", wait.until.as_ref().map(literal));
        let name = |name: &Option<Name>| name.as_ref().map(|name| string(&name.text));
        let cron = wait.cron.as_ref().map(|cron| string(&starts::spaced(&cron.text)));
        until.with("calendar", name(&wait.calendar)).with("cron", cron).with("zone", name(&wait.zone)).done()
    });
    let separate_from = task.separate_from.as_ref().map(|(_, names)| sorted(names));
    let flow = task.flow.iter().map(self::flow).collect();
    Object::default()
        .text("title", task.title.as_ref())
        .text("description", task.description.as_ref())
        .with("join", join)
        .with("split", split.map(string))
        .map("takes", takes.map(|(name, tokens)| (name.text.clone(), int(*tokens))))
        .with("reads", some(&task.reads))
        .with("mutex", some(&task.mutex))
        .with("enter", some(&task.enter))
        .with("leave", some(&task.leave))
        .with("cancels", some(&task.cancels))
        .with("trigger", trigger)
        .with("instances", task.instances.as_ref().map(instances))
        .flag("compensates", task.compensates.is_some())
        .with("compensation", task.compensation.as_ref().map(|name| string(&name.text)))
        .with("savepoint", task.savepoint.as_ref().map(|name| string(&name.text)))
        .with("exceptions", exceptions(&task.exceptions))
        .with("policies", policies::of_task(&task.policies))
        .with("handler", task.handler.as_ref().map(|name| string(&name.text)))
        .with("params", part(&task.params))
        .with("net", task.net.as_ref().map(|name| string(&name.text)))
        .with("wait", wait)
        .with("receive", task.receive.as_ref().map(starts::receive))
        .with("role", task.role.as_ref().map(|name| string(&name.text)))
        .with("resources", task.resources.as_ref().map(ResourcesDraft::canonical))
        .with("separate_from", separate_from)
        .with("input", part(&task.input))
        .map("form", form)
        .map("output", task.output.iter().map(|(name, node)| (name.text.clone(), literal(node))))
        .with("flow", (!task.flow.is_empty()).then_some(Value::List(flow)))
        .done()
}

fn int(number: u32) -> Value {
    Value::Int(number.into())
}

fn guard(when: &Name) -> Value {
    string(when.text.trim())
}

fn join(join: Join) -> Value {
    let Join::Partial { of, rest } = join else {
        return string(match join {
            Join::Xor => "xor",
            Join::Or => "or",
            _ => "and",
        });
    };
    let rest = match rest {
        Rest::Absorb => None,
        Rest::Block => Some(string("block")),
        Rest::Cancel => Some(string("cancel")),
    };
    Object::default().with("of", Some(int(of))).with("rest", rest).done()
}

fn flow(flow: &FlowDraft) -> Value {
    Object::default()
        .with("to", Some(string(&flow.to.text)))
        .with("tokens", (flow.tokens > 1).then(|| int(flow.tokens)))
        .with("when", flow.when.as_ref().map(guard))
        .flag("default", flow.default)
        .done()
}

fn instances(instances: &InstancesDraft) -> Value {
    let size =
        |size: Option<(u32, _)>, default| size.map(|(size, _)| size).filter(|size| Some(*size) != default).map(int);
    Object::default()
        .with("count", instances.count.as_ref().map(literal))
        .with("each", instances.each.as_ref().map(literal))
        .with("min", size(instances.min, Some(1)))
        .with("max", size(instances.max, Some(INSTANCES_MAX)))
        .flag("add", instances.add)
        .with("threshold", size(instances.threshold, None))
        .with("until", instances.until.as_ref().map(guard))
        .with("rest", (instances.rest == InstanceRest::Cancel).then(|| string("cancel")))
        .done()
}

/// The rules of a task or of the net, unless there are none.
pub(super) fn exceptions(rules: &[ExceptionDraft]) -> Option<Value> {
    let mut external = BTreeMap::new();
    let mut entry = Object::default();
    for rule in rules {
        let answer = match &rule.answer {
            AnswerDraft::Continue => string("continue"),
            AnswerDraft::Suspend => string("suspend"),
            AnswerDraft::Remove => string("remove"),
            AnswerDraft::Restart => string("restart"),
            AnswerDraft::Complete => string("complete"),
            AnswerDraft::Fail => string("fail"),
            AnswerDraft::Compensate(task) => Object::default().with("compensate", Some(string(&task.text))).done(),
            AnswerDraft::Escalate => string("escalate"),
            AnswerDraft::Undo => string("compensate"),
            AnswerDraft::Signal(name) => Object::default().with("signal", Some(string(&name.text))).done(),
            AnswerDraft::GoBack(name) => Object::default().with("rollback", Some(string(&name.text))).done(),
        };
        let scope = || rule.of_case.then(|| string("case"));
        let plain = || {
            if !rule.of_case {
                return answer.clone();
            }
            Object::default().with("do", Some(answer.clone())).with("scope", scope()).done()
        };
        let with = || Object::default().with("do", Some(answer.clone())).with("scope", scope());
        entry = match &rule.trigger {
            TriggerOfException::Abort => entry.with("abort", Some(plain())),
            TriggerOfException::Unavailable => entry.with("unavailable", Some(plain())),
            TriggerOfException::Timeout { limit, from } => {
                let from = match from {
                    TimeoutFrom::Enabled => None,
                    TimeoutFrom::Allocated => Some(string("allocated")),
                    TimeoutFrom::Started => Some(string("started")),
                };
                let timed = with()
                    .with("after", limit.length.as_ref().map(literal))
                    .with("at", limit.until.as_ref().map(literal))
                    .with("calendar", limit.calendar.as_ref().map(|name| string(&name.text)));
                entry.with("timeout", Some(timed.with("from", from).done()))
            }
            TriggerOfException::Violation { when } => {
                entry.with("violation", Some(with().with("when", Some(guard(when))).done()))
            }
            TriggerOfException::External { name } => {
                external.insert(name.text.clone(), plain());
                entry
            }
        };
    }
    entry.map("external", external.into_iter()).unless_empty()
}
