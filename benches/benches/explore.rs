//! Promise: exploring a net visits at least 200,000 states/s, by the kernel's own `decide` and `apply`.
//!
//! Compared with, in the same run: one `decide` and `apply` alone, which each step needs two or three of; so the figure says
//! how much the explorer adds. Every state of the nets has many steps, all of which are taken: steps/s are given beside.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use actum_kernel::explore::{Exploration, View, explore};
use actum_kernel::{Context, decide};
use actum_model::{ActorId, Case, CaseCommand, CaseId, Directory, Meta, Seq, Time};
use actum_net::{Net, Scenario};

fn main() {
    println!("{:<28} {:>9} {:>9} {:>8} {:>12} {:>12}", "net", "states", "steps", "ms", "states/s", "steps/s");
    row("8 branches, completions", &parallel(8, 2), View::default());
    row("6 branches, lifecycle", &parallel(6, 2), View { lifecycle: true, cancel: false });
    row("chain of 2,000, lifecycle", &chain(2_000), View { lifecycle: true, cancel: false });
    row("choices behind each other", &choices(9), View::default());
    alone();
}

fn row(name: &str, net: &Net, view: View) {
    let scenario = Scenario::default();
    let exploration = Exploration { net, scenario: &scenario, view, states_max: 2_000_000 };
    let mut best = f64::INFINITY;
    let mut counts = (0, 0);
    for _ in 0..3 {
        let begin = Instant::now();
        let space = black_box(explore(&exploration)).expect("a case begins");
        best = best.min(begin.elapsed().as_secs_f64());
        assert!(space.is_complete(), "all of it fits");
        counts = (space.states(), space.steps());
    }
    let (states, steps) = counts;
    println!(
        "{name:<28} {states:>9} {steps:>9} {:>8.1} {:>12.0} {:>12.0}",
        best * 1e3,
        states as f64 / best,
        steps as f64 / best
    );
}

/// One start of a case, decided and applied, without an explorer.
fn alone() {
    const TIMES: u32 = 200_000;
    let net = chain(2);
    let directory = Directory::default();
    let context = Context::new(Time(0), ActorId::ENGINE, &directory);
    let command = CaseCommand::StartCase { input: std::collections::BTreeMap::new() };
    let begin = Instant::now();
    for _ in 0..TIMES {
        let mut case = Case::unborn(CaseId(1));
        for one in decide(&net, &case, &command, &context).expect("it starts") {
            let meta = Meta { seq: Seq(0), version: 0, time: Time(0), actor: one.actor, cause: None };
            case.apply(&meta, &one.event);
        }
        black_box(case);
    }
    println!("one decide and apply alone: {:.2} µs", begin.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES));
}

fn compiled(tasks: &str) -> Net {
    let text = format!(
        "actum: 1\nnet: bench\ndata: {{ v: {{ type: int, input: true }} }}\nroles: {{ clerk: {{}} }}\nstart: a\ntasks:\n{tasks}"
    );
    actum_net::compile(&text).expect("the net may run").net
}

fn parallel(branches: usize, length: usize) -> Net {
    let names: Vec<String> = (0..branches).map(|branch| format!("b{branch}x0")).collect();
    let mut tasks = format!("  a: {{ role: clerk, split: and, flow: [{}] }}\n", names.join(", "));
    for branch in 0..branches {
        for at in 0..length {
            let next = if at + 1 == length { "z".to_owned() } else { format!("b{branch}x{}", at + 1) };
            let _ = writeln!(tasks, "  b{branch}x{at}: {{ role: clerk, flow: {next} }}");
        }
    }
    compiled(&(tasks + "  z: { role: clerk, join: and, flow: end }\n"))
}

fn chain(length: usize) -> Net {
    let mut tasks = String::from("  a: { role: clerk, flow: t0 }\n");
    for at in 0..length {
        let next = if at + 1 == length { "end".to_owned() } else { format!("t{}", at + 1) };
        let _ = writeln!(tasks, "  t{at}: {{ role: clerk, flow: {next} }}");
    }
    compiled(&tasks)
}

/// Each task decides whether the next but one is skipped, beside a branch that does not care.
fn choices(length: usize) -> Net {
    let mut tasks = String::from("  a: { role: clerk, split: and, flow: [t0, u0] }\n");
    for (name, other) in [("t", "x"), ("u", "y")] {
        for at in 0..length {
            let next = if at + 1 == length { "z".to_owned() } else { format!("{name}{}", at + 1) };
            let _ = writeln!(
                tasks,
                "  {name}{at}: {{ role: clerk, join: xor, split: xor, flow: [{{ to: {other}{at}, when: \"v > 0\" }}, {{ to: {next}, default: true }}] }}\n  {other}{at}: {{ role: clerk, flow: {name}{at} }}"
            );
        }
    }
    compiled(&(tasks + "  z: { role: clerk, join: and, flow: end }\n"))
}
