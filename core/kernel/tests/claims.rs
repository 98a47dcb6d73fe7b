//! The example of insurance claims runs to its ends: subnets, instances, signals, timers and cancellation together.

use std::collections::{BTreeMap, BTreeSet};

use actum_kernel::{Context, decide};
use actum_model::{
    ActorId, Case, CaseCommand, CaseId, CaseStatus, Directory, ItemId, Meta, Phase, Rejection, Seq, SystemEvent, Time,
    Value, WorkItemState,
};
use actum_net::{Net, Scope, VariableIx, Work};

const MINUTE: u64 = 60_000_000_000;

/// Commands that one case may take: far more than any needs.
const STEPS_MAX: usize = 10_000;

/// One case in a world of simulated people, signals and clocks.
struct World<'n> {
    net: &'n Net,
    directory: &'n Directory,
    case: Case,
    now: Time,
    chance: u64,
    /// When what an item waits for comes: people, or a signal.
    due: BTreeMap<ItemId, Time>,
    /// Labels of the tasks whose work completed.
    completed: BTreeSet<String>,
}

impl World<'_> {
    fn ask(&mut self, actor: ActorId, command: &CaseCommand) -> Result<(), Rejection> {
        let context = Context::new(self.now, actor, self.directory);
        for one in decide(self.net, &self.case, command, &context)? {
            let (seq, version) = (Seq(self.case.version + 1), self.case.version + 1);
            let meta = Meta { seq, version, time: self.now, actor: one.actor, cause: None };
            if let actum_model::CaseEvent::WorkCompleted { task, .. } = &one.event {
                self.completed.insert(self.net.task_label(*task));
            }
            self.case.apply(&meta, &one.event);
        }
        Ok(())
    }

    fn engine(&mut self, command: &CaseCommand) {
        self.ask(ActorId::ENGINE, command).unwrap_or_else(|rejection| panic!("{command:?}: {rejection}"));
    }

    /// splitmix64
    fn below(&mut self, limit: u64) -> u64 {
        self.chance = self.chance.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.chance;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn run(&mut self) {
        for _ in 0..STEPS_MAX {
            if self.case.control.status != CaseStatus::Open {
                return;
            }
            let items: Vec<WorkItemState> = self.case.control.items.to_vec();
            self.due.retain(|id, _| items.iter().any(|item| item.id == *id));
            if let Some(item) = items.iter().find(|item| self.is_called(item)) {
                self.call(item);
                continue;
            }
            let mut next: Option<(Time, &WorkItemState)> = None;
            for item in &items {
                let Some(at) = item.timer.or_else(|| self.comes(item)) else { continue };
                if next.is_none_or(|(earliest, _)| at < earliest) {
                    next = Some((at, item));
                }
            }
            let (at, item) = next.unwrap_or_else(|| panic!("nothing will ever happen: {:#?}", self.case.control));
            self.now = self.now.max(at);
            self.happen(item);
        }
        panic!("the case does not end");
    }

    /// Whether a handler is at work on it.
    fn is_called(&self, item: &WorkItemState) -> bool {
        let task = &self.net.tasks[item.task.index()];
        let alone = task.instances.is_none() || item.instance.is_some();
        item.phase == Phase::Started && alone && matches!(task.work, Work::Automatic { .. })
    }

    fn call(&mut self, item: &WorkItemState) {
        let Work::Automatic { handler, params } = &self.net.tasks[item.task.index()].work else { return };
        let params = params.render(&Data(&self.case)).unwrap();
        let result = if handler == "expr" { params } else { Value::Map(BTreeMap::new()) };
        self.engine(&CaseCommand::CompleteWork { item: item.id, result });
    }

    /// When somebody does the item, or the signal comes that it waits for.
    fn comes(&mut self, item: &WorkItemState) -> Option<Time> {
        let task = &self.net.tasks[item.task.index()];
        let minutes = match (&task.trigger, item.phase) {
            (Some(trigger), Phase::Enabled) => {
                self.net.play.signals.iter().find(|play| play.signal == trigger.signal)?.minutes
            }
            (_, Phase::Offered) => self.net.play.tasks.iter().find(|play| play.task == item.task)?.minutes,
            _ => return None,
        };
        if let Some(at) = self.due.get(&item.id) {
            return Some(*at);
        }
        let minutes = u64::from(minutes.0) + self.below(u64::from(minutes.1 - minutes.0) + 1);
        let at = Time(self.now.0 + minutes * MINUTE);
        self.due.insert(item.id, at);
        Some(at)
    }

    fn happen(&mut self, item: &WorkItemState) {
        let task = &self.net.tasks[item.task.index()];
        if item.timer.is_some() {
            return self.engine(&CaseCommand::TimerFired { item: item.id });
        }
        if let (Some(trigger), Phase::Enabled) = (&task.trigger, item.phase) {
            return self.engine(&CaseCommand::Signal { name: trigger.signal.clone(), data: Value::Null });
        }
        let people = 1..=u32::try_from(PEOPLE.len()).unwrap();
        let taken =
            people.map(ActorId).find(|actor| self.ask(*actor, &CaseCommand::TakeWork { item: item.id }).is_ok());
        let actor = taken.unwrap_or_else(|| panic!("nobody may do {}", self.net.task_label(item.task)));
        self.ask(actor, &CaseCommand::StartWork { item: item.id }).unwrap();
        let results = &self.net.play.tasks.iter().find(|play| play.task == item.task).unwrap().results;
        let mut at = self.below(results.iter().map(|result| u64::from(result.weight)).sum());
        let chosen = results.iter().find(|result| {
            let chosen = at < u64::from(result.weight);
            at = at.saturating_sub(u64::from(result.weight));
            chosen
        });
        let result = chosen.unwrap().result.clone();
        self.ask(actor, &CaseCommand::CompleteWork { item: item.id, result }).unwrap();
    }
}

/// The root's data.
struct Data<'c>(&'c Case);

impl Scope for Data<'_> {
    fn variable(&self, variable: VariableIx) -> Option<&Value> {
        self.0.variable(variable)
    }

    fn result(&self) -> Option<&Value> {
        None
    }
}

const PEOPLE: [(&str, &str); 6] = [
    ("ines", "inspector"),
    ("igor", "inspector"),
    ("sena", "senior-inspector"),
    ("edda", "examiner"),
    ("emre", "examiner"),
    ("elif", "examiner"),
];

/// A line of JSON is a literal of the net language.
fn inputs(line: &str) -> BTreeMap<String, Value> {
    let source = format!(
        "actum: 1\nnet: n\ndata: {{ line: {{ type: map, default: {line} }} }}\nstart: a\ntasks: {{ a: {{ flow: end }} }}\n"
    );
    let net = actum_net::compile(&source).unwrap_or_else(|found| panic!("{found:#?}")).net;
    match net.variables[0].default.clone() {
        Some(Value::Map(mut entries)) => {
            entries.remove("key");
            entries
        }
        other => panic!("not an object: {other:?}"),
    }
}

#[test]
fn every_claim_is_closed_one_way_or_another() {
    let net = actum_net::compile(include_str!("../../../tools/examples/insurance-claim.yaml")).unwrap().net;
    let mut directory = Directory::default();
    for (at, (name, role)) in PEOPLE.into_iter().enumerate() {
        let actor = ActorId(u32::try_from(at + 1).unwrap());
        directory.apply(&SystemEvent::ActorRegistered { actor, name: name.to_owned(), roles: vec![role.to_owned()] });
    }
    let mut outcomes = BTreeMap::<String, usize>::new();
    let mut completed = BTreeSet::new();
    for (at, line) in include_str!("../../../tools/examples/claims.jsonl").lines().enumerate() {
        for seed in 0..20 {
            let mut world = World {
                net: &net,
                directory: &directory,
                case: Case::unborn(CaseId(1)),
                now: Time(MINUTE),
                chance: at as u64 * 1_000 + seed,
                due: BTreeMap::new(),
                completed: BTreeSet::new(),
            };
            world.engine(&CaseCommand::StartCase { input: inputs(line) });
            world.run();
            assert_eq!(world.case.control.status, CaseStatus::Completed, "seed {seed}: {line}");
            assert!(world.case.control.items.is_empty() && world.case.control.frames().is_empty());
            let variable = |name| world.case.variable(net.variable(name).unwrap()).cloned();
            let Some(Value::String(outcome)) = variable("outcome") else { panic!("no outcome: {line}") };
            let decided = matches!(outcome.as_str(), "paid" | "refused");
            assert_eq!(variable("approved"), decided.then(|| Value::Bool(outcome == "paid")));
            *outcomes.entry(outcome).or_default() += 1;
            completed.append(&mut world.completed);
        }
    }
    assert_eq!(outcomes.keys().collect::<Vec<_>>(), ["lapsed", "paid", "refused", "withdrawn"], "{outcomes:?}");
    let all: BTreeSet<String> =
        (0..net.tasks.len()).map(|task| net.task_label(actum_model::TaskIx::of(task))).collect();
    assert_eq!(completed, all);
}
