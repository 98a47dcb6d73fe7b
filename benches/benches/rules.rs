//! Promise: a dozen rules judge at least 500,000 events/s on one core: decoded, conditions evaluated, groups kept.
//!
//! Compared with, in the same run: decoding the same log and judging nothing; each kind of rule alone.

use std::time::Instant;

use actum_benches::five::written;
use actum_log::MemoryStore;
use actum_replay::events;
use actum_replay::rules::{Audit, Outcome, rules};

const CASES: usize = 40_000;
const ROUNDS: usize = 3;

/// A dozen: half of them with conditions, one over all cases.
const RULES: [&str; 12] = [
    "response: { after: one, then: five, within: P1D }",
    "response: { after: { kind: CaseStarted }, then: { kind: CaseCompleted } }",
    "precedence: { only: three, after: two }",
    "precedence: { only: { task: five, when: vars.n > 3 }, after: { task: four, when: variables.n > 2 } }",
    "absence: { never: { kind: WorkFailed } }",
    "absence: { never: { task: one, when: result.n < 0 }, at-most: 3 }",
    "existence: { of: five, at-most: 1 }",
    "four-eyes: { of: [one, two], by: \"actor == 'engine' ? null : actor\" }",
    "within: { from: one, to: five, at-most: PT1H }",
    "chain-response: { after: two, next: three }",
    "exclusion: { of: [one, { kind: CaseFailed }] }",
    "across: vars.n % 1000\n    absence: { never: { task: one, when: vars.n >= 0 }, at-most: 100, within: PT1S }",
];

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let store = runtime.block_on(written(CASES));
    let total = events(&store).expect("a genesis").count() as f64;
    println!("{total} events of {CASES} cases");
    let bare = best(|| read(&store));
    println!("decoded only   : {:>10.0} events/s", total / bare);
    print("a dozen rules", total, best(|| judge(&store, &RULES)), bare);
    for rule in RULES {
        let name = rule.split('\n').next_back().unwrap_or(rule).trim();
        print(&name[..name.len().min(44)], total, best(|| judge(&store, &[rule])), bare);
    }
}

fn print(name: &str, total: f64, time: f64, bare: f64) {
    println!("{name:<44}: {:>10.0} events/s, {:.2} times decoding", total / time, time / bare);
}

/// Seconds of the fastest round.
fn best(mut run: impl FnMut() -> usize) -> f64 {
    let round = |()| {
        let begin = Instant::now();
        assert!(run() > 0);
        begin.elapsed().as_secs_f64()
    };
    [(); ROUNDS].map(round).into_iter().fold(f64::INFINITY, f64::min)
}

fn read(store: &MemoryStore) -> usize {
    events(store)
        .expect("a genesis")
        .filter(|event| event.as_ref().expect("the log is whole").of_case().is_some())
        .count()
}

fn judge(store: &MemoryStore, lines: &[&str]) -> usize {
    let listed = lines.iter().enumerate().map(|(at, rule)| format!("  r{at}:\n    {rule}\n")).collect::<String>();
    let rules = rules(&format!("actum: 1\naudit: bench\nrules:\n{listed}")).expect("rules");
    let mut audit = Audit::new(&rules, 100);
    let mut all = events(store).expect("a genesis");
    while let Some(event) = all.next() {
        audit.take(&event.expect("the log is whole"), all.names());
    }
    let report = audit.finish(all.names());
    assert_eq!(report.count(Outcome::Undecided), 0, "{report:#?}");
    report.events as usize
}
