//! Histories that somebody changed: each kind of change, at each event, and how often it is found.

use std::collections::BTreeMap;

use actum_model::{ActorId, CaseCommand, CaseEvent, Change, ConditionIx, Directory, ItemId, Seq, TaskIx, Time, Value};
use actum_net::Net;

use super::people;
use super::{History, STEP};

/// Loops, choices by data, instances, a subnet, a cancellation, a weight and an OR-join.
const CONSTRUCTS: &str = "
actum: 1
net: constructs
data: { v: { type: int, input: true, default: 1 } }
start: a
tasks:
  a: { join: xor, handler: h, output: { v: '{{ v + 1 }}' }, split: and, flow: [b, c] }
  b: { handler: h, instances: { count: 3, threshold: 2 }, flow: d }
  c: { net: R, params: { w: '{{ v }}' }, flow: d }
  d: { join: and, split: or, flow: [{ to: e, when: v % 2 == 0 }, { to: f, default: true }] }
  e: { handler: h, output: { v: '{{ v * 3 }}' }, flow: g }
  f: { handler: h, exceptions: { timeout: { after: PT9S, do: remove } }, flow: g }
  g: { join: or, split: xor, flow: [{ to: a, when: v < 5 }, { to: z, default: true }] }
  z: { handler: h, flow: end }
nets:
  R:
    data: { w: { type: int, input: true, default: 0 } }
    start: x
    tasks:
      x: { handler: h, output: { w: '{{ w + 1 }}' }, split: xor, flow: [{ to: y, when: w > 1 }, { to: end, default: true }] }
      y: { handler: h, flow: end }
";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Forgery {
    Drop,
    Duplicate,
    Swap,
    Item,
    Task,
    Actor,
    Branch,
    Tokens,
    Variable,
    Earlier,
    Timer,
    Cause,
    Choice,
    Candidate,
}

const ALL: [Forgery; 14] = [
    Forgery::Drop,
    Forgery::Duplicate,
    Forgery::Swap,
    Forgery::Item,
    Forgery::Task,
    Forgery::Actor,
    Forgery::Branch,
    Forgery::Tokens,
    Forgery::Variable,
    Forgery::Earlier,
    Forgery::Timer,
    Forgery::Cause,
    Forgery::Choice,
    Forgery::Candidate,
];

/// Kinds that are always found, wherever they are.
const ALWAYS: [Forgery; 8] = [
    Forgery::Duplicate,
    Forgery::Task,
    Forgery::Branch,
    Forgery::Tokens,
    Forgery::Variable,
    Forgery::Earlier,
    Forgery::Choice,
    Forgery::Candidate,
];

/// Changes a history at one event; `None` where there is nothing of that kind to change.
fn forged(history: &History, at: usize, kind: Forgery) -> Option<History> {
    let mut forged = history.clone();
    let people = u32::try_from(history.directory.iter().count()).ok()?;
    let tasks = history.net.tasks.len() as u32;
    let conditions = history.net.conditions.len() as u32;
    let (meta, event) = &mut forged.events[at];
    match kind {
        Forgery::Drop => drop(forged.events.remove(at)),
        Forgery::Duplicate => {
            let again = forged.events[at].clone();
            forged.events.insert(at + 1, again);
        }
        Forgery::Swap => {
            let next = forged.events.get(at + 1)?.clone();
            let this = std::mem::replace(&mut forged.events[at], next);
            forged.events[at + 1] = this;
        }
        Forgery::Item => {
            let item = item_mut(event)?;
            *item = ItemId(item.0 + 1);
        }
        Forgery::Task => {
            let task = task_mut(event)?;
            *task = TaskIx((task.0 + 1) % tasks);
        }
        Forgery::Actor if people == 0 => return None,
        Forgery::Actor => meta.actor = ActorId((meta.actor.0 + 1) % (people + 1)),
        Forgery::Branch => {
            let produced = produced_mut(event)?;
            match produced.first_mut() {
                Some(first) => *first = ConditionIx((first.0 + 1) % conditions),
                None => produced.push(ConditionIx(0)),
            }
        }
        Forgery::Tokens => match event {
            CaseEvent::WorkStarted { consumed, .. } | CaseEvent::WorkSkipped { consumed, .. } => {
                match consumed.first_mut() {
                    Some(first) => *first = ConditionIx((first.0 + 1) % conditions),
                    None => consumed.push(ConditionIx(0)),
                }
            }
            CaseEvent::TokensCancelled { removed, .. } => removed[0].1 += 1,
            _ => return None,
        },
        Forgery::Variable => {
            let change = changes_mut(event)?.first_mut()?;
            change.value = match &change.value {
                Value::Int(number) => Value::Int(number + 1),
                Value::Bool(truth) => Value::Bool(!truth),
                Value::String(text) => Value::String(format!("{text}!")),
                _ => return None,
            };
        }
        Forgery::Earlier => {
            meta.time = Time(meta.time.0.checked_sub(1)?);
            if at == 0 || history.events[at - 1].0.time <= meta.time {
                return None;
            }
        }
        Forgery::Timer => match event {
            CaseEvent::WorkWaiting { until, .. } | CaseEvent::CaseWaiting { until } => until.0 -= STEP / 2,
            _ => return None,
        },
        Forgery::Cause => meta.cause = Some(Seq(meta.cause?.0.checked_sub(1)?)),
        Forgery::Choice => match event {
            CaseEvent::AllocationDecided { chosen: Some(chosen), .. } => *chosen = ActorId(chosen.0 % people + 1),
            _ => return None,
        },
        Forgery::Candidate => match event {
            CaseEvent::AllocationDecided { candidates, .. } => {
                let first = candidates.first()?;
                candidates.remove(first);
            }
            _ => return None,
        },
    }
    renumber(&mut forged, at);
    Some(forged)
}

/// Positions and versions count on, and later causes move with what they mean.
fn renumber(history: &mut History, _at: usize) {
    let old: Vec<Seq> = history.events.iter().map(|(meta, _)| meta.seq).collect();
    let new_of: BTreeMap<Seq, Seq> =
        old.iter().enumerate().rev().map(|(index, seq)| (*seq, super::seq_of(index))).collect();
    for (index, (meta, _)) in history.events.iter_mut().enumerate() {
        meta.seq = super::seq_of(index);
        meta.version = index as u64 + 1;
        meta.cause = meta.cause.map(|cause| new_of.get(&cause).copied().unwrap_or(cause));
    }
}

fn item_mut(event: &mut CaseEvent) -> Option<&mut ItemId> {
    match event {
        CaseEvent::WorkEnabled { item, .. }
        | CaseEvent::WorkOffered { item, .. }
        | CaseEvent::WorkAllocated { item, .. }
        | CaseEvent::WorkStarted { item, .. }
        | CaseEvent::WorkCompleted { item, .. }
        | CaseEvent::WorkFailed { item, .. }
        | CaseEvent::WorkWithdrawn { item, .. }
        | CaseEvent::WorkCancelled { item, .. }
        | CaseEvent::AllocationDecided { item, .. } => Some(item),
        _ => None,
    }
}

fn task_mut(event: &mut CaseEvent) -> Option<&mut TaskIx> {
    match event {
        CaseEvent::WorkEnabled { task, .. }
        | CaseEvent::WorkOffered { task, .. }
        | CaseEvent::WorkAllocated { task, .. }
        | CaseEvent::WorkStarted { task, .. }
        | CaseEvent::WorkCompleted { task, .. }
        | CaseEvent::WorkFailed { task, .. }
        | CaseEvent::WorkWithdrawn { task, .. }
        | CaseEvent::WorkCancelled { task, .. }
        | CaseEvent::AllocationDecided { task, .. } => Some(task),
        _ => None,
    }
}

fn produced_mut(event: &mut CaseEvent) -> Option<&mut Vec<ConditionIx>> {
    match event {
        CaseEvent::CaseStarted { produced, .. }
        | CaseEvent::SubnetStarted { produced, .. }
        | CaseEvent::WorkCompleted { produced, .. }
        | CaseEvent::InstancesPassed { produced, .. } => Some(produced),
        _ => None,
    }
}

fn changes_mut(event: &mut CaseEvent) -> Option<&mut Vec<Change>> {
    match event {
        CaseEvent::SubnetStarted { changes, .. }
        | CaseEvent::WorkCompleted { changes, .. }
        | CaseEvent::InstancesPassed { changes, .. } => Some(changes),
        _ => None,
    }
}

/// A stream of numbers that is always the same.
fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    }
}

fn constructs(seed: u64) -> History {
    let net: Net = actum_net::compile(CONSTRUCTS).unwrap_or_else(|error| panic!("{error:?}")).net;
    let mut history = History::new(net, Directory::default());
    history.start(BTreeMap::from([("v".to_owned(), Value::Int(seed as i64 % 5))]));
    let mut next = numbers(seed);
    for step in 1..60 {
        let items = &history.case.control.items;
        let Some(item) = items.get(next() as usize % items.len().max(1)).map(|item| item.id) else { break };
        let command = CaseCommand::CompleteWork { item, result: Value::Int(1) };
        history.command(&command, ActorId::ENGINE, Time(step * STEP));
    }
    history
}

fn histories() -> Vec<History> {
    let mut all: Vec<History> = (0..6).map(constructs).collect();
    for seed in 0..20 {
        let mut next = numbers(seed);
        let orders: Vec<_> = (0..50).map(|_| ((next() % 20) as u8, next() as u8, (next() % 7) as i64)).collect();
        let net = if seed % 5 == 4 { people::office() } else { people::net(seed as usize % 5) };
        all.extend(people::played(net, &orders, seed as i64 % 8 + 1));
    }
    all
}

#[test]
fn forgeries_are_found() {
    let mut table: BTreeMap<Forgery, (u32, u32)> = BTreeMap::new();
    let mut missed: BTreeMap<Forgery, Vec<String>> = BTreeMap::new();
    let histories = histories();
    for history in &histories {
        let (lawful, _, broken) = history.judge();
        assert!(broken.is_none(), "{broken:?}\n{}", history.described(lawful));
        for at in 0..history.events.len() {
            for kind in ALL {
                let Some(forged) = forged(history, at, kind) else { continue };
                let found = forged.judge().2.is_some();
                let row = table.entry(kind).or_default();
                row.0 += 1;
                row.1 += u32::from(found);
                if !found {
                    missed.entry(kind).or_default().push(format!("{:?}", history.events[at].1));
                }
            }
        }
    }
    for (kind, (made, found)) in &table {
        println!("{kind:?}: {found} of {made} ({:.1} %)", 100.0 * f64::from(*found) / f64::from(*made));
        for one in missed.get(kind).into_iter().flatten().take(6) {
            println!("    missed: {one:.160}");
        }
    }
    for kind in ALL {
        let (made, found) = table.get(&kind).copied().unwrap_or_default();
        assert!(made > 0, "{kind:?} was never tried");
        if ALWAYS.contains(&kind) {
            assert_eq!(found, made, "{kind:?}: {:?}", missed[&kind]);
        }
        // Anybody may begin or cancel a case, so that another actor there is lawful; of several events of one decision, each may
        // be what the next follows from; what is independent may happen in either order.
        let least = match kind {
            Forgery::Cause => 80,
            Forgery::Actor => 70,
            _ => 90,
        };
        assert!(found * 100 >= made * least, "{kind:?}: {found} of {made}");
    }
}

/// What has not begun of a cancelled task goes only with its tokens. Until semantics 3 it went with its task, and logs of
/// then stay lawful.
#[test]
fn a_cancelled_task_is_judged_by_the_semantics_of_its_case() {
    let text = "
actum: 1
net: cancels
conditions: { p: { flow: x } }
start: a
tasks:
  a: { split: and, flow: [{ to: k }, { to: p }] }
  x: { handler: h, trigger: { signal: go }, flow: end }
  k: { handler: h, cancels: [x], flow: d }
  d: { handler: h, flow: end }
";
    let mut history = History::new(actum_net::compile(text).unwrap().net, Directory::default());
    history.start(BTreeMap::new());
    history.case.semantics = 2;
    let k = history.case.control.item_of(history.net.task("k").unwrap()).unwrap().id;
    let done = CaseCommand::CompleteWork { item: k, result: Value::Null };
    assert!(history.command(&done, ActorId::ENGINE, Time(STEP)));
    assert!(history.events.iter().any(|(_, event)| matches!(event, CaseEvent::WorkWithdrawn { .. })));
    let broken = history.judge().2.expect("semantics 3 do not withdraw it");
    assert_eq!(broken.0, super::super::rule::Law::Owed, "{broken:?}");
    let Some((_, CaseEvent::CaseStarted { semantics, .. })) = history.events.first_mut() else { panic!() };
    *semantics = 2;
    assert_eq!(history.judge().2, None);
}
