//! Rules: whom of those who come into question the case, the calendar and the net's filters keep from the work.

use std::borrow::Cow;

use actum_model::{ActorId, ActorSet, Rejection, TaskIx, Value, WorkItemState};
use actum_net::{Given, Guard, Resourcing, Work};

use super::{NoFacts, Pool, ResourceFacts, view};
use crate::draft::Draft;
use crate::permission::{conflicts, separated};

/// Most steps that the filters of one item may take in all, for all participants: some tens of milliseconds.
const FILTER_STEPS_MAX: u32 = 4_000_000;

/// What for somebody is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be given work by others: who is away gets none.
    Given,
    /// To take it oneself.
    Taken,
}

/// Who is left, and whom each rule in force took out, in the order of the rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Sifted {
    pub(crate) rules: Vec<(String, ActorSet)>,
    pub(crate) left: ActorSet,
}

impl Sifted {
    /// A rule that leaves only some.
    pub(crate) fn keep(&mut self, rule: &str, allowed: &ActorSet) {
        self.rules.push((rule.to_owned(), self.left.without(allowed)));
        self.left.keep(allowed);
    }

    /// A rule that keeps some from it.
    pub(crate) fn bar(&mut self, rule: &str, barred: &ActorSet) {
        let mut removed = self.left.clone();
        removed.keep(barred);
        self.left.take_out(barred);
        self.rules.push((rule.to_owned(), removed));
    }
}

/// How a task is handed out; `None` if it is not people's.
pub(super) fn resourcing_of<'n>(draft: &Draft<'n>, task: TaskIx) -> Option<&'n Resourcing> {
    match &draft.net.tasks.get(task.index())?.work {
        Work::Manual { resourcing, .. } => Some(resourcing),
        _ => None,
    }
}

pub(super) fn facts<'a>(draft: &Draft<'a>) -> &'a dyn ResourceFacts {
    draft.context.resources.unwrap_or(&NoFacts)
}

/// Who comes into question for a task: kept ready, or made now.
pub(super) fn pool_of<'a>(draft: &Draft<'a>, task: TaskIx) -> Cow<'a, Pool> {
    let directory = draft.context.directory;
    match facts(draft).pool(draft.net, task, directory) {
        Some(pool) => Cow::Borrowed(pool),
        None => Cow::Owned(Pool::of_task(draft.net, task, directory)),
    }
}

/// Takes out of the pool whom rules keep from the item.
pub(super) fn sift(draft: &Draft<'_>, item: &WorkItemState, pool: &Pool, purpose: Purpose) -> Sifted {
    let mut sifted = Sifted { rules: Vec::new(), left: pool.able().clone() };
    for (capability, lacking) in pool.lacking() {
        sifted.rules.push((format!("capability {capability}"), lacking.clone()));
    }
    apply_rules(draft, item, purpose, &mut sifted);
    sifted
}

fn apply_rules(draft: &Draft<'_>, item: &WorkItemState, purpose: Purpose, sifted: &mut Sifted) {
    let Some(rules) = resourcing_of(draft, item.task) else { return };
    let directory = draft.context.directory;
    let apart = apart(draft, item);
    if !apart.is_empty() || keeps_apart(draft, item.task) {
        sifted.bar("separate-from", &apart);
    }
    if !rules.same_as.is_empty() {
        let familiar = performers(draft, &rules.same_as);
        // Nobody did any of them: there is nobody to be familiar.
        let allowed = if familiar.is_empty() { sifted.left.clone() } else { familiar };
        sifted.keep("same-as", &allowed);
    }
    if !rules.four_eyes.is_empty() {
        let each = rules.four_eyes.iter().map(|task| performers(draft, std::slice::from_ref(task)));
        let each: Vec<ActorSet> = each.collect();
        // Work that no person did has no first pair of eyes: fail closed.
        let barred = if each.iter().any(ActorSet::is_empty) {
            sifted.left.clone()
        } else {
            each.iter().fold(ActorSet::default(), |mut all, one| {
                all.unite(one);
                all
            })
        };
        sifted.bar("four-eyes", &barred);
    }
    if rules.calendar {
        sifted.bar("calendar", &directory.off_duty(draft.context.now));
    }
    let absent = directory.absent(draft.context.now);
    if rules.calendar || (purpose == Purpose::Given && !absent.is_empty()) {
        sifted.bar("absent", &absent);
    }
    let mut steps = FILTER_STEPS_MAX;
    for (rule, filter, wanted) in [("not-if", &rules.not_if, false), ("when", &rules.when, true)] {
        if let Some(filter) = filter {
            apply_filter(draft, item, (rule, filter, wanted), &mut steps, sifted);
        }
    }
}

/// A filter that cannot be evaluated for somebody keeps them from the work, and says so: it fails closed.
fn apply_filter(
    draft: &Draft<'_>,
    item: &WorkItemState,
    (rule, filter, wanted): (&str, &Guard, bool),
    steps: &mut u32,
    sifted: &mut Sifted,
) {
    let held = facts(draft).held();
    let (mut against, mut faulty) = (ActorSet::default(), ActorSet::default());
    for actor in &sifted.left {
        let who = view::who(draft.net, &draft.control, draft.context.directory, held, actor);
        let givens: [(Given, Value); 1] = [(Given::Who, who)];
        match filter.eval_sharing(&draft.scope(item.frame, &[], None, &givens), steps) {
            Ok(holds) if holds == wanted => {}
            Ok(_) => drop(against.insert(actor)),
            Err(_) => drop(faulty.insert(actor)),
        }
    }
    sifted.bar(rule, &against);
    if !faulty.is_empty() {
        sifted.bar(&format!("{rule} cannot be evaluated"), &faulty);
    }
}

/// Who did one of the tasks in this case.
fn performers(draft: &Draft<'_>, tasks: &[TaskIx]) -> ActorSet {
    let did = draft.control.performers.iter().filter(|(task, _)| tasks.contains(task));
    did.map(|(_, actor)| *actor).collect()
}

/// Who did, or has, a task in this case that the item's task is kept apart from.
fn apart(draft: &Draft<'_>, item: &WorkItemState) -> ActorSet {
    conflicts(draft.net, &draft.control, item).map(|(actor, _)| actor).collect()
}

fn keeps_apart(draft: &Draft<'_>, task: TaskIx) -> bool {
    match &draft.net.tasks[task.index()].work {
        Work::Manual { separate_from, resourcing, .. } => {
            !separate_from.is_empty() || !resourcing.separate_from.is_empty()
        }
        _ => false,
    }
}

/// Why somebody may not have an item, by the first rule that keeps them from it.
pub(crate) fn refusal(
    draft: &Draft<'_>,
    item: &WorkItemState,
    actor: ActorId,
    purpose: Purpose,
) -> Result<(), Rejection> {
    if resourcing_of(draft, item.task).is_none() {
        return Err(Rejection::new("work/automatic", format!("item {} is not work for people", item.id)));
    }
    let name = draft.context.directory.name(actor);
    let pool = pool_of(draft, item.task);
    if !pool.able().contains(actor) {
        return Err(not_in(draft, item, &pool, actor));
    }
    let alone = ActorSet::from_iter([actor]);
    let mut sifted = Sifted { rules: Vec::new(), left: alone };
    apply_rules(draft, item, purpose, &mut sifted);
    let Some((rule, _)) = sifted.rules.iter().find(|(_, removed)| removed.contains(actor)) else { return Ok(()) };
    let task = draft.net.task_label(item.task);
    Err(match rule.as_str() {
        "separate-from" => return separated(draft.net, &draft.control, item, actor, draft.context.directory),
        "same-as" => {
            Rejection::new("work/familiar", format!("{task} is for who did what it goes on from, not for {name}"))
        }
        "four-eyes" => Rejection::new("work/four-eyes", format!("{task} needs a second person, and {name} is not one")),
        "calendar" => Rejection::new("work/off-duty", format!("{name} is off duty, and {task} is only for who is on")),
        "absent" => Rejection::new("work/absent", format!("{name} is away")),
        filter => Rejection::new("work/filter", format!("{task} is not for {name}: {filter}")),
    })
}

/// Why somebody does not even come into question.
fn not_in(draft: &Draft<'_>, item: &WorkItemState, pool: &Pool, actor: ActorId) -> Rejection {
    let directory = draft.context.directory;
    let (name, task) = (directory.name(actor), draft.net.task_label(item.task));
    if !directory.active().contains(actor) {
        return Rejection::new("actor/inactive", format!("{name} has left"));
    }
    if let Some((capability, _)) = pool.lacking().iter().find(|(_, lacking)| lacking.contains(actor)) {
        let message = format!("{task} needs the capability {capability}, which {name} has not, or not enough of");
        return Rejection::new("work/capability", message);
    }
    if let Work::Manual { role, resourcing, .. } = &draft.net.tasks[item.task.index()].work {
        let who = &resourcing.who;
        let others = [&who.positions, &who.groups, &who.participants];
        let roles: Vec<&str> =
            who.roles.iter().chain(role).map(|role| draft.net.roles[role.index()].name.as_str()).collect();
        if !roles.is_empty() && others.into_iter().all(Vec::is_empty) {
            let roles = roles.join(" or ");
            let message = format!("item {} is for the role {roles}, which {name} does not have", item.id);
            return Rejection::new("work/role", message);
        }
    }
    Rejection::new("work/who", format!("{task} is not for {name}"))
}
