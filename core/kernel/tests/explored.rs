//! What an exploration lists is what the kernel does: every random run of a random net is in it, and every end of it is one
//! that a run can have.

use std::collections::BTreeMap;

use actum_kernel::explore::{Ending, Exploration, View, explore};
use actum_kernel::{Context, decide};
use actum_model::{
    ActorId, Case, CaseCommand, CaseEvent, CaseId, CaseStatus, Directory, ItemId, Meta, Phase, Seq, SystemEvent,
    TaskIx, Time, Value,
};
use actum_net::{EventSupply, Happening, Net, Scenario, Work};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const VIEW: View = View { lifecycle: true, cancel: true };

/// More states than this are not looked at; such nets are mostly unbounded.
const STATES_MAX: usize = 1_000;

/// A task as it is drawn: how it works, joins, splits, and where else it leads.
#[derive(Debug, Clone)]
struct Drawn {
    work: u8,
    join: u8,
    split: u8,
    more: Vec<usize>,
}

fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    let task = (0..5_u8, 0..6_u8, 0..3_u8, prop::collection::vec(0..10_usize, 0..3))
        .prop_map(|(work, join, split, more)| Drawn { work, join, split, more });
    prop::collection::vec(task, 2..6)
}

/// A net file: a chain from start to end, and whatever else was drawn; one condition that several may take from.
fn net(tasks: &[Drawn]) -> Option<Net> {
    use std::fmt::Write as _;
    const JOINS: [&str; 6] =
        ["and", "xor", "or", "{ of: 1, rest: absorb }", "{ of: 1, rest: block }", "{ of: 1, rest: cancel }"];
    const SPLITS: [&str; 3] = ["and", "xor", "or"];
    let count = tasks.len();
    let mut text = String::from(
        "actum: 1\nnet: drawn\ndata: { v: { type: int, input: true, default: 0 } }\nroles: { clerk: {} }\nstart: t0\ntasks:\n",
    );
    let mut shared = false;
    let mut inputs = vec![0_usize; count];
    inputs[0] = 1;
    let mut flows_of = Vec::new();
    for (index, task) in tasks.iter().enumerate() {
        let mut targets = vec![if index + 1 == count { "end".to_owned() } else { format!("t{}", index + 1) }];
        for more in &task.more {
            let target = match more % (count + 2) {
                to if to < count => format!("t{to}"),
                to if to == count => "c".to_owned(),
                _ => "end".to_owned(),
            };
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        for target in &targets {
            shared |= target == "c";
            if let Some(to) = target.strip_prefix('t').and_then(|to| to.parse::<usize>().ok()) {
                inputs[to] += 1;
            }
        }
        flows_of.push(targets);
    }
    for (index, task) in tasks.iter().enumerate() {
        let targets = &flows_of[index];
        let many = targets.len() > 1;
        let flow = |(at, target): (usize, &String)| match task.split {
            0 => format!("{{ to: {target} }}"),
            _ if !many => format!("{{ to: {target} }}"),
            _ if at + 1 == targets.len() => format!("{{ to: {target}, default: true }}"),
            _ => format!("{{ to: {target}, when: \"v % {} == 0\" }}", at + 2),
        };
        let flows: Vec<String> = targets.iter().enumerate().map(flow).collect();
        let work = match task.work {
            0 => "handler: h, output: { v: \"{{ result }}\" }, ",
            1 => "",
            2 => "role: clerk, form: { v: { type: int } }, output: { v: \"{{ result.v }}\" }, ",
            3 => "role: clerk, instances: { count: 2, threshold: 1 }, ",
            _ => "role: clerk, ",
        };
        let cancels = if task.join == 5 { format!("cancels: [t{}], ", (index + 1) % count) } else { String::new() };
        let join = if inputs[index] > 1 { JOINS[usize::from(task.join)] } else { "xor" };
        let cancels = if join.contains("cancel") { cancels } else { String::new() };
        let split = if many { format!("split: {}, ", SPLITS[usize::from(task.split)]) } else { String::new() };
        writeln!(text, "  t{index}: {{ {work}{cancels}join: {join}, {split}flow: [{}] }}", flows.join(", ")).ok()?;
    }
    if shared {
        text.push_str("conditions:\n  c: { flow: [t0, t1] }\n");
    }
    let milder = text.replace("join: and", "join: or");
    [text, milder].iter().find_map(|text| actum_net::compile(text).ok()).map(|checked| checked.net)
}

/// A case that is really run, and what it shows.
struct Run<'n> {
    net: &'n Net,
    directory: Directory,
    case: Case,
    words: Vec<String>,
}

impl Run<'_> {
    /// Asks, applies, and tells what happened as an exploration would. False if it was rejected.
    fn ask(&mut self, actor: ActorId, command: &CaseCommand, first: Option<&str>) -> bool {
        let context = Context::new(Time(1), actor, &self.directory);
        let Ok(decided) = decide(self.net, &self.case, command, &context) else { return false };
        let mut told: Vec<(String, bool)> = first.iter().map(|word| ((*word).to_owned(), false)).collect();
        let mut asked = match command {
            CaseCommand::StartWork { item } | CaseCommand::CompleteWork { item, .. } => Some(*item),
            _ => None,
        };
        let mut rest: Vec<(String, bool)> = Vec::new();
        for one in &decided {
            if let Some((word, cancel)) = self.word(&one.event) {
                let of = one.event.work().map(|(item, _)| item);
                if !cancel && asked.is_some() && of == asked {
                    told.push((word, false));
                    asked = None;
                } else {
                    rest.push((word, cancel));
                }
            }
            let version = self.case.version + 1;
            let meta = Meta { seq: Seq(version), version, time: Time(1), actor: one.actor, cause: None };
            self.case.apply(&meta, &one.event);
        }
        if matches!(decided.last().map(|one| &one.event), Some(CaseEvent::CaseCompleted)) {
            let row = rest.iter().rev().take_while(|(_, cancel)| *cancel).count();
            let from = rest.len() - row;
            for (word, _) in &mut rest[from..] {
                *word = word.replace('!', "#");
            }
        }
        rest.chunk_by_mut(|one, other| one.1 == other.1).filter(|row| row[0].1).for_each(<[_]>::sort);
        told.append(&mut rest);
        self.words.extend(told.into_iter().map(|(word, _)| word));
        true
    }

    /// The word of an event, and whether it is about work that stopped.
    fn word(&self, event: &CaseEvent) -> Option<(String, bool)> {
        let (item, task) = event.work()?;
        let definition = &self.net.tasks[task.index()];
        let instance = self.case.control.item(item).is_some_and(|item| item.instance.is_some());
        let firing = definition.instances.is_some() && !instance;
        if matches!(definition.work, Work::Routing) || firing {
            return None;
        }
        let name = &definition.name;
        match event {
            CaseEvent::WorkStarted { .. } => Some((format!("{name}+"), false)),
            CaseEvent::WorkCompleted { .. } => Some((format!("{name}-"), false)),
            CaseEvent::WorkWithdrawn { .. } if instance => Some((format!("{name}!"), true)),
            CaseEvent::WorkWithdrawn { .. } => Some((format!("{name}~"), true)),
            CaseEvent::WorkCancelled { .. } => Some((format!("{name}!"), true)),
            _ => None,
        }
    }

    /// Does something with a live item, as drawn.
    fn step(&mut self, (choice, v): (u8, i64)) {
        let items = &self.case.control.items;
        if choice == 255 || items.is_empty() {
            self.ask(ActorId::ENGINE, &CaseCommand::CancelCase { reason: String::new() }, Some("cancel"));
            return;
        }
        let state = &items[usize::from(choice) % items.len()];
        let (item, task, phase): (ItemId, TaskIx, Phase) = (state.id, state.task, state.phase);
        let people = ActorId(1);
        match phase {
            Phase::Offered => self.ask(people, &CaseCommand::TakeWork { item }, None),
            Phase::Allocated => self.ask(people, &CaseCommand::StartWork { item }, None),
            Phase::Started => match &self.net.tasks[task.index()].work {
                Work::Manual { form, .. } => {
                    let result = if form.is_empty() {
                        BTreeMap::new()
                    } else {
                        BTreeMap::from([("v".to_owned(), Value::Int(v))])
                    };
                    self.ask(people, &CaseCommand::CompleteWork { item, result: Value::Map(result) }, None)
                }
                _ => self.ask(ActorId::ENGINE, &CaseCommand::CompleteWork { item, result: Value::Int(v) }, None),
            },
            _ => false,
        };
    }
}

fn directory() -> Directory {
    let mut directory = Directory::default();
    let roles = vec!["clerk".to_owned()];
    directory.apply(&SystemEvent::ActorRegistered { actor: ActorId(1), name: "p".to_owned(), roles });
    directory
}

/// A task cancels another, and then makes it possible in the same step in which the case ends.
#[test]
fn what_began_after_a_cancellation_is_discarded_and_not_cancelled() {
    let text = "actum: 1\nnet: n\nroles: { clerk: {} }\nstart: a\ntasks:\n  a: { handler: h, cancels: [b], split: and, flow: [b, c] }\n  b: { role: clerk, instances: { count: 2 }, flow: end }\n  c: { flow: end }\n";
    let net = actum_net::compile(text).unwrap().net;
    let scenario = Scenario::default();
    let exploration = Exploration { net: &net, scenario: &scenario, view: VIEW, states_max: STATES_MAX };
    let words = ["a+", "a-", "b#", "b#"].map(str::to_owned);
    let space = explore(&exploration).unwrap();
    let followed = space.follow(&words);
    assert_eq!((followed.words, followed.endings.contains(&Ending::Done)), (words.len(), true));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn every_run_is_in_the_exploration(
        tasks in drawn(),
        input in 0..6_i64,
        steps in prop::collection::vec((any::<u8>(), 0..6_i64), 0..40),
    ) {
        let Some(net) = net(&tasks) else { return Ok(()) };
        let supply = EventSupply { label: "cancel".to_owned(), what: Happening::CancelCase, count: 1 };
        let scenario = Scenario { events: vec![supply], ..Scenario::default() };
        let exploration = Exploration { net: &net, scenario: &scenario, view: VIEW, states_max: STATES_MAX };
        let space = explore(&exploration).expect("a case can begin");
        let mut run =
            Run { net: &net, directory: directory(), case: Case::unborn(CaseId(1)), words: Vec::new() };
        let input = BTreeMap::from([("v".to_owned(), Value::Int(input))]);
        let started = run.ask(ActorId::ENGINE, &CaseCommand::StartCase { input }, None);
        prop_assert!(started, "a case can begin");
        for step in steps {
            if run.case.control.status != CaseStatus::Open {
                break;
            }
            run.step(step);
        }
        let followed = space.follow(&run.words);
        if !space.is_complete() {
            // As far as was looked, nothing can be said against it.
            return Ok(());
        }
        let canonical = String::from_utf8_lossy(&net.canonical);
        prop_assert_eq!(followed.words, run.words.len(), "{:?} is not in the exploration of {}", run.words, canonical);
        let ending = match run.case.control.status {
            CaseStatus::Completed => Some(Ending::Done),
            CaseStatus::Deadlocked => Some(Ending::Stuck),
            CaseStatus::Cancelled => Some(Ending::Cancelled),
            CaseStatus::Failed => Some(Ending::Failed),
            _ => None,
        };
        if let Some(ending) = ending {
            prop_assert!(followed.endings.contains(&ending), "{:?} ends as {:?}", run.words, followed.endings);
        }
    }

    /// What is listed, the exploration itself follows to the end that is listed; each trace once.
    #[test]
    fn what_is_listed_can_be_followed(tasks in drawn()) {
        let Some(net) = net(&tasks) else { return Ok(()) };
        let scenario = Scenario::default();
        let exploration = Exploration { net: &net, scenario: &scenario, view: VIEW, states_max: STATES_MAX };
        let space = explore(&exploration).expect("a case can begin");
        let traces = space.traces(50);
        for (index, trace) in traces.list.iter().enumerate() {
            let followed = space.follow(&trace.words);
            prop_assert!(followed.words == trace.words.len() && followed.endings.contains(&trace.outcome), "{:?}", trace);
            prop_assert!(!traces.list[..index].contains(trace));
        }
        prop_assert_eq!(explore(&exploration).expect("again").traces(50), traces, "the same again");
    }
}
