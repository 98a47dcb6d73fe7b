//! Who may do what: roles and names, capabilities, separation of duties, familiar hands, four eyes, duty, filters.

use std::collections::BTreeMap;

use actum_kernel::kept_apart;
use actum_kernel::resource::Pool;
use actum_model::{ActorId, ActorSet, Decimal, Phase, TaskIx, Value, WorkItemState};
use actum_net::{Given, Guard, Operation, Resourcing, Work};

use super::rule::{Broken, Judged, Law, must};
use super::view::{Sees, View};

/// Rules that look at the clock.
pub(super) const CALENDAR: &str = "calendar";
pub(super) const ABSENT: &str = "absent";

/// Digits behind the point of a figure in thousandths.
const MILLI_SCALE: u8 = 3;

/// Most steps that the filters of one item may take: what the kernel allows them.
const FILTER_STEPS_MAX: u32 = 4_000_000;

/// Who is left of those who come into question, and whom each rule took out.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Left {
    pub(super) rules: Vec<(String, ActorSet)>,
    pub(super) who: ActorSet,
}

impl Left {
    pub(super) fn without(&mut self, rule: &str, barred: &ActorSet) {
        let mut removed = self.who.clone();
        removed.keep(barred);
        self.who.take_out(barred);
        self.rules.push((rule.to_owned(), removed));
    }

    pub(super) fn only(&mut self, rule: &str, allowed: &ActorSet) {
        let others = self.who.without(allowed);
        self.without(rule, &others);
    }
}

/// How people's work is handed out; an error for work that is not people's.
pub(super) fn resourcing<'a>(view: &View<'a>, task: TaskIx) -> Result<&'a Resourcing, Broken> {
    match &view.net.tasks[task.index()].work {
        Work::Manual { resourcing, .. } => Ok(resourcing),
        _ => Err(Broken(Law::Who, format!("{} is not work for people", view.label(task)))),
    }
}

/// All who come into question for an item, without those whom a rule keeps from it. `given`: by others, not taken.
pub(super) fn left(view: &View<'_>, item: &WorkItemState, given: bool) -> Result<Left, Broken> {
    let pool = Pool::of_task(view.net, item.task, view.directory);
    let mut left = Left { rules: Vec::new(), who: pool.able().clone() };
    left.rules.extend(pool.lacking().iter().map(|(name, lacking)| (format!("capability {name}"), lacking.clone())));
    apply_rules(view, item, given, &mut left)?;
    Ok(left)
}

/// Somebody may have an item.
pub(super) fn may_have(view: &View<'_>, item: &WorkItemState, actor: ActorId, given: bool) -> Judged {
    let (name, label) = (view.who(actor), view.label(item.task));
    resourcing(view, item.task)?;
    let able = Pool::of_task(view.net, item.task, view.directory).able().contains(actor);
    must(able, Law::Who, || format!("{name} does not come into question for {label}"))?;
    let mut left = Left { rules: Vec::new(), who: ActorSet::from_iter([actor]) };
    apply_rules(view, item, given, &mut left)?;
    // A clock that went back may have shown a time at which nobody was away.
    let counts = |rule: &str| view.decision.exact || !(rule == CALENDAR || rule == ABSENT);
    match left.rules.iter().find(|(rule, removed)| removed.contains(actor) && counts(rule)) {
        Some((rule, _)) => Err(Broken(Law::Who, format!("the rule {rule} of {label} keeps {name} from it"))),
        None => Ok(()),
    }
}

fn apply_rules(view: &View<'_>, item: &WorkItemState, given: bool, left: &mut Left) -> Judged {
    let rules = resourcing(view, item.task)?;
    let now = view.meta.time;
    let apart = held_apart(view, item);
    if !apart.is_empty() || names_others(view, item.task) {
        left.without("separate-from", &apart);
    }
    if !rules.same_as.is_empty() {
        let familiar = did(view, &rules.same_as);
        let allowed = if familiar.is_empty() { left.who.clone() } else { familiar };
        left.only("same-as", &allowed);
    }
    if !rules.four_eyes.is_empty() {
        let mut first_eyes = did(view, &rules.four_eyes);
        if rules.four_eyes.iter().any(|task| did(view, &[*task]).is_empty()) {
            first_eyes = left.who.clone();
        }
        left.without("four-eyes", &first_eyes);
    }
    if rules.calendar {
        left.without(CALENDAR, &view.directory.off_duty(now));
    }
    let absent = view.directory.absent(now);
    if rules.calendar || (given && !absent.is_empty()) {
        left.without(ABSENT, &absent);
    }
    let mut steps = FILTER_STEPS_MAX;
    for (rule, filter, wanted) in [("not-if", &rules.not_if, false), ("when", &rules.when, true)] {
        if let Some(filter) = filter {
            apply_filter(view, item, (rule, filter, wanted), &mut steps, left);
        }
    }
    Ok(())
}

fn apply_filter(
    view: &View<'_>,
    item: &WorkItemState,
    (rule, filter, wanted): (&str, &Guard, bool),
    steps: &mut u32,
    left: &mut Left,
) {
    let (mut against, mut faulty) = (ActorSet::default(), ActorSet::default());
    for actor in &left.who {
        let givens = [(Given::Who, described(view, actor))];
        let sees = Sees { givens: &givens, ..Sees::data(view.case, item.frame) };
        match filter.eval_sharing(&sees, steps) {
            Ok(holds) if holds == wanted => {}
            Ok(_) => drop(against.insert(actor)),
            Err(_) => drop(faulty.insert(actor)),
        }
    }
    left.without(rule, &against);
    if !faulty.is_empty() {
        left.without(&format!("{rule} cannot be evaluated"), &faulty);
    }
}

/// A participant as filters see one; the keys are the language's.
fn described(view: &View<'_>, actor: ActorId) -> Value {
    let Some(known) = view.directory.actor(actor) else { return Value::Null };
    let list = |texts: &[String]| Value::List(texts.iter().cloned().map(Value::String).collect());
    let milli = |figure: u64| {
        Value::Decimal(Decimal { mantissa: i64::try_from(figure).unwrap_or(i64::MAX), scale: MILLI_SCALE })
    };
    let held = view.standing.held();
    let count = |column: &[u32]| {
        let index = (actor.0 as usize).checked_sub(1);
        Value::Int(i64::from(index.and_then(|index| column.get(index)).copied().unwrap_or(0)))
    };
    let levels = known.capabilities.iter().map(|(name, level)| (name.clone(), Value::Int(i64::from(*level))));
    let tasks = view.control().performers.iter().filter(|(_, who)| *who == actor);
    let figures = &known.figures;
    let map = [
        ("name", Value::String(known.name.clone())),
        ("roles", list(&known.roles)),
        ("positions", list(&known.positions)),
        ("groups", list(&known.groups)),
        ("capabilities", Value::Map(levels.collect())),
        ("cost", milli(figures.cost_milli)),
        ("experience", milli(figures.experience_milli)),
        ("speed", milli(figures.speed_milli)),
        ("risk", milli(figures.risk_milli)),
        ("queue", count(held.queued)),
        ("load", count(held.all)),
        ("did", Value::List(tasks.map(|(task, _)| Value::String(view.label(*task))).collect())),
    ];
    Value::Map(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<BTreeMap<_, _>>())
}

fn did(view: &View<'_>, tasks: &[TaskIx]) -> ActorSet {
    let performers = view.control().performers.iter();
    performers.filter(|(task, _)| tasks.contains(task)).map(|(_, actor)| *actor).collect()
}

/// Whom separation of duties keeps from an item: who did, or has, what is kept apart from it.
pub(super) fn held_apart(view: &View<'_>, item: &WorkItemState) -> ActorSet {
    let control = view.control();
    let has = |other: &&WorkItemState| {
        let phases = [Phase::Allocated, Phase::Started, Phase::Failed, Phase::Suspended];
        other.id != item.id && phases.contains(&other.phase)
    };
    let having = control.items.iter().filter(has).filter_map(|other| Some((other.task, other.resource?)));
    let all = control.performers.iter().copied().chain(having);
    all.filter(|(other, _)| kept_apart(view.net, item.task, *other)).map(|(_, actor)| actor).collect()
}

/// Separation of duties alone.
pub(super) fn separated(view: &View<'_>, item: &WorkItemState, actor: ActorId) -> Judged {
    must(!held_apart(view, item).contains(actor), Law::Who, || {
        format!("separation of duties keeps {} from {}", view.who(actor), view.label(item.task))
    })
}

fn names_others(view: &View<'_>, task: TaskIx) -> bool {
    match &view.task(task).work {
        Work::Manual { separate_from, resourcing, .. } => {
            !separate_from.is_empty() || !resourcing.separate_from.is_empty()
        }
        _ => false,
    }
}

/// Who acts has the item; the engine has what is nobody's.
pub(super) fn has(view: &View<'_>, item: &WorkItemState) -> Judged {
    let owner = item.resource.unwrap_or(ActorId::ENGINE);
    must(owner == view.meta.actor, Law::Who, || {
        let (is, acts) = (view.who(owner), view.who(view.meta.actor));
        format!("item {} ({}) is {is}'s, not {acts}'s", item.id, view.label(item.task))
    })
}

/// Who acts has the item and may treat it so, or is the engine.
pub(super) fn treats(view: &View<'_>, item: &WorkItemState, operation: Operation) -> Judged {
    let may = resourcing(view, item.task)?.may;
    let label = || view.label(item.task);
    must(item.resource.is_some(), Law::Phase, || format!("item {} ({}) is nobody's", item.id, label()))?;
    if view.meta.actor == ActorId::ENGINE {
        return Ok(());
    }
    must(may.contains(operation), Law::Who, || format!("`may` of {} has no {}", label(), operation.name()))?;
    has(view, item)
}
