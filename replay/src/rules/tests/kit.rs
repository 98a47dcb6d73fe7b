//! Histories that are written down in a few words.

use std::fmt::Write as _;
use std::sync::Arc;

use actum_model::{
    ActorId, CaseEvent, CaseId, Change, ConditionIx, Event, FrameId, ItemId, Meta, Seq, SystemEvent, TaskIx, Time,
    Value, VariableIx,
};
use actum_net::Net;

use crate::rules::{Audit, Report, RuleSet, rules};
use crate::{Fact, LoggedEvent, Names, Stream};

/// Tasks `a` to `d`, an integer `n`, a text `who`.
const NET: &str = "\
actum: 1
net: letters
data: { n: { type: int, input: true }, who: { type: string, input: true } }
start: a
tasks:
  a: { handler: log, output: { n: '{{ n }}', who: '{{ who }}' }, flow: b }
  b: { handler: log, flow: c }
  c: { handler: log, flow: d }
  d: { handler: log, flow: end }
";

/// A history as it grows. Seconds count from 1970.
pub(super) struct History {
    net: Arc<Net>,
    pub(super) events: Vec<LoggedEvent>,
    versions: std::collections::BTreeMap<u64, u64>,
    second: u64,
    actor: u32,
}

impl History {
    pub(super) fn new() -> Self {
        let net = Arc::new(actum_net::compile(NET).expect("a net").net);
        let mut history = Self {
            net: net.clone(),
            events: Vec::new(),
            versions: std::collections::BTreeMap::new(),
            second: 0,
            actor: 0,
        };
        let canonical = net.canonical.clone();
        history.system(SystemEvent::NetDeployed { net: net.hash, name: net.name.clone(), canonical });
        for (id, name) in (1..).zip(["ana", "ben", "cem"]) {
            history.system(SystemEvent::ActorRegistered {
                actor: ActorId(id),
                name: name.to_owned(),
                roles: Vec::new(),
            });
        }
        history
    }

    /// From now on it is so late.
    pub(super) fn at(&mut self, second: u64) -> &mut Self {
        self.second = second;
        self
    }

    /// From now on they act: 0 is the engine.
    pub(super) fn by(&mut self, actor: u32) -> &mut Self {
        self.actor = actor;
        self
    }

    pub(super) fn start(&mut self, case: u64, n: Option<i64>) -> &mut Self {
        let net = self.net.hash;
        let n = n.map(|n| Change { variable: self.variable("n"), value: Value::Int(n) });
        self.case(
            case,
            CaseEvent::CaseStarted { net, semantics: 1, changes: n.into_iter().collect(), produced: Vec::new() },
        )
    }

    /// Work is done.
    pub(super) fn done(&mut self, case: u64, task: &str) -> &mut Self {
        self.done_with(case, task, Value::Null, None)
    }

    pub(super) fn done_with(&mut self, case: u64, task: &str, result: Value, n: Option<i64>) -> &mut Self {
        let task = self.task(task);
        let changes = n.map(|n| Change { variable: self.variable("n"), value: Value::Int(n) }).into_iter().collect();
        let produced: Vec<ConditionIx> = Vec::new();
        self.case(case, CaseEvent::WorkCompleted { item: ItemId(task.0), task, result, changes, produced })
    }

    pub(super) fn enabled_in(&mut self, case: u64, task: &str, frame: u32) -> &mut Self {
        let task = self.task(task);
        self.case(case, CaseEvent::WorkEnabled { item: ItemId(task.0), task, frame: FrameId(frame), instance: None })
    }

    pub(super) fn complete(&mut self, case: u64) -> &mut Self {
        self.case(case, CaseEvent::CaseCompleted)
    }

    pub(super) fn cancel(&mut self, case: u64) -> &mut Self {
        self.case(case, CaseEvent::CaseCancelled { reason: "asked".to_owned() })
    }

    pub(super) fn case(&mut self, case: u64, event: CaseEvent) -> &mut Self {
        self.push(Stream::Case(CaseId(case)), case, Fact::Event(Event::Case(event)))
    }

    pub(super) fn system(&mut self, event: SystemEvent) -> &mut Self {
        self.push(Stream::Directory, u64::MAX, Fact::Event(Event::System(event)))
    }

    fn push(&mut self, stream: Stream, id: u64, fact: Fact) -> &mut Self {
        let version = self.versions.entry(id).or_default();
        *version += 1;
        let seq = Seq(self.events.len() as u64);
        let time = Time(self.second * 1_000_000_000);
        let meta = Meta { seq, version: *version, time, actor: ActorId(self.actor), cause: None };
        let is_start = matches!(fact, Fact::Event(Event::Case(CaseEvent::CaseStarted { .. })));
        let key = is_start.then(|| format!("K{id}"));
        self.events.push(LoggedEvent {
            partition: 0,
            stream,
            meta,
            key,
            on_behalf_of: None,
            command: None,
            trace: None,
            remote_cause: None,
            fact,
        });
        self
    }

    fn task(&self, name: &str) -> TaskIx {
        TaskIx::of(self.net.tasks.iter().position(|task| task.name == name).expect("a task"))
    }

    fn variable(&self, name: &str) -> VariableIx {
        VariableIx::of(self.net.variables.iter().position(|variable| variable.name == name).expect("a variable"))
    }

    pub(super) fn judged(&self, rules: &RuleSet) -> Report {
        let mut names = Names::default();
        let mut audit = Audit::new(rules, 1_000);
        for event in &self.events {
            names.learn(event).expect("a net that can be read");
            audit.take(event, &names);
        }
        audit.finish(&names)
    }
}

/// A file with one rule, whose lines are indented for it.
pub(super) fn one_rule(lines: &str) -> String {
    let mut file = "actum: 1\naudit: test\nrules:\n  it:\n".to_owned();
    for line in lines.lines() {
        writeln!(file, "    {line}").expect("text");
    }
    file
}

pub(super) fn rule(lines: &str) -> RuleSet {
    let file = one_rule(lines);
    rules(&file)
        .unwrap_or_else(|found| panic!("{file}\n{}", found.iter().map(|one| format!("{one}\n")).collect::<String>()))
}

/// What a rule says, in short: `satisfied violated pending vacuous; breaches`, each with its positions.
pub(super) fn check(history: &History, lines: &str, expected: &str) {
    let set = rule(lines);
    let report = history.judged(&set);
    let rule = &report.rules[0];
    let breaches: Vec<String> = rule
        .listed
        .iter()
        .map(|one| {
            let events: Vec<String> = one.events.iter().map(|event| format!("{} {}", event.part, event.seq)).collect();
            format!("; {}: {}", one.why, events.join(", "))
        })
        .collect();
    let said = format!("{} {} {} {}{}", rule.satisfied, rule.violated, rule.pending, rule.vacuous, breaches.concat());
    assert_eq!(said, expected, "{lines}\n{:?} {:?} {:?}", rule.limit, rule.failed, rule.notes);
}
