//! Deterministic simulation: the crates as they are shipped, on one thread, where chance alone decides what happens next, which
//! commits fail, when the engine crashes, what handlers and people do, and how time goes. One seed gives one history.
//!
//! After every step what was stored is read and must be a lawful history; what was acknowledged must be in it, for ever; at the end,
//! when nothing fails any more, every case ends or says what it waits for, and the log verifies.

mod callers;
mod clock;
mod ending;
mod invariant;
mod nets;
mod observer;
mod opening;
mod planted;
mod promises;
mod whole;
mod work;
mod world;

use actum_tests::{seed, tries};
use world::{Outcome, World};

/// Worlds, and steps in each. A campaign sets `ACTUM_SIMULATION`, and `ACTUM_SEED` for others than these.
const SEEDS: u64 = 500;
const STEPS: u64 = 4_000;
/// Tests that share the seeds, so that they run side by side.
const PARTS: u64 = 4;

/// Says which world it was when an assertion fails in it.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in the world of seed {0}: ACTUM_SEED={0} ACTUM_SIMULATION=1 repeats it", self.0);
        }
    }
}

fn run(seed: u64, steps: u64) -> Outcome {
    let _named = Named(seed);
    // Time stands still but where the world moves it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let mut world = runtime.block_on(async { World::new(seed) });
    let outcome = runtime.block_on(world.run(steps));
    outcome.unwrap_or_else(|broken| panic!("{broken}\n{}", world.seen.told(&broken)))
}

fn part(part: u64) {
    let first = seed();
    let mut events = 0;
    let mut crashes = 0;
    let mut cases = 0;
    for seed in (first..first + tries("ACTUM_SIMULATION", SEEDS)).filter(|seed| seed % PARTS == part) {
        let outcome = run(seed, STEPS);
        events += outcome.events;
        crashes += outcome.crashes;
        cases += outcome.cases;
        assert!(outcome.promises > 0 && outcome.refused > 0, "{seed}: {outcome:?}");
    }
    println!("{events} events of {cases} cases, {crashes} crashes");
}

#[test]
fn worlds_of_the_first_quarter() {
    part(0);
}

#[test]
fn worlds_of_the_second_quarter() {
    part(1);
}

#[test]
fn worlds_of_the_third_quarter() {
    part(2);
}

#[test]
fn worlds_of_the_last_quarter() {
    part(3);
}

/// Worlds in which something was wrong once: a batch that ran on without anybody (1), work that was offered before its signal (1000), a
/// case that was resumed right after its deadline (13, 14), a branch that was undone inside of a subnet (1013), an absence while the
/// clock was back (1037), an exception that somebody else raised at the moment of a start (472).
#[test]
fn worlds_that_found_something() {
    for seed in [13, 14, 36, 472, 1_000, 1_013, 1_037] {
        run(seed, STEPS);
    }
}

#[test]
fn one_seed_gives_one_history() {
    for seed in [1, 2, 3] {
        assert_eq!(run(seed, STEPS), run(seed, STEPS), "seed {seed}");
    }
    assert_ne!(run(1, STEPS).digest, run(2, STEPS).digest);
}

#[test]
fn nets_may_run() {
    for net in nets::NETS {
        if let Err(findings) = actum_net::compile(net) {
            panic!("{findings:#?}");
        }
    }
}
