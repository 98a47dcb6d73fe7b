//! Starts by the clock: when a case of which net is due to start. A fold of the log: the newest net of each name, and the newest
//! due time of each start that was dealt with, so that no time starts two cases, also across restarts.

mod saved;

pub(crate) use saved::{decode, encode};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use actum_model::{ActorId, CaseCommand, CaseEvent, NetHash, Rejection, StartEvent, SystemEvent, Time, Value};
use actum_net::{CatchUp, Net, Start, StartBy, StartScope, Times};

use crate::activity::Ongoing;
use crate::error::CommandError;
use crate::partition::{Partition, Refused, stream};

/// A time that is dealt with so much later (nanoseconds) was missed: the engine was closed, or its clock was moved.
const MISSED_LEAST: u64 = 1_000_000_000;

/// When cases are due to start.
#[derive(Debug, Default)]
pub(crate) struct Starts {
    /// Up to which time each start by the clock is dealt with.
    done: BTreeMap<(NetHash, String), Time>,
    /// The newest net of each name that starts by something else than by hand.
    newest: BTreeMap<String, NetHash>,
    /// Nets that start by a message, by the message's name, in the order of the nets' names.
    by_message: BTreeMap<String, BTreeMap<String, NetHash>>,
    /// Due times, with the net and the ordinal of its start.
    due: BTreeSet<(Time, NetHash, usize)>,
}

impl Starts {
    /// A net may be run from a time on; it takes the place of an older one of its name.
    pub(crate) fn deployed(&mut self, net: &Net, since: Time) {
        if let Some(old) = self.newest.remove(&net.name) {
            self.due.retain(|(_, of, _)| *of != old);
            self.by_message.values_mut().for_each(|nets| {
                nets.remove(&net.name);
            });
        }
        if net.starts.is_empty() {
            return;
        }
        self.newest.insert(net.name.clone(), net.hash);
        for (index, start) in net.starts.iter().enumerate() {
            match &start.by {
                StartBy::Clock { times, .. } => {
                    let done = *self.done.entry((net.hash, start.name.clone())).or_insert(since);
                    self.due.extend(times.next(done).map(|due| (due, net.hash, index)));
                }
                StartBy::Message { name, .. } => {
                    self.by_message.entry(name.clone()).or_default().insert(net.name.clone(), net.hash);
                }
                _ => {}
            }
        }
    }

    /// Nets that a message of this name starts.
    pub(crate) fn by_message(&self, name: &str) -> impl Iterator<Item = NetHash> + '_ {
        self.by_message.get(name).into_iter().flat_map(|nets| nets.values().copied())
    }

    /// Takes in an event about a start by the clock.
    pub(crate) fn apply(&mut self, event: &StartEvent, net: Option<&Arc<Net>>) {
        match event {
            StartEvent::Skipped { net: hash, start, until, .. } => self.dealt_with(*hash, start, *until, net),
            StartEvent::Refused { net: hash, start, due: Some(due), .. } => self.dealt_with(*hash, start, *due, net),
            _ => {}
        }
    }

    /// Takes in that a case was started.
    pub(crate) fn apply_case(&mut self, event: &CaseEvent, net: &Arc<Net>) {
        if let CaseEvent::CaseTriggered { start, due: Some(due), .. } = event {
            self.dealt_with(net.hash, start, *due, Some(net));
        }
    }

    fn dealt_with(&mut self, hash: NetHash, start: &str, until: Time, net: Option<&Arc<Net>>) {
        let done = self.done.entry((hash, start.to_owned())).or_insert(until);
        *done = (*done).max(until);
        let done = *done;
        let Some(net) = net.filter(|net| self.newest.get(&net.name) == Some(&hash)) else { return };
        let Some(index) = net.starts.iter().position(|one| one.name == start) else { return };
        self.due.retain(|(_, of, other)| (*of, *other) != (hash, index));
        if let StartBy::Clock { times, .. } = &net.starts[index].by {
            self.due.extend(times.next(done).map(|due| (due, hash, index)));
        }
    }

    /// The next due time.
    pub(crate) fn next(&self) -> Option<(Time, NetHash, usize)> {
        self.due.first().copied()
    }

    /// Looks at a start again at another time.
    fn later(&mut self, entry: (Time, NetHash, usize), at: Time) {
        self.due.remove(&entry);
        self.due.insert((at, entry.1, entry.2));
    }

    fn done(&self, net: NetHash, start: &str) -> Option<Time> {
        self.done.get(&(net, start.to_owned())).copied()
    }
}

impl Partition {
    /// Starts the case that is due longest, or says that it is left out. False if none is due.
    pub(crate) fn start_due(&mut self, now: Time, ongoing: &Ongoing) -> Result<bool, Refused> {
        // One partition looks at the clock for all.
        if !self.state.seat.is_owner() {
            return Ok(false);
        }
        let Some(entry) = self.state.starts.next().filter(|(due, ..)| *due <= now) else { return Ok(false) };
        let (_, hash, index) = entry;
        let Some(net) = self.state.nets.get(&hash).cloned() else { return Ok(false) };
        let start = &net.starts[index];
        let StartBy::Clock { times, catch_up } = &start.by else { return Ok(false) };
        let Some(done) = self.state.starts.done(hash, &start.name) else { return Ok(false) };
        let Some(plan) = plan(times, *catch_up, done, now) else { return Ok(false) };
        if let Some((until, count)) = plan.skipped {
            let event = StartEvent::Skipped { net: hash, start: start.name.clone(), until, count };
            self.stage_system(stream::NETS, SystemEvent::Start(event), now)?;
        }
        let Some(due) = plan.start else { return Ok(true) };
        match self.start_by_clock(&net, start, due, now, ongoing) {
            Ok(()) => {}
            Err(Refused::Error(CommandError::Rejected(no))) => {
                self.refuse_start(&net, start, Some(due), None, &no, now)?;
            }
            Err(Refused::Error(CommandError::Busy { retry_after_ms })) => {
                let at = Time(now.0.saturating_add(retry_after_ms.saturating_mul(1_000_000)));
                let entry = self.state.starts.next().filter(|(_, of, which)| (*of, *which) == (hash, index));
                if let Some(entry) = entry {
                    self.state.starts.later(entry, at);
                }
            }
            Err(other) => return Err(other),
        }
        Ok(true)
    }

    fn start_by_clock(
        &mut self,
        net: &Arc<Net>,
        start: &Start,
        due: Time,
        now: Time,
        ongoing: &Ongoing,
    ) -> Result<(), Refused> {
        let seen = StartScope { message: &Value::Null, due: &Value::Time(due) };
        let input = match start.inputs(&seen) {
            Ok(Value::Map(input)) => input,
            Ok(_) => return Err(Rejection::new("case/input", "the inputs are no map").into()),
            Err(error) => return Err(Rejection::new("case/input", error.to_string()).into()),
        };
        let command = CaseCommand::TriggerCase { input, start: start.name.clone(), due: Some(due), message: None };
        self.begin_case(net, None, &command, ActorId::ENGINE, now, ongoing).map(drop)
    }
}

/// What is done about the times that are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Plan {
    /// Times that are left out: the last of them, and how many.
    skipped: Option<(Time, u64)>,
    /// The time for which a case starts.
    start: Option<Time>,
}

/// `None` if no time is due. A time that was not missed starts a case, whatever the policy.
fn plan(times: &Times, policy: CatchUp, done: Time, now: Time) -> Option<Plan> {
    if policy == CatchUp::All {
        let next = times.next(done).filter(|next| *next <= now)?;
        return Some(Plan { skipped: None, start: Some(next) });
    }
    let (last, before, count) = times.last_until(done, now)?;
    if times.next(last).is_some_and(|next| next <= now) {
        // There are more than are looked at at once.
        return Some(Plan { skipped: Some((last, count)), start: None });
    }
    let is_missed = now.0 - last.0 >= MISSED_LEAST;
    let one = Plan { skipped: None, start: Some(last) };
    let others = before.map(|before| (before, count - 1));
    Some(match policy {
        CatchUp::None if is_missed => Plan { skipped: Some((last, count)), start: None },
        _ => Plan { skipped: others, ..one },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    #[test]
    fn missed_times_are_caught_up_as_the_net_says() {
        let times = Times::Every { nanoseconds: 60 * S, from: Time(0) };
        let of = |policy, done: u64, now: u64| plan(&times, policy, Time(done * S), Time(now * S));
        let skipped = |until: u64, count| Some((Time(until * S), count));
        let start = |at: u64| Some(Time(at * S));
        for policy in CatchUp::ALL {
            assert_eq!(of(policy, 60, 119), None);
            assert_eq!(of(policy, 60, 120), Some(Plan { skipped: None, start: start(120) }), "{policy:?}");
        }
        assert_eq!(of(CatchUp::All, 60, 310), Some(Plan { skipped: None, start: start(120) }));
        assert_eq!(of(CatchUp::Last, 60, 310), Some(Plan { skipped: skipped(240, 3), start: start(300) }));
        assert_eq!(of(CatchUp::None, 60, 310), Some(Plan { skipped: skipped(300, 4), start: None }));
        assert_eq!(of(CatchUp::None, 60, 300), Some(Plan { skipped: skipped(240, 3), start: start(300) }));
    }
}
