//! Nets with every construct of control flow, drawn at random, and commands for them.

use std::fmt::Write;

use actum_model::{Case, CaseCommand, ExceptionKind, ItemId, RestEnd, Value};
use actum_net::Net;
use proptest::prelude::*;

/// A task as it is drawn.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    work: u8,
    join: u8,
    split: u8,
    extra: u8,
    more: Vec<usize>,
    other: usize,
}

pub(crate) fn drawn() -> impl Strategy<Value = (Vec<Drawn>, bool)> {
    let task = (0..7_u8, 0..6_u8, 0..3_u8, 0..12_u8, prop::collection::vec(0..8_usize, 0..3), 0..8_usize)
        .prop_map(|(work, join, split, extra, more, other)| Drawn { work, join, split, extra, more, other });
    (prop::collection::vec(task, 2..7), any::<bool>())
}

/// Tasks of a net: a chain to the end, and whatever else was drawn.
fn tasks(drawn: &[Drawn], indent: &str, mutex: &str, inner: bool) -> String {
    let mut text = String::new();
    let count = drawn.len();
    for (index, task) in drawn.iter().enumerate() {
        let mut targets = vec![if index + 1 == count { "end".to_owned() } else { format!("t{}", index + 1) }];
        for more in &task.more {
            let target = if *more >= count { "end".to_owned() } else { format!("t{more}") };
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        let last = targets.len() - 1;
        let flow = |(at, target): (usize, &String)| match task.split {
            0 => format!("{{ to: {target}, tokens: {} }}", 1 + usize::from(task.extra == 1 && target != "end")),
            _ if last == 0 => format!("{{ to: {target} }}"),
            _ if at == last => format!("{{ to: {target}, default: true }}"),
            _ => format!("{{ to: {target}, when: 'v % {} == 0' }}", at + 2),
        };
        let flows: Vec<String> = targets.iter().enumerate().map(flow).collect();
        let work = match task.work {
            0 | 1 => "handler: h, output: { v: '{{ v + 1 }}' }, ".to_owned(),
            2 => "wait: { for: PT5S }, ".to_owned(),
            3 if !inner => "net: R, params: { v: '{{ v }}' }, ".to_owned(),
            4 => "handler: h, trigger: { signal: s, persistent: true }, ".to_owned(),
            _ => String::new(),
        };
        let is_plain = task.work < 2;
        let extra = match task.extra {
            2 => format!("cancels: [t{}], ", task.other % count),
            3 => format!("{mutex}, "),
            4 if is_plain => "instances: { count: '{{ v % 3 }}', min: 0, max: 4, add: true }, ".to_owned(),
            5 if is_plain => "instances: { count: 3, threshold: 1 }, ".to_owned(),
            6 if is_plain => "instances: { count: 3, threshold: 2, rest: cancel }, ".to_owned(),
            7 if is_plain => "instances: { count: 2, until: 'completed > active' }, ".to_owned(),
            8 if is_plain => "exceptions: { abort: restart, external: { x: remove } }, ".to_owned(),
            9 if is_plain => "exceptions: { abort: complete, timeout: { after: PT9S, do: remove } }, ".to_owned(),
            10 => "exceptions: { external: { x: { do: fail, scope: case } } }, ".to_owned(),
            _ => String::new(),
        };
        let join = ["and", "xor", "or", "{ of: 1 }", "{ of: 1, rest: block }", "{ of: 2, rest: cancel }"];
        let join = join[usize::from(task.join)];
        let split = if last > 0 {
            format!("split: {}, ", ["and", "xor", "or"][usize::from(task.split)])
        } else {
            String::new()
        };
        writeln!(text, "{indent}t{index}: {{ {work}{extra}join: {join}, {split}flow: [{}] }}", flows.join(", "))
            .unwrap();
    }
    text
}

pub(crate) fn net((root, implicit): &(Vec<Drawn>, bool), sub: &(Vec<Drawn>, bool)) -> Option<Net> {
    let termination = |implicit: bool| if implicit { "implicit" } else { "explicit" };
    let root_tasks = tasks(root, "  ", "mutex: [m]", false);
    let sub_tasks = tasks(&sub.0, "      ", "mutex: [k]", true);
    let write = |root_tasks: &str, sub_tasks: &str| {
        let mutexes = |tasks: &str, name: &str| {
            if tasks.contains("mutex:") { format!("mutexes: [{name}]\n") } else { String::new() }
        };
        let subnet = if root_tasks.contains("net: R") {
            format!(
                "nets:\n  R:\n    data: {{ v: {{ type: int, input: true, default: 0 }} }}\n    termination: {}\n    {}    start: t0\n    tasks:\n{sub_tasks}",
                termination(sub.1),
                mutexes(sub_tasks, "k"),
            )
        } else {
            String::new()
        };
        format!(
            "actum: 1\nnet: drawn\ntermination: {}\ndata: {{ v: {{ type: int, input: true, default: 1 }} }}\n{}start: t0\ntasks:\n{root_tasks}{subnet}",
            termination(*implicit),
            mutexes(root_tasks, "m"),
        )
    };
    // Joins that a task's inputs are too few for, or that wait for what only comes after, make a net that may not run.
    let mild = |text: &str| text.replace("join: and", "join: xor").replace("of: 2", "of: 1");
    let plain = |text: &str| {
        let text = mild(text);
        ["{ of: 1 }", "{ of: 1, rest: block }", "{ of: 1, rest: cancel }"]
            .iter()
            .fold(text, |text, join| text.replace(join, "xor"))
    };
    let tries = [
        write(&root_tasks, &sub_tasks),
        write(&mild(&root_tasks), &mild(&sub_tasks)),
        write(&plain(&root_tasks), &plain(&sub_tasks)),
    ];
    tries.iter().find_map(|text| actum_net::compile(text).ok()).map(|checked| checked.net)
}

pub(crate) fn command(case: &Case, (kind, pick, v): (u8, u8, i64)) -> CaseCommand {
    let items = &case.control.items;
    let item = if items.is_empty() { ItemId(u32::from(pick)) } else { items[usize::from(pick) % items.len()].id };
    match kind {
        0..10 => CaseCommand::CompleteWork { item, result: Value::Int(v) },
        10 => CaseCommand::FailWork { item, code: "no".to_owned(), message: String::new() },
        11 => CaseCommand::RetryWork { item },
        12 | 13 => CaseCommand::TimerFired { item },
        14 | 15 => CaseCommand::Signal { name: "s".to_owned(), data: Value::Null },
        16 => CaseCommand::CancelWork { item },
        17 => CaseCommand::AddInstance { item, each: None },
        18 => CaseCommand::CompleteInstances { item },
        19 => CaseCommand::SuspendWork { item, until: None },
        20 | 21 => CaseCommand::ResumeWork { item },
        22 => CaseCommand::SuspendCase { until: None },
        23 | 24 => CaseCommand::ResumeCase,
        25 => CaseCommand::RaiseException {
            item: Some(item),
            kind: ExceptionKind::External,
            name: "x".to_owned(),
            message: String::new(),
        },
        26 => CaseCommand::SkipWork { item },
        27 => CaseCommand::PutBackWork { item },
        28 => {
            let result = if v % 2 == 0 { Value::List(vec![Value::Int(v)]) } else { Value::Int(v) };
            CaseCommand::ForceWork { item, result, reason: "because".to_owned() }
        }
        29 => CaseCommand::SuspendWork { item, until: Some(RestEnd::After { ns: 3_000_000_000 }) },
        30 => CaseCommand::SuspendCase { until: Some(RestEnd::After { ns: 3_000_000_000 }) },
        31 | 32 => CaseCommand::CaseTimerFired,
        _ if pick < 40 => {
            let output = [("v".to_owned(), Value::Int(v))].into();
            CaseCommand::ForceCase { output, reason: "because".to_owned() }
        }
        _ => CaseCommand::TimerFired { item },
    }
}
