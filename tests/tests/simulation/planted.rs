//! Defects that are planted: each is found by the invariant that is there for it, and by its name.
//!
//! Most are made by changing one event of a history that a world had; the others by an engine, a store or a handler that does wrong.

use std::collections::HashSet;
use std::sync::OnceLock;

use actum::projections::{Cases, Projection, RecordedEvent, feed};
use actum::{ActorId, CaseEvent, CaseId, ItemId, Seq, Time, Value};
use actum_log::{FrameKey, FrameSource};
use actum_model::{BreakerEvent, Event, MessageEvent, StartEvent, SystemEvent, TaskIx};

use crate::invariant::{Broken, Held, Limiter, Quiet, all_wait};
use crate::observer::Observer;
use crate::promises::{Promise, Promises};
use crate::whole::{Judge, verified};
use crate::work::Hands;
use crate::world::World;

/// Worlds whose histories together have something of everything; a later one is lived only if those before lack it.
const SEEDS: u64 = 12;
const STEPS: u64 = 4_000;

/// A log, and what the handlers did.
struct Past {
    log: Vec<RecordedEvent>,
    hands: Hands,
}

fn past() -> &'static Past {
    past_of(0)
}

fn past_of(index: usize) -> &'static Past {
    static PASTS: [OnceLock<Past>; SEEDS as usize] = [const { OnceLock::new() }; SEEDS as usize];
    PASTS[index].get_or_init(|| {
        let world = lived(index as u64 + 1, STEPS);
        let past = Past { log: world.seen.log.clone(), hands: world.ground.hands.clone() };
        assert_eq!(told(&past.log, &past.hands), Ok(()), "nothing is wrong with it");
        past
    })
}

/// The first history in which something can be changed, with that changed, and where.
#[track_caller]
fn changed(change: impl Fn(&mut RecordedEvent) -> bool) -> (Vec<RecordedEvent>, &'static Hands, usize) {
    let mut pasts = (0..SEEDS as usize).map(past_of);
    let found = pasts.find_map(|Past { log, hands }| {
        let mut log = log.clone();
        let at = log.iter_mut().position(&change)?;
        Some((log, hands, at))
    });
    found.expect("some history has one of the kind")
}

/// A world after so many steps and its end.
fn lived(seed: u64, steps: u64) -> World {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let mut world = runtime.block_on(async { World::new(seed) });
    runtime.block_on(world.run(steps)).unwrap();
    world
}

/// Folds a log again: the first invariant that does not hold.
fn told(log: &[RecordedEvent], hands: &Hands) -> Held {
    let mut observer = Observer::new(hands);
    log.iter().try_for_each(|event| observer.take_in(event.clone()))
}

/// Changes the first event that `change` takes (it says so), and asks who notices.
#[track_caller]
fn finds(invariant: &str, change: impl Fn(&mut RecordedEvent) -> bool) {
    let (log, hands, at) = changed(change);
    let found = told(&log, hands).map_err(|broken| broken.invariant);
    assert_eq!(found, Err(invariant), "event {at}");
}

/// Repeats the first event that `is_it` knows, right after it.
#[track_caller]
fn finds_repeated(invariant: &str, is_it: impl Fn(&Event) -> bool) {
    let (mut log, hands, at) = changed(|event| is_it(&event.event));
    let again = log[at].clone();
    log.insert(at + 1, again.clone());
    // Versions go on, so that it is not for them that it is found.
    let mut version = again.meta.version;
    for event in log[at + 1..].iter_mut().filter(|event| event.stream == again.stream) {
        version += 1;
        event.meta.version = version;
    }
    assert_eq!(told(&log, hands).map_err(|broken| broken.invariant), Err(invariant), "event {at}");
}

fn of_case(event: &mut RecordedEvent) -> Option<&mut CaseEvent> {
    match &mut event.event {
        Event::Case(event) => Some(event),
        Event::System(_) => None,
    }
}

#[test]
fn an_event_before_its_time_breaks_order() {
    finds("order", |event| event.meta.seq > Seq(900) && std::mem::replace(&mut event.meta.time, Time(1)) > Time(1));
    finds("order", |event| event.meta.cause.is_some() && event.meta.cause.replace(Seq(u64::MAX)).is_some());
    finds_repeated("order", |event| matches!(event, Event::Case(CaseEvent::CaseCompleted)));
}

#[test]
fn tokens_from_nowhere_and_tokens_that_go_break_tokens() {
    finds("tokens", |event| match of_case(event) {
        Some(CaseEvent::WorkStarted { consumed, .. }) if consumed.len() == 1 => {
            consumed.push(consumed[0]);
            true
        }
        _ => false,
    });
    finds("tokens", |event| match of_case(event) {
        Some(CaseEvent::WorkCompleted { produced, .. }) if !produced.is_empty() => {
            produced.clear();
            true
        }
        _ => false,
    });
}

#[test]
fn another_result_than_the_handlers_breaks_effects() {
    let hands = &past().hands;
    finds("effects", |event| {
        let case = CaseId(event.stream);
        match of_case(event) {
            Some(CaseEvent::WorkCompleted { item, result, .. })
                if hands.result((case, *item, 1)).as_ref() == Some(result) =>
            {
                *result = Value::Int(7);
                true
            }
            _ => false,
        }
    });
}

#[test]
fn an_attempt_too_many_or_too_early_breaks_attempts() {
    finds("attempts", |event| match of_case(event) {
        Some(CaseEvent::WorkRetryScheduled { attempt, .. }) => std::mem::replace(attempt, 99) < 99,
        _ => false,
    });
    finds("attempts", |event| match of_case(event) {
        Some(CaseEvent::WorkRetryScheduled { at, .. }) => {
            std::mem::replace(at, Time(i64::MAX as u64)) < Time(i64::MAX as u64)
        }
        _ => false,
    });
}

#[test]
fn a_breaker_that_opens_too_soon_breaks_breakers() {
    finds("breakers", |event| match &mut event.event {
        Event::System(SystemEvent::Breaker(BreakerEvent::Opened { failures, .. })) => {
            std::mem::replace(failures, 7) < 7
        }
        _ => false,
    });
    finds_repeated("breakers", |event| matches!(event, Event::System(SystemEvent::Breaker(_))));
}

#[test]
fn a_timer_that_fires_twice_or_early_breaks_timers() {
    finds_repeated("timers", |event| matches!(event, Event::Case(CaseEvent::WorkTimedOut { .. })));
    // Every timer is set for the end of time, and yet they fire.
    let Past { log, hands } = past();
    let mut log = log.clone();
    for event in &mut log {
        if let Some(CaseEvent::WorkWaiting { until, .. }) = of_case(event) {
            *until = Time(i64::MAX as u64);
        }
    }
    assert_eq!(told(&log, hands).map_err(|broken| broken.invariant), Err("timers"));
}

#[test]
fn a_message_that_comes_twice_breaks_messages() {
    finds_repeated("messages", |event| matches!(event, Event::Case(CaseEvent::MessageReceived { .. })));
    finds_repeated("messages", |event| {
        matches!(event, Event::System(SystemEvent::Message(MessageEvent::Published { id: Some(_), .. })))
    });
    finds("messages", |event| match of_case(event) {
        Some(CaseEvent::MessageReceived { message, .. }) => std::mem::replace(message, Seq(3)) > Seq(3),
        _ => false,
    });
}

#[test]
fn a_time_that_starts_two_cases_breaks_starts() {
    let mut seen = HashSet::new();
    let Past { log, hands } = past();
    let mut log = log.clone();
    let mut first = None;
    for event in &mut log {
        if let Some(CaseEvent::CaseTriggered { start, due: Some(due), .. }) = of_case(event) {
            match first {
                None => first = Some((start.clone(), *due)),
                Some((ref name, at)) if name == start && seen.insert(event.stream) => {
                    if let Some(CaseEvent::CaseTriggered { due, .. }) = of_case(event) {
                        *due = Some(at);
                    }
                    break;
                }
                Some(_) => {}
            }
        }
    }
    assert_eq!(told(&log, hands).map_err(|broken| broken.invariant), Err("starts"));
    finds_repeated("starts", |event| matches!(event, Event::System(SystemEvent::Start(StartEvent::Skipped { .. }))));
}

#[test]
fn undoing_in_another_order_or_twice_breaks_compensation() {
    finds("compensation", |event| match of_case(event) {
        Some(CaseEvent::CompensationBegun { items, .. }) if items.len() > 1 => {
            items.reverse();
            true
        }
        _ => false,
    });
    finds("compensation", |event| match of_case(event) {
        Some(CaseEvent::WorkCompensating { of, .. }) => std::mem::replace(of, ItemId(90)) < ItemId(90),
        _ => false,
    });
    finds_repeated("compensation", |event| matches!(event, Event::Case(CaseEvent::WorkCompensating { .. })));
}

#[test]
fn what_was_acknowledged_and_is_not_there_breaks_promises() {
    let seen = Observer::new(&Hands::default());
    let broken = |held: Held| held.map_err(|broken| broken.invariant);
    for promise in [
        Promise::Started("k".to_owned(), CaseId(1)),
        Promise::Completed(CaseId(1), ItemId(1)),
        Promise::Cancelled(CaseId(1)),
        Promise::Sent("m".to_owned(), Seq(1)),
    ] {
        assert_eq!(broken(Promises::default().give(promise, &seen)), Err("promises"));
    }
    // The store loses the last block of what it acknowledged, and nobody but who remembers can know.
    let mut world = lived(1, 600);
    let log = world.seen.log.clone();
    world.seen = Observer::new(&world.ground.hands);
    let started = log.iter().position(|event| event.key.is_some()).expect("a case was started under a key");
    log[..started].iter().for_each(|event| world.seen.take_in(event.clone()).unwrap());
    assert_eq!(broken(world.promises.hold(&world.seen)), Err("promises"));
}

#[test]
fn a_case_that_waits_for_nothing_breaks_waits() {
    let Past { log, hands } = past();
    let quiet = |seen: &Observer| {
        let quiet = Quiet { now: Time(0), calls: &[], running: &HashSet::new(), is_full: false };
        all_wait(seen, &quiet).map_err(|broken| broken.invariant)
    };
    // Each time a handler was to be called, somebody must know of the call.
    let mut seen = Observer::new(hands);
    let mut found = HashSet::new();
    for event in log {
        seen.take_in(event.clone()).unwrap();
        if matches!(event.event, Event::Case(CaseEvent::WorkStarted { .. })) {
            found.insert(quiet(&seen).err());
        }
    }
    assert!(found.contains(&Some("waits")), "{found:?}");
    // A time that came, and a case of which nothing is left but a token.
    let mut seen = Observer::new(hands);
    let set = log.iter().position(|event| matches!(event.event, Event::Case(CaseEvent::WorkWaiting { .. }))).unwrap();
    log[..=set].iter().for_each(|event| seen.take_in(event.clone()).unwrap());
    let late = Quiet { now: Time(u64::MAX), calls: &[], running: &HashSet::new(), is_full: true };
    assert_eq!(all_wait(&seen, &late).map_err(|broken| broken.invariant), Err("waits"));
}

#[test]
fn more_calls_than_are_allowed_break_limits() {
    let Past { log, hands } = past();
    let mut seen = Observer::new(hands);
    log.iter().for_each(|event| seen.take_in(event.clone()).unwrap());
    let limited = log.iter().find_map(|event| match &event.event {
        Event::Case(CaseEvent::WorkStarted { item, task, .. }) => {
            let net = seen.net_of(event.net);
            (net.tasks[task.index()].name == "limited").then_some((CaseId(event.stream), *item, net.hash, *task))
        }
        _ => None,
    });
    let (case, item, net, task) = limited.expect("the task `limited` was begun");
    let call = |attempt| crate::work::Running {
        key: (case, item, attempt),
        task: "limited".to_owned(),
        in_batch: false,
        is_cancelled: false,
    };
    let running: Vec<_> = (0..3).map(call).collect();
    let name = |held: Held| held.map_err(|broken| broken.invariant);
    assert_eq!(name(Limiter::look(&seen, &running[..2], 9)), Ok(()));
    assert_eq!(name(Limiter::look(&seen, &running, 9)), Err("limits"), "its own limit");
    assert_eq!(name(Limiter::look(&seen, &running[..2], 1)), Err("limits"), "the engine's");
    let mut limiter = Limiter::new(Time(0));
    let many = (0..9).try_for_each(|_| limiter.begun(seen.net_of(net), TaskIx(task.0)));
    assert_eq!(name(many), Err("limits"), "its rate");
}

#[test]
fn a_log_that_was_changed_breaks_verified_and_lawful() {
    let world = lived(1, 600);
    let name = |broken: Broken| broken.invariant;
    let (store, size) = (&world.ground.store, world.seen.size());
    assert_eq!(verified(store, size), Ok(()));
    assert_eq!(verified(store, size + 1).map_err(name), Err("verified"), "one event fewer than was acknowledged");
    let last = store.frames(FrameKey::first(0)).unwrap().map(Result::unwrap).last().expect("a frame").key;
    assert!(store.tamper(last, |bytes| *bytes.last_mut().unwrap() ^= 1));
    assert_eq!(verified(store, size).map_err(name), Err("verified"));
    // A case that completes by somebody who never had it, in a log of its own.
    let world = lived(1, 600);
    let mut judge = Judge::new();
    judge.judge_with(&world.ground.store, |event| {
        if let actum_replay::Fact::Event(Event::Case(CaseEvent::WorkCompleted { .. })) = &event.fact {
            event.meta.actor = ActorId(3);
        }
    });
    assert_eq!(judge.report().map_err(name), Err("lawful"));
}

#[test]
fn a_view_that_missed_an_event_breaks_projections() {
    let Past { log, .. } = past();
    let (all, fewer) = (Cases::default(), Cases::default());
    feed(log, &all);
    let last = log.iter().rposition(|event| matches!(event.event, Event::Case(_))).unwrap();
    feed(&log[..last], &fewer);
    let held = crate::invariant::agree(&std::sync::Arc::new(fewer), &Cases::default(), log);
    assert_eq!(held.map_err(|broken| broken.invariant), Err("projections"));
    assert!(!all.snapshot().is_empty());
}
