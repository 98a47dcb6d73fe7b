//! Offers and allocations: what the record of a choice must say, by the organisation as it was at its place in the log.

use actum_kernel::resource::{Choice, Pool, choose};
use actum_model::{ActorId, ActorSet, CaseEvent, Phase, RoleIx, Seq, WorkItemState};
use actum_net::{Allocate, By, Operation, Resourcing, Strategy, Work};

use super::rule::{Broken, Judged, Law, must};
use super::view::View;
use super::who::{ABSENT, CALENDAR, Left, held_apart, left, may_have, resourcing};

/// Names that stand in place of a strategy.
const OFFER: &str = "offer";
const PILE: &str = "pile";
const ESCALATION: &str = "escalation";
const ASKED: &str = "asked";

/// The record of a choice.
#[derive(Clone, Copy)]
pub(super) struct Record<'e> {
    pub(super) directory: Seq,
    pub(super) strategy: &'e str,
    pub(super) seed: u64,
    pub(super) candidates: &'e ActorSet,
    pub(super) rules: &'e [(String, ActorSet)],
    pub(super) scores: &'e [(ActorId, i64)],
    pub(super) chosen: Option<ActorId>,
}

/// Who was to get an item was worked out rightly.
pub(super) fn decided(view: &View<'_>, item: &WorkItemState, record: Record<'_>) -> Judged {
    let (resourcing, label) = (resourcing(view, item.task)?, view.label(item.task));
    let known = view.directory.position();
    must(record.directory == known, Law::Allocation, || {
        format!(
            "it says that it knew the organisation as of event {}, but that was as of event {known}",
            record.directory
        )
    })?;
    let again = view.decision.past.last().is_some_and(
        |past| matches!(&past.event, CaseEvent::AllocationDecided { item: about, .. } if *about == item.id),
    );
    must(!again || view.decision.time != view.meta.time, Law::Owed, || {
        format!("who gets {label} was worked out just before, and nothing came of it")
    })?;
    let among = record.chosen.is_none_or(|chosen| record.candidates.contains(chosen));
    must(among, Law::Allocation, || {
        format!("{} got {label} without being a candidate", record.chosen.map_or("nobody", |actor| view.who(actor)))
    })?;
    must(item.phase != Phase::Failed && !view.is_firing(item), Law::Phase, || format!("{label} cannot be handed out"))?;
    match record.strategy {
        PILE => piled(view, item, resourcing, record),
        ESCALATION => in_its_time(view, record, escalated(view, item, record)),
        strategy => in_its_time(view, record, by_net(view, item, resourcing, strategy, record)),
    }
}

/// When the clock may have gone back, who was away or off duty by it is not known: then the record of it stands.
fn in_its_time(view: &View<'_>, record: Record<'_>, judged: Judged) -> Judged {
    let now = view.meta.time;
    let is_asked = |rule: &str| record.rules.iter().any(|(name, _)| name == rule);
    let by_time = is_asked(CALENDAR) || is_asked(ABSENT) || !view.directory.absent(now).is_empty();
    if !view.decision.exact && by_time { Ok(()) } else { judged }
}

fn piled(view: &View<'_>, item: &WorkItemState, resourcing: &Resourcing, record: Record<'_>) -> Judged {
    let asked = view.directory.pile_of(view.net.hash, item.task);
    let allowed = asked.is_some() && asked == record.chosen && resourcing.may.contains(Operation::Pile);
    must(allowed && record.candidates.len() == 1 && record.rules.is_empty(), Law::Allocation, || {
        format!("nobody asked to get all work of {}, or another did", view.label(item.task))
    })?;
    asked.map_or(Ok(()), |actor| may_have(view, item, actor, true))
}

fn escalated(view: &View<'_>, item: &WorkItemState, record: Record<'_>) -> Judged {
    let mut above = ActorSet::default();
    let below: ActorSet = match item.resource {
        Some(owner) => ActorSet::from_iter([owner]),
        None if !item.offered_to.is_empty() => item.offered_to.iter().copied().collect(),
        None => Pool::of_task(view.net, item.task, view.directory).able().clone(),
    };
    below.iter().for_each(|actor| above.unite(&view.directory.superiors(actor)));
    if let Some(owner) = item.resource {
        above.remove(owner);
    }
    let mut right = Left { rules: Vec::new(), who: above };
    right.without("separate-from", &held_apart(view, item));
    right.without(ABSENT, &view.directory.absent(view.meta.time));
    same(view, item, &right, record)?;
    chosen(view, item, Strategy::LeastLoaded, 0, record)
}

fn by_net(
    view: &View<'_>,
    item: &WorkItemState,
    resourcing: &Resourcing,
    strategy: &str,
    record: Record<'_>,
) -> Judged {
    let label = || view.label(item.task);
    let named = match &resourcing.allocate {
        Allocate::Person => OFFER,
        Allocate::System(strategy) => strategy.name(),
        Allocate::Own(name) => name,
    };
    must(strategy == named, Law::Allocation, || format!("{} is given by {named}, not by {strategy}", label()))?;
    let mut right = left(view, item, true)?;
    // Whoever gave it back does not get it again by a strategy.
    let back = view.cause().filter(|past| matches!(past.event, CaseEvent::WorkPutBack { .. }) && past.under.is_none());
    if let Some(owner) = back.and_then(|past| past.owner).filter(|_| resourcing.allocate != Allocate::Person) {
        right.without("put-back", &ActorSet::from_iter([owner]));
    }
    match record.rules.get(right.rules.len()) {
        Some((rule, removed)) if rule == ASKED => {
            must(view.cause().is_none(), Law::Allocation, || "nobody asked for certain people".to_owned())?;
            must(removed.is_subset(&right.who), Law::Allocation, || "the rule asked took out others".to_owned())?;
            let removed = removed.clone();
            right.without(ASKED, &removed);
        }
        _ => {}
    }
    same(view, item, &right, record)?;
    match &resourcing.allocate {
        Allocate::Person => must(record.chosen.is_none(), Law::Allocation, || format!("{} is only offered", label())),
        Allocate::System(strategy) => chosen(view, item, *strategy, record.seed, record),
        // What a strategy of one's own compares is its own business.
        Allocate::Own(_) => Ok(()),
    }
}

/// The rules and who is left are those recorded.
fn same(view: &View<'_>, item: &WorkItemState, right: &Left, record: Record<'_>) -> Judged {
    let label = || view.label(item.task);
    let names = |set: &ActorSet| set.iter().map(|actor| view.who(actor)).collect::<Vec<_>>().join(", ");
    must(right.rules == record.rules, Law::Allocation, || {
        let differs = right.rules.iter().zip(record.rules).find(|(right, said)| right != said);
        match differs {
            Some(((rule, who), (said, them))) => format!(
                "of {}, the rule {rule} takes out [{}]; recorded is {said} [{}]",
                label(),
                names(who),
                names(them)
            ),
            None => {
                format!("{} rules count for {}, and {} are recorded", right.rules.len(), label(), record.rules.len())
            }
        }
    })?;
    must(right.who == *record.candidates, Law::Allocation, || {
        format!("left for {} are [{}]; recorded are [{}]", label(), names(&right.who), names(record.candidates))
    })
}

/// The choice is the strategy's.
fn chosen(view: &View<'_>, item: &WorkItemState, strategy: Strategy, seed: u64, record: Record<'_>) -> Judged {
    // What this very decision gave before counts too, in a way that is the engine's own.
    if view.decision.has(|event| matches!(event, CaseEvent::WorkAllocated { .. })) {
        return must(record.chosen.is_some() || record.candidates.is_empty(), Law::Allocation, || {
            format!("nobody got {}, though there were candidates", view.label(item.task))
        });
    }
    let right = choose(
        strategy,
        &Choice {
            net: view.net,
            task: item.task,
            candidates: record.candidates,
            list: None,
            directory: view.directory,
            held: view.standing.held(),
            practice: view.standing.practice(view.net.hash, item.task),
            now: view.meta.time,
            seed,
        },
    );
    let (actor, scores) = right.map_or((None, Vec::new()), |chosen| (Some(chosen.actor), chosen.scores));
    must(actor == record.chosen && scores == record.scores, Law::Allocation, || {
        let name = |actor: Option<ActorId>| actor.map_or("nobody", |actor| view.who(actor));
        let (label, strategy) = (view.label(item.task), strategy.name());
        format!(
            "{strategy} gives {label} to {} ({scores:?}); recorded is {} ({:?})",
            name(actor),
            name(record.chosen),
            record.scores
        )
    })
}

/// An item is offered to whom the net says.
pub(super) fn offered(view: &View<'_>, item: &WorkItemState, role: Option<RoleIx>, to: &[ActorId]) -> Judged {
    let resourcing = resourcing(view, item.task)?;
    let label = || view.label(item.task);
    must(!view.is_firing(item), Law::Phase, || format!("the instances of {} are offered, not their firing", label()))?;
    if let Some(CaseEvent::AllocationDecided { strategy, candidates, item: about, .. }) =
        view.cause().map(|cause| &cause.event)
    {
        let is_right =
            *about == item.id && strategy == OFFER && role.is_none() && candidates.iter().eq(to.iter().copied());
        return must(is_right, Law::Allocation, || format!("{} is not offered to all who were left", label()));
    }
    let Work::Manual { role: own, .. } = &view.task(item.task).work else { return Ok(()) };
    let open = if *resourcing == Resourcing::default() { *own } else { resourcing.open_role() };
    must(open.is_some() && role == open, Law::Allocation, || {
        format!("{} is not offered to a role as a whole", label())
    })?;
    must(to.is_empty() || view.cause().is_none(), Law::Allocation, || {
        format!("{} is offered to some of its role, and nobody asked for that", label())
    })?;
    to.iter().try_for_each(|actor| may_have(view, item, *actor, true))
}

/// Somebody gets an item: who takes it, who was chosen, who is above.
pub(super) fn allocated(view: &View<'_>, item: &WorkItemState, to: ActorId) -> Judged {
    let label = || view.label(item.task);
    match view.cause().map(|cause| &cause.event) {
        Some(
            CaseEvent::AllocationDecided { item: about, chosen: given, .. }
            | CaseEvent::WorkEscalated { item: about, to: given, .. },
        ) => must(*about == item.id && *given == Some(to), Law::Allocation, || {
            let chosen = given.map_or("nobody", |actor| view.who(actor));
            format!("{} goes to {}, where {chosen} was chosen", label(), view.who(to))
        }),
        Some(_) => Err(Broken(Law::Cause, format!("nothing says why {} goes to {}", label(), view.who(to)))),
        None => {
            must(item.phase == Phase::Offered, Law::Phase, || format!("{} was not offered", label()))?;
            must(view.meta.actor == to, Law::Who, || {
                format!("{} takes {} for {}", view.who(view.meta.actor), label(), view.who(to))
            })?;
            may_have(view, item, to, false)?;
            must(item.offered_to.is_empty() || item.offered_to.contains(&to), Law::Who, || {
                format!("{} was offered to others, not to {}", label(), view.who(to))
            })
        }
    }
}

/// Work begins by itself as soon as it is somebody's.
pub(super) fn begins_by_itself(view: &View<'_>, item: &WorkItemState) -> bool {
    let by_net = resourcing(view, item.task).is_ok_and(|resourcing| resourcing.start == By::System);
    by_net
        || view.directory.pile_of(view.net.hash, item.task).is_some()
        || resourcing(view, item.task).is_ok_and(|resourcing| resourcing.may.contains(Operation::Pile))
}
