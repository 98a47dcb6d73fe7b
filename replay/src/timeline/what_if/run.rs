//! Goes on with a copy of a case: what is due next happens, until nothing is.

use std::collections::{BTreeMap, BTreeSet};

use actum_kernel::{Cause, Context, Decided, Effect, decide, pending_effects};
use actum_model::{ActorId, CaseCommand, CaseEvent, CaseStatus, Event, ItemId, Meta, Phase, Seq, Time, Value};
use actum_net::{Net, Work};

use super::outcomes::{Ask, End, Outcomes};
use super::{FORK_EVENTS_MAX, Stopped, World, of_case};
use crate::state::Fold;
use crate::timeline::Story;
use crate::{Fact, LoggedEvent, Stream};

const MINUTE: u64 = 60_000_000_000;
/// People who are asked to do an item, at most.
const PEOPLE_MAX: u32 = 1_000;
/// How often a simulated person does one task: a net may run in circles for ever.
const VISITS_MAX: u32 = 1_000;

/// A copy of a case on its own way.
pub(super) struct Run<'s> {
    story: &'s Story,
    net: &'s Net,
    pub(super) fold: Fold,
    pub(super) events: Vec<LoggedEvent>,
    now: Time,
    /// Which time its task asked, by item.
    asks: BTreeMap<ItemId, Ask>,
    counts: BTreeMap<(String, bool), u32>,
    /// When an item last changed its phase.
    since: BTreeMap<ItemId, Time>,
    /// Items that nobody can do, or whose command was refused.
    stuck: BTreeSet<ItemId>,
    /// A rest, and its end, are only a means now and no events.
    settling: bool,
}

impl<'s> Run<'s> {
    pub(super) fn new(story: &'s Story, net: &'s Net, fold: Fold, fork: usize) -> Self {
        let mut run = Run {
            story,
            net,
            now: fold.case.changed,
            events: Vec::new(),
            asks: BTreeMap::new(),
            counts: BTreeMap::new(),
            since: BTreeMap::new(),
            stuck: BTreeSet::new(),
            settling: false,
            fold,
        };
        // By the names of the net that it ran then.
        let old = story.net().map_or(net, |net| net);
        for logged in story.events().iter().take(fork) {
            if let Some(event) = of_case(logged) {
                run.note(event, logged.meta.time, old);
            }
        }
        run
    }

    /// Whether a task asked for something that time.
    pub(super) fn has_asked(&self, ask: &Ask) -> bool {
        self.asks.values().any(|asked| asked == ask)
    }

    fn note(&mut self, event: &CaseEvent, time: Time, net: &Net) {
        if let CaseEvent::WorkEnabled { item, task, instance, .. } = event {
            let key = (net.task_label(*task), instance.is_some());
            let count = self.counts.entry(key.clone()).or_default();
            *count += 1;
            self.asks.insert(*item, (key.0, key.1, *count));
        }
        if let Some((item, _)) = event.work() {
            self.since.insert(item, time);
        }
    }

    /// Asks the kernel; false if it refuses.
    fn ask(&mut self, actor: ActorId, command: &CaseCommand) -> bool {
        let directory = self.story.names().directory();
        let context = Context::new(self.now, actor, directory);
        let Ok(decided) = decide(self.net, &self.fold.case, command, &context) else { return false };
        let mut seqs: Vec<Seq> = Vec::with_capacity(decided.len());
        for Decided { actor, cause, event } in decided {
            let cause = match cause {
                Cause::Request => None,
                Cause::Logged(seq) => Some(seq),
                Cause::Staged(index) => seqs.get(index).copied(),
            };
            let case = &self.fold.case;
            let seq = Seq(case.last_seq.0.saturating_add(1));
            let meta = Meta { seq, version: case.version.saturating_add(1), time: self.now, actor, cause };
            if is_rest(&event) && self.settling {
                self.fold.case.control.apply(&meta, &event);
                seqs.push(self.fold.case.last_seq);
                continue;
            }
            self.fold.apply(&meta, &event);
            self.note(&event, self.now, self.net);
            seqs.push(seq);
            self.events.push(LoggedEvent {
                partition: 0,
                stream: Stream::Case(self.fold.case.id),
                meta,
                key: None,
                on_behalf_of: None,
                command: None,
                trace: None,
                remote_cause: None,
                fact: Fact::Event(Event::Case(event)),
            });
        }
        true
    }
}

/// Lets the kernel look at everything anew: a rest, and its end, at which it does. Both leave no other trace.
pub(super) fn settle(run: &mut Run<'_>) {
    if run.fold.case.control.status != CaseStatus::Open || run.fold.case.control.suspended {
        return;
    }
    run.settling = true;
    if run.ask(ActorId::ENGINE, &CaseCommand::SuspendCase { until: None }) {
        run.ask(ActorId::ENGINE, &CaseCommand::ResumeCase);
    }
    run.settling = false;
}

fn is_rest(event: &CaseEvent) -> bool {
    matches!(event, CaseEvent::CaseSuspended | CaseEvent::CaseResumed)
}

/// Whether an event is the first of a decision: somebody or something outside asked for it.
pub(super) fn begins_decision(story: &Story, net: &Net, index: usize, next: &LoggedEvent) -> bool {
    let Some(event) = of_case(next) else { return true };
    if next.meta.actor != ActorId::ENGINE || next.meta.cause.is_none() {
        return true;
    }
    let work = event.work().and_then(|(item, task)| Some((item, &net.tasks.get(task.index())?.work)));
    match (event, work) {
        (CaseEvent::WorkTimedOut { .. }, _) => true,
        (CaseEvent::WorkCompleted { .. } | CaseEvent::WorkFailed { .. }, Some((item, Work::Automatic { .. }))) => {
            // The firing of several instances ends with the last of them.
            let state = story.state(index);
            !state.control.activations().iter().any(|firing| firing.item == item)
        }
        (CaseEvent::WorkStarted { .. }, Some((item, Work::Wait(_)))) => {
            story.state(index).control.item(item).is_some_and(|item| item.timer.is_some())
        }
        _ => false,
    }
}

/// Something that is due.
struct Due {
    at: Time,
    item: ItemId,
    deed: Deed,
}

enum Deed {
    Begin(Option<ActorId>),
    Complete(ActorId, Value),
    Fail(ActorId, String, String),
    Timer,
    Signal(String, Value, Option<usize>),
}

/// Goes on until the case ends or nothing is known that would happen.
pub(super) fn go_on(run: &mut Run<'_>, outcomes: &Outcomes, simulated: bool, world: &dyn World) -> Stopped {
    let mut heard: BTreeSet<usize> = BTreeSet::new();
    loop {
        if run.fold.case.control.status != CaseStatus::Open {
            return Stopped::Ended;
        }
        if run.events.len() >= FORK_EVENTS_MAX {
            return Stopped::Circles;
        }
        let mut waits = Vec::new();
        let mut dues = dues(run, outcomes, simulated, world, &mut waits);
        if !simulated {
            let signals = outcomes.signals.iter().enumerate().filter(|(index, _)| !heard.contains(index));
            dues.extend(signals.map(|(index, signal)| Due {
                at: signal.time,
                item: ItemId(u32::MAX),
                deed: Deed::Signal(signal.name.clone(), signal.data.clone(), Some(index)),
            }));
        }
        let Some(due) = dues.into_iter().min_by_key(|due| (due.at.max(run.now), due.item)) else {
            return Stopped::Waits(waits);
        };
        run.now = run.now.max(due.at);
        let done = match due.deed {
            Deed::Begin(who) => begin(run, due.item, who),
            Deed::Complete(actor, result) => run.ask(actor, &CaseCommand::CompleteWork { item: due.item, result }),
            Deed::Fail(actor, code, message) => {
                run.ask(actor, &CaseCommand::FailWork { item: due.item, code, message })
            }
            Deed::Timer => run.ask(ActorId::ENGINE, &CaseCommand::TimerFired { item: due.item }),
            Deed::Signal(name, data, index) => {
                heard.extend(index);
                // Nobody may wait for it now; then it is lost, as it would have been.
                run.ask(ActorId::ENGINE, &CaseCommand::Signal { name, data }) || index.is_some()
            }
        };
        if !done {
            run.stuck.insert(due.item);
        }
    }
}

fn dues(run: &Run<'_>, outcomes: &Outcomes, simulated: bool, world: &dyn World, waits: &mut Vec<String>) -> Vec<Due> {
    let case = &run.fold.case;
    let mut dues = Vec::new();
    if case.control.suspended {
        waits.push("the case is suspended".to_owned());
        return dues;
    }
    for effect in pending_effects(run.net, case) {
        match effect {
            Effect::Invoke { item, task, input, .. } => match call(run, outcomes, world, item, task, input) {
                Ok(due) => dues.push(due),
                Err(wait) => waits.push(wait),
            },
            Effect::SetTimer { item, at, .. } if !run.stuck.contains(&item) => {
                dues.push(Due { at, item, deed: Deed::Timer });
            }
            _ => {}
        }
    }
    for item in &case.control.items {
        match person(run, outcomes, simulated, world, item) {
            Some(Ok(due)) => dues.push(due),
            Some(Err(wait)) => waits.push(wait),
            None => {}
        }
    }
    dues
}

/// What a handler gives: computed anew where that is all it does, for the data may be other; else as it was.
fn call(
    run: &Run<'_>,
    outcomes: &Outcomes,
    world: &dyn World,
    item: ItemId,
    task: actum_net::TaskIx,
    input: Result<Value, actum_net::EvalError>,
) -> Result<Due, String> {
    let label = run.net.task_label(task);
    let since = run.since.get(&item).copied().unwrap_or(run.now);
    let engine = ActorId::ENGINE;
    if run.stuck.contains(&item) {
        return Err(format!("{label}: what its handler gave cannot be used"));
    }
    let recorded = run.asks.get(&item).and_then(|ask| outcomes.find(ask)).and_then(|found| found.ended.clone());
    let after = recorded.as_ref().map_or(0, |(_, after)| *after);
    let at = Time(since.0.saturating_add(after));
    let handler = match &run.net.tasks[task.index()].work {
        Work::Automatic { handler, .. } => handler.as_str(),
        _ => "",
    };
    let computed = match input {
        Ok(input) => world.handler(handler, &input),
        Err(error) => {
            return Ok(Due { at, item, deed: Deed::Fail(engine, error.code().to_owned(), error.to_string()) });
        }
    };
    let deed = match (computed, recorded) {
        (Some(result), _) | (None, Some((End::Completed(result), _))) => Deed::Complete(engine, result),
        (None, Some((End::Failed(code, message), _))) => Deed::Fail(engine, code, message),
        (None, None) => return Err(format!("{label}: nothing is recorded that its handler {handler} gave that time")),
    };
    Ok(Due { at, item, deed })
}

/// What becomes of an item that is for people, or that waits for a signal; `None` if nothing needs to.
fn person(
    run: &Run<'_>,
    outcomes: &Outcomes,
    simulated: bool,
    world: &dyn World,
    item: &actum_model::WorkItemState,
) -> Option<Result<Due, String>> {
    let definition = run.net.tasks.get(item.task.index())?;
    let ask = run.asks.get(&item.id)?;
    let label = run.net.task_label(item.task);
    let since = run.since.get(&item.id).copied().unwrap_or(run.now);
    let key = item.id;
    let waits_for = definition.trigger.as_ref().filter(|_| item.phase == Phase::Enabled && !item.triggered);
    if let Some(trigger) = waits_for {
        let minutes = if simulated { world.signal(run.net, &trigger.signal, ask.2) } else { None };
        return Some(match minutes.filter(|_| !run.stuck.contains(&key)) {
            Some(minutes) => {
                let at = Time(since.0.saturating_add(u64::from(minutes) * MINUTE));
                Ok(Due { at, item: key, deed: Deed::Signal(trigger.signal.clone(), Value::Null, None) })
            }
            None => Err(format!("{label} waits for the signal {}", trigger.signal)),
        });
    }
    let is_work =
        matches!(definition.work, Work::Manual { .. }) && (definition.instances.is_none() || item.instance.is_some());
    if !is_work {
        let failed = item.phase == Phase::Failed;
        return failed.then(|| Err(format!("{label} failed and waits to be tried again")));
    }
    if run.stuck.contains(&key) {
        return Some(Err(format!("{label}: nobody may do it, or what was given cannot be used")));
    }
    let recorded = if simulated { None } else { outcomes.find(ask) };
    let played = || if simulated && ask.2 <= VISITS_MAX { world.person(run.net, item.task, ask.2) } else { None };
    let due = |after: u64, deed| Some(Ok(Due { at: Time(since.0.saturating_add(after)), item: key, deed }));
    match item.phase {
        Phase::Enabled | Phase::Offered | Phase::Allocated => {
            let who = item.resource.or(recorded.and_then(|found| found.begun).map(|(who, _)| who));
            // Times are counted from when the item was there; `since` is later, if it was handed out after that.
            let after = recorded.and_then(|found| found.begun).map_or(0, |(_, after)| after);
            if recorded.is_none_or(|found| found.begun.is_none()) && !simulated {
                return Some(Err(format!("{label}: nothing is recorded of who did it that time")));
            }
            due(after, Deed::Begin(who))
        }
        Phase::Started => {
            let actor = item.resource.unwrap_or(ActorId::ENGINE);
            match (recorded.and_then(|found| found.ended.clone()), played()) {
                (Some((End::Completed(result), after)), _) => due(after, Deed::Complete(actor, result)),
                (Some((End::Failed(code, message), after)), _) => due(after, Deed::Fail(actor, code, message)),
                (None, Some((minutes, result))) => due(u64::from(minutes) * MINUTE, Deed::Complete(actor, result)),
                (None, None) => Some(Err(format!("{label}: nothing is recorded of what was given that time"))),
            }
        }
        Phase::Failed => Some(Err(format!("{label} failed and waits to be tried again"))),
        _ => Some(Err(format!("{label} is suspended"))),
    }
}

/// Somebody takes an item and begins it: who did it then, if they may; else the first who may.
fn begin(run: &mut Run<'_>, item: ItemId, who: Option<ActorId>) -> bool {
    let people = run.story.names().directory().next_id().0.min(PEOPLE_MAX);
    let all = who.into_iter().chain((1..people).map(ActorId));
    for actor in all.filter(|actor| *actor != ActorId::ENGINE) {
        let phase = run.fold.case.control.item(item).map(|item| item.phase);
        let taken = phase == Some(Phase::Allocated) || run.ask(actor, &CaseCommand::TakeWork { item });
        if !taken {
            continue;
        }
        let phase = run.fold.case.control.item(item).map(|item| item.phase);
        let owner = run.fold.case.control.item(item).and_then(|item| item.resource).unwrap_or(actor);
        return phase == Some(Phase::Started) || run.ask(owner, &CaseCommand::StartWork { item });
    }
    false
}
