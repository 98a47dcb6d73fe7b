//! Promise: an open case that waits (variables of 64 bytes at most) takes at most 600 bytes of the process's memory while it is
//! resident, projections and log included; and ten million open cases fit in 2 GiB when those that nobody touches rest.
//! `ACTUM_IDLE_CASES` sets the number (1,000,000), `ACTUM_IDLE_WAITS` what they wait for (`person`, `signal` or `message`),
//! `ACTUM_IDLE_RUN` one of the two runs (`resident` or `resting`).
//!
//! Compared with, each in a process of its own: all cases resident with all but 1,000 at rest; the first look at a case that rests
//! with one at a case that does not; memory in use with what is allocated, and with what each projection alone allocates.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use actum::{ActorId, CaseId, CaseStatus, Engine, ItemId, Limits, Message, NetHash, Value};
use actum_benches::{Disk, bytes_on_disk, millis};
use actum_projections::Projection;
use futures_util::{StreamExt, stream};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// Starts that wait for their answers at the same time.
const AT_ONCE: u64 = 4_000;
/// Cases that are there before memory is looked at: buffers have their size then.
const WARM: u64 = 20_000;
/// Cases that are asked to go on, far from each other.
const TOUCHED: u64 = 2_000;
/// Cases that do not rest in the run in which the others do.
const RESIDENT: usize = 1_000;
/// More cases are not opened again, nor are their projections made twice.
const REOPENED_MAX: u64 = 1_000_000;

fn main() {
    let cases = std::env::var("ACTUM_IDLE_CASES").map_or(1_000_000, |text| text.parse().expect("a number of cases"));
    let waits = std::env::var("ACTUM_IDLE_WAITS").unwrap_or_else(|_| "person".to_owned());
    match std::env::var("ACTUM_IDLE_RUN").as_deref() {
        Ok(run) => {
            let resident_max = if run == "resident" { usize::MAX } else { RESIDENT };
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
            runtime.block_on(Idle { cases, waits, resident_max }.measure());
        }
        Err(_) => {
            for run in ["resident", "resting"] {
                println!("-- {cases} cases that wait for a {waits}, {run}");
                let exe = std::env::current_exe().expect("this program");
                let status = Command::new(exe).env("ACTUM_IDLE_RUN", run).status().expect("a process");
                assert!(status.success(), "the run failed");
            }
        }
    }
}

struct Idle {
    cases: u64,
    waits: String,
    resident_max: usize,
}

impl Idle {
    fn net(&self) -> String {
        let waits = match &*self.waits {
            "person" => "role: clerk",
            "signal" => "trigger: { signal: go }",
            "message" => "receive: { message: paid, key: '{{ about }}' }",
            other => panic!("nothing waits for {other}"),
        };
        format!(
            "actum: 1\nnet: idle\nroles: {{ clerk: {{}} }}\ndata: {{ about: {{ type: string, input: true }} }}\n\
             start: wait\ntasks:\n  wait: {{ {waits}, flow: end }}\n"
        )
    }

    async fn open(&self, path: &std::path::Path) -> Engine {
        let mut limits = Limits::default();
        limits.cases_open_max = usize::MAX;
        limits.cases_kept_max = usize::MAX;
        limits.cases_resident_max = self.resident_max;
        // Saving folds the log beside, which takes memory of its own for that time.
        Engine::at(path).limits(limits).save_every(None).open().await.expect("the engine opens")
    }

    async fn measure(&self) {
        let disk = Disk::new();
        let path = disk.path("idle");
        let engine = self.open(&path).await;
        let net = engine.deploy(&self.net()).await.expect("the net is sound").0.hash;
        let ana = engine.register("ana", &["clerk"]).await.expect("a person");
        start(&engine, net, 1..WARM + 1).await;
        let (memory, allocated) = (resident(), ALLOCATED.current_usage());
        let begin = Instant::now();
        start(&engine, net, WARM + 1..self.cases + 1).await;
        let took = begin.elapsed();
        let per_case = |bytes: usize| bytes as f64 / (self.cases - WARM) as f64;
        println!(
            "{:.0} cases/s started; per case: {:.0} B of memory in use, {:.0} B allocated; in all {} MiB; {:.0} B on disk",
            (self.cases - WARM) as f64 / took.as_secs_f64(),
            per_case(resident().saturating_sub(memory)),
            per_case(ALLOCATED.current_usage().saturating_sub(allocated)),
            resident() >> 20,
            bytes_on_disk(&path) as f64 / self.cases as f64,
        );
        assert_eq!(engine.cases().count(CaseStatus::Open) as u64, self.cases);
        if self.cases <= REOPENED_MAX {
            self.projections(&engine);
        }
        self.come_back(&engine, net, ana).await;
        let left = engine.cases().count(CaseStatus::Open);
        engine.close().await.expect("the engine closes");
        if self.cases <= REOPENED_MAX {
            let begin = Instant::now();
            let engine = self.open(&path).await;
            assert_eq!((engine.opened().open_cases, engine.cases().count(CaseStatus::Open)), (left, left));
            println!("opened again in {:.2} s", begin.elapsed().as_secs_f64());
            engine.close().await.expect("the engine closes");
        }
    }

    /// What each projection has allocated: it is made again from what it holds.
    fn projections(&self, engine: &Engine) {
        let of = |name: &str, bytes: Vec<u8>, made: &dyn Projection| {
            let before = ALLOCATED.current_usage();
            made.restore(&bytes).expect("it was made here");
            let allocated = ALLOCATED.current_usage() - before;
            println!("  {name}: {:.0} B a case", allocated as f64 / self.cases as f64);
        };
        of("cases", engine.cases().snapshot(), &actum_projections::Cases::default());
        of("worklist", engine.worklist().snapshot(), &actum_projections::Worklist::default());
        of("waits", engine.waits().snapshot(), &actum_projections::Waits::default());
    }

    /// Looks at cases far from each other, then has them go on.
    async fn come_back(&self, engine: &Engine, net: NetHash, ana: ActorId) {
        let step = self.cases / TOUCHED;
        let chosen: Vec<u64> = (0..TOUCHED).map(|index| 1 + index * step).collect();
        let variable = actum_model::VariableIx(0);
        let (mut first, mut again) = (Vec::new(), Vec::new());
        for times in [&mut first, &mut again] {
            for number in chosen.iter().take(RESIDENT / 2) {
                let begin = Instant::now();
                let case = engine.case(CaseId(*number)).await.expect("an answer").expect("it is open");
                times.push(begin.elapsed());
                assert_eq!((case.net, case.variable(variable)), (net, Some(&Value::String(about(*number)))));
            }
        }
        let mut commands = Vec::new();
        for number in chosen.iter().rev() {
            let begin = Instant::now();
            self.go_on(engine, *number, ana).await;
            commands.push(begin.elapsed());
        }
        engine.settled().await;
        for (what, times) in [("first look", first), ("second look", again), ("first command, durable", commands)] {
            let [middle, slow] = percentiles(times);
            println!("{what}: p50 {:.3} ms, p99 {:.3} ms", millis(middle), millis(slow));
        }
        for number in &chosen {
            let row = engine.row(CaseId(*number)).expect("it was started");
            let expected = if self.waits == "person" { CaseStatus::Open } else { CaseStatus::Completed };
            assert_eq!(row.status, expected, "case {number}");
            assert!(self.waits != "person" || engine.held_by(ana).len() == TOUCHED as usize);
        }
    }

    async fn go_on(&self, engine: &Engine, number: u64, ana: ActorId) {
        let case = CaseId(number);
        match &*self.waits {
            "person" => engine.take(case, ItemId(0), ana).await.expect("it is offered"),
            "signal" => engine.signal(case, ana, "go", Value::Null).await.expect("it waits"),
            _ => {
                let sent = engine.message(Message::new("paid", about(number), Value::Null), ana).await;
                assert!(sent.expect("it is taken").is_pending, "nobody waits for it");
            }
        }
    }
}

/// What a case is about: 48 bytes.
fn about(number: u64) -> String {
    format!("claim {number:042}")
}

async fn start(engine: &Engine, net: NetHash, numbers: std::ops::Range<u64>) {
    let mut from = numbers.start;
    while from < numbers.end {
        let until = numbers.end.min(from + AT_ONCE);
        let starts = (from..until).map(|number| {
            let input = BTreeMap::from([("about".to_owned(), Value::String(about(number)))]);
            async move { (number, engine.start_case(net, None, input).await.expect("a start").case) }
        });
        stream::iter(starts)
            .buffered(AT_ONCE as usize)
            .for_each(|(number, case)| async move { assert_eq!(case, CaseId(number), "they start in their order") })
            .await;
        from = until;
    }
    engine.settled().await;
}

fn percentiles(mut times: Vec<Duration>) -> [Duration; 2] {
    times.sort_unstable();
    [times[times.len() / 2], times[times.len() * 99 / 100]]
}

/// Memory in use, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("procfs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().expect("a number") << 10
}
