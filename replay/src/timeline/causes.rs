//! Why an event happened: what caused it, and what caused that, back to whoever or whatever began it.

use actum_log::{Position, Trace};
use actum_model::{ActorId, CaseEvent, CaseId, ExceptionKind, Seq, Time};
use actum_net::Work;

use super::guards::guards;
use super::{GuardSeen, Story};
use crate::why::of_event;
use crate::{Why, names};

/// Longest chain that is told; of a longer one, the nearest events.
pub(crate) const CHAIN_MAX: usize = 1_000;

/// Why an event of a case happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Reasons {
    /// The case.
    pub case: CaseId,
    /// The event that was asked about, then what caused it, and so on.
    pub chain: Vec<Step>,
    /// The chain goes on beyond a thousand events.
    pub more: bool,
    /// Who was considered for the work that the event is about, and why who got it, if that was decided.
    pub allocation: Option<Why>,
}

/// One event of the chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Where in the log.
    pub seq: Seq,
    /// Which event of the case; `None` of an event that is not the case's.
    pub version: Option<u64>,
    /// When.
    pub time: Option<Time>,
    /// What kind of event.
    pub kind: Option<&'static str>,
    /// The work item's number and task, if it is about one.
    pub work: Option<(u32, String)>,
    /// Who.
    pub actor: String,
    /// For whom.
    pub on_behalf_of: Option<String>,
    /// Id of the command that asked for it.
    pub command: Option<[u8; 16]>,
    /// Trace of the request.
    pub trace: Option<Trace>,
    /// The event of another partition that caused it.
    pub remote: Option<Position>,
    /// Why it happened, in words.
    pub because: String,
    /// The guards that decided which way the case went on, with what they saw.
    pub guards: Vec<GuardSeen>,
}

/// Explains the event at an index of a story.
#[must_use]
pub fn reasons(story: &Story, index: usize) -> Reasons {
    let mut chain = Vec::new();
    let mut next = Some(index);
    let mut more = false;
    while let Some(index) = next {
        if chain.len() == CHAIN_MAX {
            more = true;
            break;
        }
        chain.push(step(story, index));
        let logged = &story.events()[index];
        // A cause lies before what it caused; a forged log must not send us in circles.
        let cause = logged.meta.cause.filter(|cause| *cause < logged.meta.seq);
        next = cause.and_then(|cause| story.index_of(cause));
        if let Some(foreign) = cause.filter(|_| next.is_none()) {
            chain.push(elsewhere(foreign));
        }
    }
    Reasons { case: story.case(), chain, more, allocation: allocation(story, index) }
}

/// The decision about who gets the item that an event is about: the event itself, or the newest before it.
fn allocation(story: &Story, index: usize) -> Option<Why> {
    let (item, _) = story.event(index)?.work()?;
    let asked = story.events()[index].meta.seq;
    let decided = (0..=index)
        .rev()
        .find(|at| matches!(story.event(*at), Some(CaseEvent::AllocationDecided { item: of, .. }) if *of == item))?;
    let net = story.net().map(|net| &**net);
    let why = of_event(story.case(), &story.events()[decided].meta, story.event(decided)?, net, story.names())?;
    Some(Why { asked, ..why })
}

fn elsewhere(seq: Seq) -> Step {
    Step {
        seq,
        version: None,
        time: None,
        kind: None,
        work: None,
        actor: String::new(),
        on_behalf_of: None,
        command: None,
        trace: None,
        remote: None,
        because: format!("an event of another case or of the system; `actum log --from {seq} --limit 1` shows it"),
        guards: Vec::new(),
    }
}

fn step(story: &Story, index: usize) -> Step {
    let logged = &story.events()[index];
    let net = story.net().map(|net| &**net);
    let event = story.event(index);
    let guards = match (net, event) {
        (Some(net), Some(event)) => guards(net, &story.state(index), event),
        _ => Vec::new(),
    };
    Step {
        seq: logged.meta.seq,
        version: Some(logged.meta.version),
        time: Some(logged.meta.time),
        kind: Some(logged.kind()),
        work: event.and_then(CaseEvent::work).map(|(item, task)| (item.0, names::task(net, task))),
        actor: story.actor(logged.meta.actor),
        on_behalf_of: logged.on_behalf_of.map(|actor| story.actor(actor)),
        command: logged.command,
        trace: logged.trace,
        remote: logged.remote_cause,
        because: event.map(|event| because(story, index, event)).unwrap_or_default(),
        guards,
    }
}

/// Why an event happened, as far as it alone tells.
fn because(story: &Story, index: usize, event: &CaseEvent) -> String {
    let meta = &story.events()[index].meta;
    let who = story.actor(meta.actor);
    let by_person = meta.actor != ActorId::ENGINE;
    let cause = meta.cause.and_then(|cause| story.index_of(cause));
    let caused_by = cause.and_then(|cause| story.event(cause));
    let net = story.net();
    let work = event.work().and_then(|(_, task)| net.and_then(|net| net.tasks.get(task.index())));
    match (event, work.map(|task| &task.work)) {
        (CaseEvent::CaseStarted { .. }, _) if by_person => format!("{who} started the case"),
        (CaseEvent::CaseStarted { .. }, _) => "the program that runs the engine started the case".to_owned(),
        (CaseEvent::WorkCompleted { .. }, Some(Work::Automatic { handler, .. })) if !by_person => {
            format!("the handler {handler} gave its result")
        }
        (CaseEvent::WorkCompleted { .. }, Some(Work::Routing)) => "it only routes, so it is done at once".to_owned(),
        (CaseEvent::WorkCompleted { .. } | CaseEvent::WorkStarted { .. }, Some(Work::Wait(_))) => {
            "the time came that it waited for".to_owned()
        }
        (CaseEvent::WorkCompleted { .. }, Some(Work::Composite { .. })) if !by_person => {
            "its subnet came to its end".to_owned()
        }
        (CaseEvent::WorkFailed { .. }, Some(Work::Automatic { handler, .. })) if !by_person => {
            format!("the handler {handler} failed, or what it gave could not be used")
        }
        (CaseEvent::WorkTimedOut { .. }, _) => "its timer fired".to_owned(),
        (CaseEvent::SignalReceived { name, item: Some(_), kept: true, .. }, _) => {
            format!("the signal {name} had come before and was kept")
        }
        (CaseEvent::SignalReceived { name, .. }, _) if by_person => format!("{who} sent the signal {name}"),
        (CaseEvent::SignalReceived { name, .. }, _) => format!("the signal {name} came from outside"),
        (CaseEvent::ExceptionRaised { kind, .. }, _) => exception(*kind, &who, by_person),
        (CaseEvent::WorkEnabled { instance: Some(_), .. }, _) => "one instance of several began".to_owned(),
        (CaseEvent::WorkEnabled { .. }, _) => match caused_by {
            Some(CaseEvent::CaseStarted { .. } | CaseEvent::SubnetStarted { .. }) => {
                "its inputs were marked from the beginning".to_owned()
            }
            _ => "its join was satisfied: the tokens that it needs were there".to_owned(),
        },
        (CaseEvent::WorkOffered { .. } | CaseEvent::WorkAllocated { .. }, _) if !by_person => {
            "the net's rules on who does it said so".to_owned()
        }
        (CaseEvent::AllocationDecided { strategy, .. }, _) => format!("the work was handed out by {strategy}"),
        (CaseEvent::WorkStarted { .. }, _) if !by_person => "it needs no person, so it began at once".to_owned(),
        (CaseEvent::WorkWithdrawn { .. }, _) => withdrawn(caused_by),
        (CaseEvent::TokensCancelled { .. }, _) => "a task cancelled its cancellation set".to_owned(),
        (CaseEvent::CaseForced { reason, .. }, _) => format!("{who} ended the case by force: {reason}"),
        (CaseEvent::WorkForced { reason, .. }, _) => format!("{who} completed it by force: {reason}"),
        (CaseEvent::RestLimited { .. }, _) => "the rest is only for a time".to_owned(),
        (CaseEvent::CaseCompleted, _) if matches!(caused_by, Some(CaseEvent::CaseForced { .. })) => {
            "somebody ended the case by force".to_owned()
        }
        (CaseEvent::WorkCompleted { .. }, _) if matches!(caused_by, Some(CaseEvent::WorkForced { .. })) => {
            "somebody completed it by force".to_owned()
        }
        (CaseEvent::CaseResumed | CaseEvent::WorkResumed { .. }, _) if rest_is_over(story, index, event) => {
            "the time came until which it was to rest".to_owned()
        }
        (CaseEvent::CaseCompleted, _) => "the case reached its end".to_owned(),
        (CaseEvent::CaseDeadlocked, _) => "nothing was enabled or running, and the end was not reached".to_owned(),
        _ if by_person => format!("{who} asked for it"),
        _ if cause.is_some() => "it follows from the event that caused it".to_owned(),
        _ => "the program that runs the engine asked for it".to_owned(),
    }
}

fn exception(kind: ExceptionKind, who: &str, by_person: bool) -> String {
    match kind {
        ExceptionKind::Abort => "its work failed, and the net has a rule for that".to_owned(),
        ExceptionKind::Timeout => "it took too long, and the net has a rule for that".to_owned(),
        ExceptionKind::Unavailable => "nobody could do it, and the net has a rule for that".to_owned(),
        ExceptionKind::Violation => "the data broke a rule of the net".to_owned(),
        _ if by_person => format!("{who} raised it"),
        _ => "it was raised from outside".to_owned(),
    }
}

/// What goes on had a time until which it was to rest, and that has come.
fn rest_is_over(story: &Story, index: usize, event: &CaseEvent) -> bool {
    let before = index.checked_sub(1).map(|before| story.state(before));
    let until = before.and_then(|case| case.control.rest_until(event.work().map(|(item, _)| item)));
    let meta = &story.events()[index].meta;
    meta.actor == ActorId::ENGINE && until.is_some_and(|until| until <= meta.time)
}

fn withdrawn(caused_by: Option<&CaseEvent>) -> String {
    match caused_by {
        Some(CaseEvent::WorkStarted { .. } | CaseEvent::WorkSkipped { .. } | CaseEvent::WorkForced { .. }) => {
            "another task took the tokens that it needs".to_owned()
        }
        _ => "it was no longer possible".to_owned(),
    }
}
