//! Promises of the kernel alone, no disk: a transition of a work item at most 100 ns (decide and apply), a guard at most 30 ns,
//! an OR-join of 30 tasks at most 50 µs, at most 100 ns when its answer is remembered, an idle case at most 600 bytes.
//!
//! A round is three commands (take, start, complete) that give five events (allocated, started, completed with a guard that
//! chooses, enabled, offered): its time per event and per command are given. What an OR-join costs is the difference to the
//! same command where the join is an AND-join, or where the answer is remembered.
//!
//! Instructions do not depend on who else uses the machine. `kernel ROW TIMES` (`ROW` as printed) does one row so often and
//! measures nothing; below `valgrind --tool=callgrind`, the difference of two runs divided by that of their times is one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use actum_kernel::resource::{Held, Pool, Pools, Practice, ResourceFacts};
use actum_kernel::{Context, OrJoins, decide};
use actum_model::{
    ActorId, Case, CaseCommand, CaseId, Directory, ItemId, Meta, Seq, SystemEvent, TaskIx, Time, Value, VariableIx,
};
use actum_net::{Guard, Net, Scope};

const ANA: ActorId = ActorId(1);
/// Cases whose memory is measured.
const CASES: usize = 50_000;
/// Times that a row is measured; the fastest counts.
const ROUNDS: usize = 9;

const LOOP: &str = "start: a\ntasks:\n  a: { role: clerk, join: xor, split: xor, flow: [{ to: b, when: 'v > 0' }, { to: end, default: true }] }\n  b: { role: clerk, flow: a }\n";
const FORM: &str = "start: a\ntasks:\n  a: { role: clerk, join: xor, split: xor, form: { n: { type: int } }, output: { v: '{{ result.n }}' }, flow: [{ to: b, when: 'v > 0' }, { to: end, default: true }] }\n  b: { role: clerk, flow: a }\n";
const CHAIN: &str = "start: a\ntasks:\n  a: { role: clerk, flow: b }\n  b: { role: clerk, flow: end }\n";
const GUARDS: &str = "start: a\ntasks:\n  a: { role: clerk, split: xor, flow: [{ to: b, when: 'v > 100' }, { to: c, when: 'v < w' }, { to: d, when: 's == \"granted\"' }, { to: e, when: 'v > 100 && v < w || s == \"granted\"' }, { to: end, default: true }] }\n  b: { role: clerk, flow: end }\n  c: { role: clerk, flow: end }\n  d: { role: clerk, flow: end }\n  e: { role: clerk, flow: end }\n";

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let only = arguments.next().map(|row| (row, arguments.next().and_then(|times| times.parse().ok()).unwrap_or(1)));
    let bench = Bench { only };
    bench.title("work item (promise: at most 100 ns a transition)");
    rounds(&bench);
    bench.title("guard (promise: at most 30 ns)");
    guards(&bench);
    bench.title("OR-join of 30 tasks (promise: at most 50 µs, remembered 100 ns)");
    or_joins(&bench);
    if bench.only.is_none() {
        bench.title("idle case (promise: at most 600 bytes)");
        memory();
    }
}

struct Bench {
    only: Option<(String, u64)>,
}

impl Bench {
    fn title(&self, text: &str) {
        if self.only.is_none() {
            println!("{text}");
        }
    }

    /// Nanoseconds of one `step`, the best of some rounds of `batch`.
    fn row<R>(&self, name: &str, batch: u32, mut step: impl FnMut() -> R) -> f64 {
        if let Some((row, times)) = &self.only {
            if row == name {
                (0..*times).for_each(|_| drop(black_box(step())));
            }
            return 0.0;
        }
        let mut best = f64::INFINITY;
        for _ in 0..ROUNDS {
            let begin = Instant::now();
            for _ in 0..batch {
                black_box(step());
            }
            best = best.min(begin.elapsed().as_secs_f64());
        }
        let nanos = best * 1e9 / f64::from(batch);
        println!("  {name:<24} {nanos:>10.1} ns");
        nanos
    }

    fn note(&self, text: &str, nanos: f64) {
        if self.only.is_none() {
            println!("    {text:<22} {nanos:>10.1} ns");
        }
    }
}

/// What whoever decides keeps ready, as the engine does: who comes into question for each task.
#[derive(Debug)]
struct Facts(Pools);

impl ResourceFacts for Facts {
    fn held(&self) -> Held<'_> {
        Held::default()
    }

    fn practice(&self, _net: &Net, _task: TaskIx) -> Practice<'_> {
        Practice::default()
    }

    fn pool(&self, net: &Net, task: TaskIx, directory: &Directory) -> Option<&Pool> {
        self.0.get(net, task, directory)
    }
}

/// A case, with what moves it.
struct World {
    net: Net,
    facts: Facts,
    directory: Directory,
    case: Case,
    seq: u64,
}

impl World {
    fn of(tasks: &str, input: &[(&str, Value)]) -> Self {
        let text = format!(
            "actum: 1\nnet: bench\nroles: {{ clerk: {{}} }}\ndata:\n  v: {{ type: int, input: true }}\n  w: {{ type: int, input: true }}\n  s: {{ type: string, input: true }}\n{tasks}"
        );
        let net = actum_net::compile(&text).unwrap_or_else(|found| panic!("{found:#?}")).net;
        let mut directory = Directory::default();
        let roles = vec!["clerk".to_owned()];
        directory.apply(&SystemEvent::ActorRegistered { actor: ANA, name: "ana".to_owned(), roles });
        let facts = Facts(Pools::of(&net));
        let mut world = World { net, facts, directory, case: Case::unborn(CaseId(1)), seq: 1 };
        world.ask(ActorId::ENGINE, &starting(input), None);
        world
    }

    /// Decides on a command and applies what it gives.
    fn ask(&mut self, actor: ActorId, command: &CaseCommand, memo: Option<&OrJoins>) {
        let context =
            Context { resources: Some(&self.facts), or_joins: memo, ..Context::new(Time(5), actor, &self.directory) };
        for one in decide(&self.net, &self.case, command, &context).expect("it is lawful") {
            self.seq += 1;
            let (seq, version) = (Seq(self.seq), self.case.version + 1);
            let meta = Meta { seq, version, time: Time(5), actor: one.actor, cause: None };
            self.case.apply(&meta, &one.event);
        }
    }

    fn decides(&self, actor: ActorId, command: &CaseCommand, memo: Option<&OrJoins>) -> usize {
        let context =
            Context { resources: Some(&self.facts), or_joins: memo, ..Context::new(Time(5), actor, &self.directory) };
        decide(&self.net, &self.case, command, &context).expect("it is lawful").len()
    }

    fn item(&self, task: &str) -> ItemId {
        self.case.control.item_of(self.net.task(task).expect("a task")).expect("it is live").id
    }

    fn complete(&mut self, task: &str) {
        let item = self.item(task);
        self.ask(ActorId::ENGINE, &CaseCommand::CompleteWork { item, result: Value::Null }, None);
    }
}

fn starting(input: &[(&str, Value)]) -> CaseCommand {
    CaseCommand::StartCase { input: input.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect() }
}

fn nothing() -> Value {
    Value::Map(BTreeMap::new())
}

fn rounds(bench: &Bench) {
    let filled = Value::Map(BTreeMap::from([("n".to_owned(), Value::Int(7))]));
    for (name, tasks, result) in [("round", LOOP, nothing()), ("round-form", FORM, filled)] {
        let mut world = World::of(tasks, &[("v", Value::Int(1))]);
        let mut results = [result, nothing()].into_iter().cycle();
        let nanos = bench.row(name, 20_000, || {
            let item = world.case.control.items[0].id;
            world.ask(ANA, &CaseCommand::TakeWork { item }, None);
            world.ask(ANA, &CaseCommand::StartWork { item }, None);
            let result = if name == "round" { nothing() } else { results.next().expect("it cycles") };
            world.ask(ANA, &CaseCommand::CompleteWork { item, result }, None);
        });
        bench.note("per command (3)", nanos / 3.0);
        bench.note("per event (5)", nanos / 5.0);
    }
    let mut world = World::of(LOOP, &[("v", Value::Int(1))]);
    let item = world.item("a");
    let commands = [
        ("decide-take", CaseCommand::TakeWork { item }),
        ("decide-start", CaseCommand::StartWork { item }),
        ("decide-complete", CaseCommand::CompleteWork { item, result: nothing() }),
    ];
    for (name, command) in commands {
        bench.row(name, 20_000, || world.decides(ANA, &command, None));
        world.ask(ANA, &command, None);
    }
}

struct Data<'a>(&'a Case);

impl Scope for Data<'_> {
    fn variable(&self, variable: VariableIx) -> Option<&Value> {
        self.0.variable(variable)
    }

    fn result(&self) -> Option<&Value> {
        None
    }
}

fn guards(bench: &Bench) {
    let values = [("v", Value::Int(3)), ("w", Value::Int(7)), ("s", Value::String("refused".to_owned()))];
    let world = World::of(GUARDS, &values);
    let task = &world.net.tasks[world.net.task("a").expect("a task").index()];
    let guards: Vec<&Guard> = task.outputs.iter().filter_map(|flow| flow.guard.as_ref()).collect();
    for (name, guard) in ["guard-constant", "guard-variable", "guard-text", "guard-compound"].iter().zip(guards) {
        bench.row(name, 200_000, || black_box(guard).eval(&Data(black_box(&world.case))));
    }
}

/// Two tasks on each of 14 branches, and as many of them taken as `v` says.
fn branches(join: &str, cancels: bool) -> String {
    let guarded: Vec<String> = (0..14).map(|branch| format!("{{ to: b{branch}, when: 'v > {branch}' }}")).collect();
    let mut text = format!(
        "start: a\ntasks:\n  a: {{ split: or, flow: [{}, {{ to: end, default: true }}] }}\n",
        guarded.join(", ")
    );
    for branch in 0..14 {
        let more = if cancels && branch == 13 { "cancels: [b12], " } else { "" };
        let _ = writeln!(
            text,
            "  b{branch}: {{ handler: h, {more}flow: c{branch} }}\n  c{branch}: {{ handler: h, flow: z }}"
        );
    }
    text + &format!("  z: {{ join: {join}, handler: h, flow: end }}\n")
}

/// A token that goes down a chain of 28 conditions, each an input of the join: nothing can come beside it, but to see so all
/// pairs must be looked at.
fn chain() -> String {
    let mut text = String::from("start: a\ntasks:\n  a: { flow: p0 }\n  z: { join: or, role: clerk, flow: end }\n");
    for at in 0..28 {
        let _ = writeln!(text, "  u{at}: {{ role: clerk, flow: p{} }}", at + 1);
    }
    text.push_str("conditions:\n");
    for at in 0..28 {
        let _ = writeln!(text, "  p{at}: {{ flow: [z, u{at}] }}");
    }
    text + "  p28: { flow: [z] }\n"
}

fn or_joins(bench: &Bench) {
    for (name, cancels, taken, done) in [("waits", false, 14, 0), ("waits-reset", true, 14, 0), ("fires", false, 7, 6)]
    {
        let mut times = Vec::new();
        for (kind, join) in [("and", "and"), ("cached", "or"), ("uncached", "or")] {
            let mut world = World::of(&branches(join, cancels), &[("v", Value::Int(taken))]);
            (0..done).for_each(|branch| {
                world.complete(&format!("b{branch}"));
                world.complete(&format!("c{branch}"));
            });
            world.complete(&format!("b{done}"));
            let item = world.item(&format!("c{done}"));
            let command = CaseCommand::CompleteWork { item, result: Value::Null };
            let memo = OrJoins::default();
            let memo = (kind == "cached").then_some(&memo);
            times.push(bench.row(&format!("{name}-{kind}"), 2_000, || world.decides(ActorId::ENGINE, &command, memo)));
        }
        // Where it fires, the AND-join does not: then the row with the AND-join says nothing.
        if name != "fires" {
            bench.note("the join, remembered", times[1] - times[0]);
        }
        bench.note("the answer", times[2] - times[1]);
    }
    let world = World::of(&chain(), &[]);
    let world = World { case: Case::unborn(CaseId(2)), ..world };
    let memo = OrJoins::default();
    let cached = bench.row("pairs-cached", 2_000, || world.decides(ActorId::ENGINE, &starting(&[]), Some(&memo)));
    let uncached = bench.row("pairs-uncached", 200, || world.decides(ActorId::ENGINE, &starting(&[]), None));
    bench.note("the answer", uncached - cached);
}

/// Bytes of a case that waits for a person: with its first task offered; with the second one taken.
fn memory() {
    let text = Value::String("x".repeat(48));
    println!("  Case itself {} bytes", size_of::<Case>());
    for (name, begun) in [("offered", false), ("one done, one taken", true)] {
        let mut world = World::of(CHAIN, &[("v", Value::Int(1)), ("s", text.clone())]);
        let before = resident();
        let mut cases = Vec::with_capacity(CASES);
        for _ in 0..CASES {
            world.case = Case::unborn(CaseId(1));
            world.ask(ActorId::ENGINE, &starting(&[("v", Value::Int(1)), ("s", text.clone())]), None);
            if begun {
                let item = world.item("a");
                world.ask(ANA, &CaseCommand::TakeWork { item }, None);
                world.ask(ANA, &CaseCommand::StartWork { item }, None);
                world.ask(ANA, &CaseCommand::CompleteWork { item, result: nothing() }, None);
                world.ask(ANA, &CaseCommand::TakeWork { item: world.item("b") }, None);
            }
            cases.push(std::mem::replace(&mut world.case, Case::unborn(CaseId(1))));
        }
        let bytes = resident().saturating_sub(before);
        println!("  {name:<24} {:>10} bytes", bytes / CASES);
        black_box(cases);
    }
}

/// Bytes of memory that the process has.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux says it");
    let pages: usize = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    pages * 4096
}
