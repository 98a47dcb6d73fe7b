//! Why somebody got work: what the log recorded when it was decided, never what a newer program would decide.

use std::collections::HashMap;

use actum_model::{ActorId, ActorSet, CaseEvent, CaseId, ItemId, Meta, Seq, Time};

use actum_net::Net;

use crate::state::{Seen, reaches};
use crate::{At, CaseRef, Events, Names, Numbered, ReplayError, names};

/// A decision about who gets a work item, with names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The case.
    pub case: CaseId,
    /// The event that was asked about.
    pub asked: Seq,
    /// The event that recorded the decision.
    pub decided: Seq,
    /// When it was decided.
    pub time: Time,
    /// The item.
    pub item: ItemId,
    /// Its task.
    pub task: String,
    /// The newest event of the directory that was known.
    pub directory: Seq,
    /// Name of the strategy; `offer`, `pile` or `escalation` if none chose.
    pub strategy: String,
    /// Seed of a random choice.
    pub seed: Option<u64>,
    /// Who came into question before any rule.
    pub considered: Vec<String>,
    /// Each rule in force, in order, with whom it took out.
    pub rules: Vec<(String, Vec<String>)>,
    /// Who was left.
    pub candidates: Vec<String>,
    /// What the strategy compared; lower is better.
    pub scores: Vec<(String, i64)>,
    /// Who was chosen.
    pub chosen: Option<String>,
}

/// Explains the allocation behind an event of a case: the decision itself, or the newest one about its item before it.
///
/// # Errors
/// When there is no such case or event, or nothing was decided about its item: then somebody took it.
pub fn why<I>(events: &mut Events<I>, wanted: &CaseRef, at: At) -> Result<Why, ReplayError>
where
    I: Iterator<Item = Numbered>,
{
    let mut seen = Seen::default();
    let mut decisions: HashMap<ItemId, Why> = HashMap::new();
    let mut last: Option<(Meta, Option<ItemId>)> = None;
    let mut found = None;
    while let Some(logged) = events.next() {
        let logged = logged?;
        seen.take(&logged, wanted);
        let Some((case, event)) = logged.of_case().filter(|(id, _)| seen.meant.first() == Some(id)) else { continue };
        seen.last_version = logged.meta.version;
        if !reaches(at, &logged.meta) {
            continue;
        }
        let item = event.work().map(|(item, _)| item);
        let net = events.names().net_of(case).map(|net| &**net);
        if let Some(why) = of_event(case, &logged.meta, event, net, events.names()) {
            decisions.insert(why.item, why);
        }
        found = item.and_then(|item| decisions.get(&item)).cloned();
        last = Some((logged.meta, item));
    }
    let case = seen.only(wanted)?;
    let exact = |(meta, _): &(Meta, Option<ItemId>)| match at {
        At::Seq(seq) => meta.seq == seq,
        At::Version(version) => meta.version == version,
        At::Time(_) => true,
    };
    let Some((meta, item)) = last.filter(exact) else {
        return Err(ReplayError::NoDecision {
            case,
            at: at.to_string(),
            why: "the case has no event there".to_owned(),
        });
    };
    if let Some(found) = found {
        return Ok(Why { asked: meta.seq, ..found });
    }
    let why = match item {
        Some(item) => format!("item {item} was offered to a role as a whole, and people decided the rest"),
        None => "the event is about no work item".to_owned(),
    };
    Err(ReplayError::NoDecision { case, at: at.to_string(), why })
}

/// The decision that an event records.
pub(crate) fn of_event(case: CaseId, meta: &Meta, event: &CaseEvent, net: Option<&Net>, names: &Names) -> Option<Why> {
    let CaseEvent::AllocationDecided { item, task, directory, strategy, seed, candidates, rules, scores, chosen } =
        event
    else {
        return None;
    };
    let name = |actor: ActorId| names.actor(actor);
    let list = |set: &ActorSet| set.iter().map(name).collect::<Vec<_>>();
    let mut considered = candidates.clone();
    rules.iter().for_each(|(_, removed)| considered.unite(removed));
    Some(Why {
        case,
        asked: meta.seq,
        decided: meta.seq,
        time: meta.time,
        item: *item,
        task: names::task(net, *task),
        directory: *directory,
        strategy: strategy.clone(),
        seed: (*seed != 0).then_some(*seed),
        considered: list(&considered),
        rules: rules.iter().map(|(rule, removed)| (rule.clone(), list(removed))).collect(),
        candidates: list(candidates),
        scores: scores.iter().map(|(actor, score)| (name(*actor), *score)).collect(),
        chosen: chosen.map(name),
    })
}
