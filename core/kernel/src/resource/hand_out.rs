//! Handing out: how an item that became possible comes to people. Every choice of the engine is recorded with its reasons.

use actum_model::{ActorId, ActorSet, AnyWorkItem, CaseEvent, ItemId, TaskIx, WorkItemState};
use actum_net::{Allocate, By, Operation, Resourcing, RoleIx, Strategy, Work};

use super::seed::mix;
use super::sift::{Purpose, Sifted, facts, pool_of, resourcing_of, sift};
use super::{Choice, Chosen, Held, Pool, Practice, Standing, choose, refusal};
use crate::{
    draft::{Cause, Draft},
    exception, fire, join,
    permission::conflicts,
};

/// What stands in place of a strategy when nobody chooses: the item is offered to all who are left.
const OFFER: &str = "offer";

/// What stands there when somebody asked for all work of the task.
const PILE: &str = "pile";

/// What stands there when it goes to somebody above.
const ESCALATION: &str = "escalation";

/// What follows for an item, as the net says: it is offered, or somebody gets it, or it waits for somebody to offer it.
/// `cause` is why the item is nobody's; `barred` is whom it must not come back to. Returns the newest event about it.
pub(crate) fn hand_out(draft: &mut Draft<'_>, item: ItemId, cause: usize, barred: Option<ActorId>) -> usize {
    let Some((state, resourcing, role)) = look_up(draft, item) else { return cause };
    if let Some(cause) = to_pile(draft, &state, resourcing, cause) {
        return cause;
    }
    if let Some(role) = open_role(role, resourcing) {
        return offer(draft, item, Some(role), Vec::new(), cause);
    }
    if resourcing.offer == By::Person {
        return cause;
    }
    let mut sifted = sift(draft, &state, &pool_of(draft, state.task), Purpose::Given);
    if let Some(barred) = barred.filter(|_| resourcing.allocate != Allocate::Person) {
        sifted.bar("put-back", &ActorSet::from_iter([barred]));
    }
    among(draft, &state, resourcing, sifted, Cause::Staged(cause), ActorId::ENGINE)
}

/// Somebody named whom to ask: those of them whom no rule keeps from the item are offered it, or one of them gets it. With
/// nobody named, all who come into question.
pub(crate) fn hand_out_among(
    draft: &mut Draft<'_>,
    item: ItemId,
    to: &[ActorId],
    cause: Cause,
    actor: ActorId,
) -> Option<usize> {
    let (state, resourcing, role) = look_up(draft, item)?;
    if let Some(role) = open_role(role, resourcing) {
        let event = offering(&state, Some(role), to.to_vec())?;
        return Some(draft.push(actor, cause, event));
    }
    let mut sifted = sift(draft, &state, &pool_of(draft, state.task), Purpose::Given);
    if !to.is_empty() {
        sifted.keep("asked", &to.iter().copied().collect());
    }
    Some(among(draft, &state, resourcing, sifted, cause, actor))
}

/// Role whose members as a whole are offered an item of the task.
fn open_role(role: Option<RoleIx>, resourcing: &Resourcing) -> Option<RoleIx> {
    if *resourcing == Resourcing::default() { role } else { resourcing.open_role() }
}

fn look_up<'n>(draft: &Draft<'n>, item: ItemId) -> Option<(WorkItemState, &'n Resourcing, Option<RoleIx>)> {
    let state = draft.control.item(item)?.clone();
    let resourcing = resourcing_of(draft, state.task)?;
    let Work::Manual { role, .. } = &draft.net.tasks[state.task.index()].work else { return None };
    Some((state, resourcing, *role))
}

/// Offers the item to who is left, or gives it to one of them.
fn among(
    draft: &mut Draft<'_>,
    state: &WorkItemState,
    resourcing: &Resourcing,
    sifted: Sifted,
    cause: Cause,
    actor: ActorId,
) -> usize {
    let seed = seed_of(draft, state);
    let chosen = match &resourcing.allocate {
        Allocate::Person => None,
        by => {
            let pool = pool_of(draft, state.task);
            choose_among(draft, state, by, &sifted, &pool, seed)
        }
    };
    let strategy = match &resourcing.allocate {
        Allocate::Person => OFFER,
        Allocate::System(strategy) => strategy.name(),
        Allocate::Own(name) => name,
    };
    let to: Vec<ActorId> =
        if resourcing.allocate == Allocate::Person { sifted.left.iter().collect() } else { Vec::new() };
    let is_random = resourcing.allocate == Allocate::System(Strategy::Random);
    let recorded = if is_random || matches!(resourcing.allocate, Allocate::Own(_)) { seed } else { 0 };
    let who = chosen.as_ref().map(|chosen| chosen.actor);
    let decided = record(draft, state, strategy, recorded, sifted, chosen);
    let decided = draft.push(actor, cause, decided);
    match who {
        Some(who) => allocate(draft, state.id, who, resourcing.start, decided),
        // The net may say what then; otherwise it waits until somebody is asked again.
        None if to.is_empty() => exception::unavailable(draft, state.id, decided),
        None => offer(draft, state.id, None, to, decided),
    }
}

fn record(
    draft: &Draft<'_>,
    state: &WorkItemState,
    strategy: &str,
    seed: u64,
    sifted: Sifted,
    chosen: Option<Chosen>,
) -> CaseEvent {
    let (chosen, scores) = chosen.map_or((None, Vec::new()), |chosen| (Some(chosen.actor), chosen.scores));
    CaseEvent::AllocationDecided {
        item: state.id,
        task: state.task,
        directory: draft.context.directory.position(),
        strategy: strategy.to_owned(),
        seed,
        candidates: sifted.left,
        rules: sifted.rules,
        scores,
        chosen,
    }
}

fn choose_among(
    draft: &Draft<'_>,
    state: &WorkItemState,
    by: &Allocate,
    sifted: &Sifted,
    pool: &Pool,
    seed: u64,
) -> Option<Chosen> {
    let facts = facts(draft);
    let overlay = overlay(draft, state);
    let (held, practice) = match &overlay {
        Some(overlay) => (overlay.held(), overlay.practice(draft.net.hash, state.task)),
        None => (facts.held(), facts.practice(draft.net, state.task)),
    };
    let choice = Choice {
        net: draft.net,
        task: state.task,
        candidates: &sifted.left,
        list: (sifted.left == *pool.able()).then(|| pool.list()),
        directory: draft.context.directory,
        held,
        practice,
        now: draft.context.now,
        seed,
    };
    match by {
        Allocate::System(strategy) => choose(*strategy, &choice),
        Allocate::Own(name) => {
            let chosen = facts.strategy(name)?.choose(&choice);
            // Whatever it says, nobody whom a rule took out gets the work.
            chosen.filter(|chosen| sifted.left.contains(chosen.actor))
        }
        Allocate::Person => None,
    }
}

/// The facts with what this very decision gave before; `None` if it gave nothing.
fn overlay(draft: &Draft<'_>, state: &WorkItemState) -> Option<Standing> {
    let given = draft.events().iter().filter_map(|decided| match &decided.event {
        CaseEvent::WorkAllocated { task, to, .. } => Some((*task, *to)),
        _ => None,
    });
    let given: Vec<_> = given.collect();
    if given.is_empty() {
        return None;
    }
    let facts = facts(draft);
    let (Held { queued, all }, Practice { last, given: times, done }) =
        (facts.held(), facts.practice(draft.net, state.task));
    let mut overlay = Standing::of_columns(draft.net.hash, state.task, (queued, all), (last, times, done));
    for (nth, (task, to)) in given.into_iter().enumerate() {
        overlay.foresee(draft.net.hash, task, to, u64::MAX / 2 + nth as u64);
    }
    Some(overlay)
}

/// Each item has its own, so that items of one decision do not all draw the same lot.
fn seed_of(draft: &Draft<'_>, state: &WorkItemState) -> u64 {
    mix(draft.context.seed ^ (u64::from(state.id.0) << 32) ^ u64::from(state.attempt))
}

/// All work of the task goes to somebody, if rules allow it.
fn to_pile(draft: &mut Draft<'_>, state: &WorkItemState, resourcing: &Resourcing, cause: usize) -> Option<usize> {
    let actor = draft.context.directory.pile_of(draft.net.hash, state.task)?;
    if !resourcing.may.contains(Operation::Pile) || refusal(draft, state, actor, Purpose::Given).is_err() {
        return None;
    }
    let sifted = Sifted { rules: Vec::new(), left: ActorSet::from_iter([actor]) };
    let chosen = Chosen { actor, scores: Vec::new() };
    let decided = record(draft, state, PILE, 0, sifted, Some(chosen));
    let decided = draft.follow(cause, decided);
    Some(allocate(draft, state.id, actor, By::System, decided))
}

fn offering(state: &WorkItemState, role: Option<RoleIx>, to: Vec<ActorId>) -> Option<CaseEvent> {
    match state.typed() {
        AnyWorkItem::Enabled(item) => Some(item.offer(role, to).1),
        AnyWorkItem::Offered(item) => Some(item.offer(role, to).1),
        _ => None,
    }
}

fn offer(draft: &mut Draft<'_>, item: ItemId, role: Option<RoleIx>, to: Vec<ActorId>, cause: usize) -> usize {
    let event = draft.control.item(item).and_then(|state| offering(state, role, to));
    event.map_or(cause, |event| draft.follow(cause, event))
}

/// Gives it to somebody, and begins it if the system does that.
fn allocate(draft: &mut Draft<'_>, item: ItemId, to: ActorId, start: By, cause: usize) -> usize {
    let event = match draft.control.item(item).map(WorkItemState::typed) {
        Some(AnyWorkItem::Enabled(item)) => item.allocate(to).1,
        Some(AnyWorkItem::Offered(item)) => item.allocate(to).1,
        _ => return cause,
    };
    let allocated = draft.follow(cause, event);
    if start == By::System { begin(draft, item, allocated) } else { allocated }
}

/// Begins an item for whom it was given to. If others took its tokens meanwhile, it stays theirs to begin or to lose.
fn begin(draft: &mut Draft<'_>, id: ItemId, cause: usize) -> usize {
    begin_by(draft, id, ActorId::ENGINE, Cause::Staged(cause)).unwrap_or(cause)
}

/// Begins an allocated item. `None` if its tokens are gone.
pub(crate) fn begin_by(draft: &mut Draft<'_>, id: ItemId, actor: ActorId, cause: Cause) -> Option<usize> {
    let state = draft.control.item(id)?;
    let AnyWorkItem::Allocated(item) = state.typed() else { return None };
    let (frame, task) = (state.frame, state.task);
    let tokens = if state.holds_tokens() || state.instance.is_some() {
        Vec::new()
    } else {
        join::take(draft.net, &draft.control, frame, task, draft.context.or_joins).ok().flatten()?
    };
    Some(fire::start(draft, item, frame, tokens, cause, Some(actor)).1)
}

/// Whether work of a task begins as soon as it is somebody's.
pub(crate) fn is_started_by_system(draft: &Draft<'_>, task: TaskIx) -> bool {
    resourcing_of(draft, task).is_some_and(|resourcing| resourcing.start == By::System)
}

/// Everybody who may do a task, whatever the case.
pub(crate) fn able(draft: &Draft<'_>, task: TaskIx) -> ActorSet {
    pool_of(draft, task).able().clone()
}

/// Chooses one of those above: whom separation of duties allows it, who is not away, and who has the least to do.
pub(crate) fn choose_above(draft: &Draft<'_>, state: &WorkItemState, above: &ActorSet) -> (CaseEvent, Option<ActorId>) {
    let mut sifted = Sifted { rules: Vec::new(), left: above.clone() };
    sifted.bar("separate-from", &conflicts(draft.net, &draft.control, state).map(|(actor, _)| actor).collect());
    sifted.bar("absent", &draft.context.directory.absent(draft.context.now));
    let by = Allocate::System(Strategy::LeastLoaded);
    let chosen = choose_among(draft, state, &by, &sifted, &Pool::default(), 0);
    let who = chosen.as_ref().map(|chosen| chosen.actor);
    (record(draft, state, ESCALATION, 0, sifted, chosen), who)
}
