//! Reads a scenario against the net that it is for.

use std::collections::BTreeMap;

use actum_model::Value;

use super::table::{Table, entries};
use super::{literal, text, truth, wrong_type};
use crate::diagnostic::Code;
use crate::net::{ConditionIx, Net, Split, TaskIx, Work};
use crate::scenario::{EventSupply, Happening, Scenario, TimesBound, Visits};
use crate::source::{Data, Findings, Key, Node, Span};
use crate::suggest::suggestion;

/// The version of the scenario language that this crate reads.
const LANGUAGE_VERSION: i64 = 1;

/// Most entries of one list of visits, and most alternatives of one visit: each costs memory in every explored state.
const VISITS_MAX: usize = 1_000;

/// Most different events from outside.
const EVENTS_MAX: usize = 64;

/// Highest count that a scenario may write.
const COUNT_MAX: i64 = 1_000_000;

/// Reads a scenario. Findings are reported; what could not be read is left out.
pub(crate) fn read(root: &Node, net: &Net, findings: &mut Findings<'_>) -> Option<Scenario> {
    let mut table = Table::of(root, "the scenario", findings)?;
    match table.required("scenario", findings).map(|entry| (&entry.1.data, entry.1.span)) {
        Some((Data::Int(LANGUAGE_VERSION), _)) | None => {}
        Some((_, span)) => {
            let message = "this version of the scenario language is not known";
            let hint = format!("write `scenario: {LANGUAGE_VERSION}`");
            findings.error(Code::UnknownVersion, span, message, Some(hint));
        }
    }
    table.text("description", findings);
    let mut scenario = Scenario::default();
    if let Some((_, node)) = table.take("input") {
        scenario.input = input(node, net, findings);
    }
    for (task, key, node) in by_task("results", &mut table, net, findings) {
        if !matches!(net.tasks[task.index()].work, Work::Manual { .. } | Work::Automatic { .. }) {
            unfit(key, "gives nothing back: it has neither `handler` nor people who do it", findings);
        } else if let Some(visits) = visits(node, findings, |node, _| Some(literal(node))) {
            scenario.results.push((task, visits));
        }
    }
    for (task, key, node) in by_task("choices", &mut table, net, findings) {
        if net.tasks[task.index()].split == Split::And {
            unfit(key, "chooses nothing: only `split: xor` and `split: or` do", findings);
        } else if let Some(visits) = visits(node, findings, |node, findings| choice(node, net, task, findings)) {
            scenario.choices.push((task, visits));
        }
    }
    for (task, key, node) in by_task("bounds", &mut table, net, findings) {
        if net.tasks[task.index()].split == Split::And {
            unfit(key, "chooses nothing: only `split: xor` and `split: or` do", findings);
            continue;
        }
        for (to, node) in entries(node, findings).unwrap_or_default() {
            if let (Some(flow), Some(times)) = (flow(&to.text, to.span, net, task, findings), count(node, 0, findings))
            {
                scenario.bounds.push(TimesBound { task, flow, times });
            }
        }
    }
    for (task, key, node) in by_task("instances", &mut table, net, findings) {
        if net.tasks[task.index()].instances.is_none() {
            unfit(key, "has no `instances`", findings);
        } else if let Some(visits) = visits(node, findings, |node, findings| count(node, 0, findings)) {
            scenario.instances.push((task, visits));
        }
    }
    if let Some((_, node)) = table.take("events") {
        scenario.events = events(node, net, findings);
    }
    table.finish(findings);
    scenario.results.sort_by_key(|(task, _)| *task);
    scenario.choices.sort_by_key(|(task, _)| *task);
    scenario.instances.sort_by_key(|(task, _)| *task);
    scenario.bounds.sort_by_key(|bound| (bound.task, bound.flow));
    Some(scenario)
}

fn input(node: &Node, net: &Net, findings: &mut Findings<'_>) -> Option<BTreeMap<String, Value>> {
    let mut input = BTreeMap::new();
    for (key, node) in entries(node, findings)? {
        let known = net.variable(&key.text).map(|variable| &net.variables[variable.index()]);
        if let Some(variable) = known.filter(|variable| variable.input) {
            if let Err(misfit) = variable.kind.admit(literal(node)) {
                findings.error(Code::TypeMismatch, node.span, format!("{}: {misfit}", key.text), None);
            }
            input.insert(key.text.clone(), literal(node));
        } else {
            let message = format!("the net takes no input `{}`", key.text);
            let inputs = net.variables.iter().filter(|variable| variable.input);
            let hint = suggestion(&key.text, inputs.map(|variable| variable.name.as_str()));
            findings.error(Code::UnknownVariable, key.span, message, hint);
        }
    }
    for variable in net.variables.iter().filter(|one| one.required && one.default.is_none()) {
        if variable.subnet == crate::net::SubnetIx::ROOT && !input.contains_key(&variable.name) {
            let message = format!("the net requires the input `{}`", variable.name);
            findings.error(Code::MissingKey, node.span, message, None);
        }
    }
    Some(input)
}

/// The entries of a key of the scenario whose keys are tasks.
fn by_task<'n>(
    key: &'static str,
    table: &mut Table<'n>,
    net: &Net,
    findings: &mut Findings<'_>,
) -> Vec<(TaskIx, &'n Key, &'n Node)> {
    let entry = table.take(key);
    entry.map(|(_, node)| tasks(node, net, findings)).unwrap_or_default()
}

/// The entries of a map whose keys are tasks: by their names, or `subnet/task`.
fn tasks<'n>(node: &'n Node, net: &Net, findings: &mut Findings<'_>) -> Vec<(TaskIx, &'n Key, &'n Node)> {
    let listed = entries(node, findings).unwrap_or_default();
    listed
        .iter()
        .filter_map(|(key, node)| task(&key.text, key.span, net, findings).map(|task| (task, key, node)))
        .collect()
}

fn task(name: &str, span: Span, net: &Net, findings: &mut Findings<'_>) -> Option<TaskIx> {
    let found = net.task_labelled(name).or_else(|| only_one(net, name));
    if found.is_none() {
        let labels: Vec<String> = (0..net.tasks.len()).map(|task| net.task_label(TaskIx::of(task))).collect();
        let hint = suggestion(name, labels.iter().map(String::as_str));
        findings.error(Code::UnknownNode, span, format!("the net has no task `{name}`"), hint);
    }
    found
}

/// The task of that name in whatever subnet, if there is only one.
fn only_one(net: &Net, name: &str) -> Option<TaskIx> {
    let mut found = net.tasks.iter().enumerate().filter(|(_, task)| task.name == name);
    let (first, _) = found.next()?;
    found.next().is_none().then(|| TaskIx::of(first))
}

fn unfit(key: &Key, why: &str, findings: &mut Findings<'_>) {
    findings.error(Code::NotForThisWork, key.span, format!("`{}` {why}", key.text), None);
}

/// A list of visits, each a list of alternatives, or one alternative.
fn visits<T>(
    node: &Node,
    findings: &mut Findings<'_>,
    mut read: impl FnMut(&Node, &mut Findings<'_>) -> Option<T>,
) -> Option<Visits<T>> {
    let mut visits = Vec::new();
    for visit in list(node, findings)? {
        let alternatives = list(visit, findings)?;
        visits.push(alternatives.iter().map(|node| read(node, findings)).collect::<Option<Vec<T>>>()?);
    }
    Some(visits)
}

fn list<'n>(node: &'n Node, findings: &mut Findings<'_>) -> Option<&'n [Node]> {
    match &node.data {
        Data::List(items) if items.is_empty() => {
            findings.error(Code::BadValue, node.span, "the list is empty", None);
            None
        }
        Data::List(items) if items.len() > VISITS_MAX => {
            let message = format!("the list has more than {VISITS_MAX} entries");
            findings.error(Code::BadValue, node.span, message, None);
            None
        }
        Data::List(items) => Some(items),
        _ => {
            let hint = "a list of visits, each a list of what is possible then: `[[b, c], [c]]`".to_owned();
            wrong_type(node, "a list", Some(hint), findings);
            None
        }
    }
}

/// One way a split may go: a target, or a list of them.
fn choice(node: &Node, net: &Net, task: TaskIx, findings: &mut Findings<'_>) -> Option<Vec<usize>> {
    let targets = match &node.data {
        Data::List(items) => items.iter().collect(),
        _ => vec![node],
    };
    let mut flows = Vec::with_capacity(targets.len());
    for target in &targets {
        let target = text(target, findings)?;
        flows.push(flow(&target.text, target.span, net, task, findings)?);
    }
    flows.sort_unstable();
    flows.dedup();
    let definition = &net.tasks[task.index()];
    let with_default = flows.len() > 1 && flows.iter().any(|flow| definition.outputs[*flow].default);
    let wrong = match definition.split {
        _ if flows.is_empty() => "a split always chooses something: without a guard that holds, its default",
        Split::Xor if flows.len() > 1 => "an XOR split chooses one flow",
        _ if with_default => "the default is chosen only when nothing else is",
        _ => return Some(flows),
    };
    findings.error(Code::BadValue, node.span, wrong, None);
    None
}

/// The flow of a task to a target: a task, a condition or `end`.
fn flow(target: &str, span: Span, net: &Net, task: TaskIx, findings: &mut Findings<'_>) -> Option<usize> {
    let definition = &net.tasks[task.index()];
    let names: Vec<String> = definition.outputs.iter().map(|flow| target_name(net, flow.to)).collect();
    let found = names.iter().position(|name| name == target);
    if found.is_none() {
        let message = format!("`{}` has no flow to `{target}`", definition.name);
        let hint = suggestion(target, names.iter().map(String::as_str))
            .or_else(|| Some(format!("it leads to {}", names.join(", "))));
        findings.error(Code::UnknownNode, span, message, hint);
    }
    found
}

/// What the author wrote behind `to`: an implicit condition stands for a flow to the task behind it.
fn target_name(net: &Net, condition: ConditionIx) -> String {
    let condition = &net.conditions[condition.index()];
    match condition.consumers.first() {
        Some(task) if condition.implicit => net.tasks[task.index()].name.clone(),
        _ => condition.name.clone(),
    }
}

fn events(node: &Node, net: &Net, findings: &mut Findings<'_>) -> Vec<EventSupply> {
    let listed = entries(node, findings).unwrap_or_default();
    if listed.len() > EVENTS_MAX {
        let message = format!("a scenario has at most {EVENTS_MAX} events");
        findings.error(Code::BadValue, node.span, message, None);
        return Vec::new();
    }
    listed.iter().filter_map(|(key, node)| event(key, node, net, findings)).collect()
}

/// A key whose value is a task, what it means, and whether the task must have instances.
type OfTask = (&'static str, fn(TaskIx) -> Happening, bool);

fn event(key: &Key, node: &Node, net: &Net, findings: &mut Findings<'_>) -> Option<EventSupply> {
    let mut letters = key.text.chars();
    let fits = letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_.".contains(letter));
    if !fits {
        let hint = "lower-case letters, digits, `-`, `_` and `.`, beginning with a letter".to_owned();
        findings.error(Code::BadName, key.span, format!("an event cannot be called `{}`", key.text), Some(hint));
    }
    let mut table = Table::of(node, &format!("event `{}`", key.text), findings)?;
    let mut found: Vec<(Span, Option<Happening>)> = Vec::new();
    if let Some((name, node)) = table.take("cancel-case")
        && truth(node, findings) == Some(true)
    {
        found.push((name.span, Some(Happening::CancelCase)));
    }
    let of_task: [OfTask; 4] = [
        ("cancel", Happening::CancelWork, false),
        ("complete", Happening::CompleteInstances, true),
        ("add", Happening::AddInstance, true),
        ("fail", Happening::FailWork, false),
    ];
    for (name, happening, instances) in of_task {
        let Some((key, node)) = table.take(name) else { continue };
        let task = text(node, findings).and_then(|name| task(&name.text, name.span, net, findings));
        if let Some(task) = task
            && instances
            && net.tasks[task.index()].instances.is_none()
        {
            let message = format!("`{}` has no `instances`", net.task_label(task));
            findings.error(Code::NotForThisWork, node.span, message, None);
        }
        found.push((key.span, task.map(happening)));
    }
    let signal = table.take("signal");
    let data = table.take("data").map_or(Value::Null, |(_, node)| literal(node));
    if let Some((key, node)) = signal {
        let name = text(node, findings).map(|name| name.text);
        if let Some(name) = &name
            && !net.tasks.iter().any(|task| task.trigger.as_ref().is_some_and(|trigger| trigger.signal == *name))
        {
            findings.error(Code::UnknownNode, node.span, format!("no task waits for a signal `{name}`"), None);
        }
        found.push((key.span, name.map(|name| Happening::Signal { name, data })));
    }
    let count = table.take("count").map_or(Some(1), |(_, node)| count(node, 1, findings));
    table.finish(findings);
    match found.as_slice() {
        [(_, what)] => Some(EventSupply { label: key.text.clone(), what: what.clone()?, count: count? }),
        [] => {
            let hint =
                "write one of cancel-case: true, cancel: TASK, complete: TASK, add: TASK, fail: TASK, signal: NAME";
            let message = format!("event `{}` does not say what happens", key.text);
            findings.error(Code::MissingKey, key.span, message, Some(hint.to_owned()));
            None
        }
        [_, (span, _), ..] => {
            let message = format!("event `{}` is two things at once", key.text);
            findings.error(Code::UnknownKey, *span, message, Some("write two events".to_owned()));
            None
        }
    }
}

fn count(node: &Node, least: i64, findings: &mut Findings<'_>) -> Option<u32> {
    match node.data {
        Data::Int(number) if (least..=COUNT_MAX).contains(&number) => u32::try_from(number).ok(),
        Data::Int(_) => {
            let message = format!("a count lies between {least} and {COUNT_MAX}");
            findings.error(Code::BadValue, node.span, message, None);
            None
        }
        _ => {
            wrong_type(node, "an integer", None, findings);
            None
        }
    }
}
