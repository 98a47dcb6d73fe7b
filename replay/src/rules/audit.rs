//! The pass: every event once, in the order of the log.

use std::sync::Arc;

use actum_model::{CaseEvent, CaseId, NetHash, TaskIx, Time, Value, cbor};
use actum_net::{Net, Query};
use rustc_hash::FxHashMap;

use super::plan::{Kinds, Plan, Route};
use super::report::Report;
use super::rule::{Grouping, Rule, RuleSet};
use super::tally::{Cite, Label, Tally};
use super::template::{Ending, Found, Hit, OWED_MAX};
use super::tracked::{EventRef, Groups, Slot, TrackedCase};
use super::view::View;
use super::vocabulary::{ENDS, KINDS, Name};
use crate::{LoggedEvent, Names};

/// Most groups of a rule across cases: each is remembered to the end. Beyond, the rule is not judged, and says so.
pub const KEYS_MAX: usize = 1_000_000;

/// Most groups of a rule within one case.
const GROUPS_MAX: usize = OWED_MAX;

/// Longest value that events are grouped by, encoded.
const KEY_BYTES_MAX: usize = 1_024;

/// Rules at work on a log.
pub struct Audit<'r> {
    rules: &'r RuleSet,
    kinds: Kinds,
    /// By kind: a rule may mean such an event, or something is learnt from it.
    wanted: Vec<bool>,
    nets: Vec<Arc<Net>>,
    plans: FxHashMap<NetHash, Arc<Plan>>,
    system: Arc<Plan>,
    cases: FxHashMap<CaseId, TrackedCase>,
    /// Groups across cases, by rule.
    across: Vec<FxHashMap<Vec<u8>, Slot>>,
    tallies: Vec<Tally>,
    events: u64,
    started: u64,
    as_of: Time,
    /// What an event concerns; kept to spare allocations.
    asked: Vec<Asked>,
}

/// A rule that an event concerns.
struct Asked {
    rule: u16,
    patterns: u32,
    /// What the events are grouped by, unless it is the case.
    group: Option<Vec<u8>>,
    who: Option<Vec<u8>>,
}

impl<'r> Audit<'r> {
    /// Begins; of each rule's breaches the first `listed_max` are kept, the others counted.
    #[must_use]
    pub fn new(rules: &'r RuleSet, listed_max: usize) -> Self {
        Self {
            rules,
            kinds: Kinds::new(),
            wanted: KINDS.iter().map(|kind| is_wanted(&rules.rules, kind)).collect(),
            nets: Vec::new(),
            plans: FxHashMap::default(),
            system: Arc::new(Plan::of_system(&rules.rules)),
            cases: FxHashMap::default(),
            across: rules.rules.iter().map(|_| FxHashMap::default()).collect(),
            tallies: rules.rules.iter().map(|rule| Tally::new(rule, listed_max)).collect(),
            events: 0,
            started: 0,
            as_of: Time(0),
            asked: Vec::new(),
        }
    }

    /// Takes in the next event, with the names as of it. Total: an event of a case that never started concerns no rule.
    pub fn take(&mut self, event: &LoggedEvent, names: &Names) {
        self.events += 1;
        self.as_of = self.as_of.max(event.meta.time);
        let Some(kind) = self.kinds.place(event.kind()) else { return };
        match event.of_case() {
            Some((id, fact)) => {
                if self.wanted[kind] || fact.is_terminal() || !fact.changes().is_empty() {
                    self.of_case(event, id, fact, kind, names);
                }
            }
            None => {
                if !self.system.routes(kind, None).is_empty() {
                    let plan = self.system.clone();
                    self.judge(event, None, plan.routes(kind, None), names);
                }
            }
        }
    }

    /// Ends: what is still open is judged as of the newest event.
    #[must_use]
    pub fn finish(mut self, names: &Names) -> Report {
        let ending = Ending::Open { now: self.as_of };
        let mut open: Vec<CaseId> = self.cases.keys().copied().collect();
        open.sort_unstable();
        for id in &open {
            self.close(*id, ending, names);
        }
        let cite = Cite { nets: &self.nets, names };
        for ((rule, groups), tally) in self.rules.rules.iter().zip(self.across).zip(&mut self.tallies) {
            let mut groups: Vec<(Vec<u8>, Slot)> = groups.into_iter().collect();
            groups.sort_unstable_by(|left, right| left.0.cmp(&right.0));
            for (key, slot) in groups {
                let label = Label { case: None, key: None, group: Some(&key) };
                tally.settle(slot, &ending, &label, &cite);
            }
            if self.started == 0 && !matches!(rule.grouping, Grouping::Across(_)) {
                tally.notes.push("the log has no cases".to_owned());
            }
        }
        let reports = self.rules.rules.iter().zip(self.tallies);
        let rules = reports.map(|(rule, tally)| tally.report(rule, &self.nets)).collect();
        Report {
            name: self.rules.name.clone(),
            title: self.rules.title.clone(),
            description: self.rules.description.clone(),
            events: self.events,
            cases: self.started,
            open_cases: open.len() as u64,
            as_of: self.as_of,
            rules,
        }
    }

    fn of_case(&mut self, event: &LoggedEvent, id: CaseId, fact: &CaseEvent, kind: usize, names: &Names) {
        if let CaseEvent::CaseStarted { net, .. } = fact {
            self.open(event, id, *net, fact, names);
        } else if let Some(case) = self.cases.get_mut(&id) {
            case.learn(fact);
        }
        let Some(case) = self.cases.get(&id) else { return };
        let task = fact.work().map(|(_, task)| task);
        if !case.plan.routes(kind, task).is_empty() {
            let plan = case.plan.clone();
            self.judge(event, Some((id, task)), plan.routes(kind, task), names);
        }
        if fact.is_terminal() {
            let event = self.reference(event, Some((id, None)));
            self.close(id, Ending::Closed { event, is_released: false }, names);
        }
    }

    /// A case starts: which rules are about it.
    fn open(&mut self, event: &LoggedEvent, id: CaseId, hash: NetHash, fact: &CaseEvent, names: &Names) {
        let Some(net) = names.net(hash) else { return };
        let plan = self.plans.entry(hash).or_insert_with(|| {
            self.nets.push(net.clone());
            Arc::new(Plan::of_net(&self.rules.rules, net, self.nets.len() as u32 - 1))
        });
        self.started += 1;
        let (net, plan) = (net.clone(), plan.clone());
        let vars = if plan.reads_vars { TrackedCase::unset(&net) } else { Value::Null };
        let mut case = TrackedCase {
            id,
            net,
            plan: plan.clone(),
            key: event.key.as_deref().map(Into::into),
            started: EventRef { net: Some(plan.net), ..reference(event, Some(id)) },
            vars,
            frames: FxHashMap::default(),
            in_scope: [0; 4],
            slots: Vec::with_capacity(plan.rules.len()),
        };
        case.learn(fact);
        for place in plan.rules.iter().map(|place| usize::from(*place)) {
            let rule = &self.rules.rules[place];
            let holds = rule.case.as_ref().map_or(Ok(true), |query| query.holds(&View::new(event, names, Some(&case))));
            match holds {
                Ok(true) => case.put_in_scope(place),
                Ok(false) => continue,
                Err(error) => {
                    self.tallies[place].fault(&Label::of_case(&case, None), event.meta.seq, &error.to_string());
                    continue;
                }
            }
            if rule.check.is_about_every_case() {
                let slot = Slot { progress: rule.check.begin(&case.started), is_broken: false };
                case.slots.push((place as u16, Groups::One(slot)));
            }
        }
        self.cases.insert(id, case);
    }

    /// Asks the conditions of rules that an event may concern, and takes it to those that it does.
    fn judge(&mut self, event: &LoggedEvent, of: Option<(CaseId, Option<TaskIx>)>, routes: &[Route], names: &Names) {
        let mut asked = std::mem::take(&mut self.asked);
        let case = of.and_then(|(id, _)| self.cases.get(&id));
        let view = View::new(event, names, case);
        for route in routes {
            let place = usize::from(route.rule);
            if case.is_none_or(|case| case.is_in_scope(place)) {
                asked.extend(ask(&self.rules.rules[place], route, &view, case, event, &mut self.tallies[place]));
            }
        }
        drop(view);
        if !asked.is_empty() {
            let reference = self.reference(event, of);
            asked.drain(..).for_each(|one| self.step(&one, reference, names));
        }
        self.asked = asked;
    }

    /// Takes an event to a rule that it concerns.
    fn step(&mut self, asked: &Asked, event: EventRef, names: &Names) {
        let place = usize::from(asked.rule);
        let (rule, tally) = (&self.rules.rules[place], &mut self.tallies[place]);
        let begin = || Slot { progress: rule.check.begin(&event), is_broken: false };
        let case = event.case.and_then(|id| self.cases.get_mut(&id));
        let slot = match (&rule.grouping, case, asked.group.as_deref()) {
            (Grouping::Across(_), _, Some(group)) => group_of(&mut self.across[place], group, KEYS_MAX, begin, tally),
            (Grouping::Each(_), Some(case), Some(group)) => match groups(case, asked.rule, true, begin) {
                Groups::Each(groups) => group_of(groups, group, GROUPS_MAX, begin, tally),
                Groups::One(_) => None,
            },
            (Grouping::Case, Some(case), _) => match groups(case, asked.rule, false, begin) {
                Groups::One(slot) => Some(slot),
                Groups::Each(_) => None,
            },
            _ => None,
        };
        let Some(slot) = slot else { return };
        let mut found = Found::default();
        slot.progress.step(&Hit { patterns: asked.patterns, event, who: asked.who.as_deref() }, &mut found);
        slot.is_broken |= !found.broken.is_empty();
        if found.limit.is_some() || !found.broken.is_empty() {
            let case = event.case.filter(|_| !matches!(rule.grouping, Grouping::Across(_)));
            let case = case.and_then(|id| self.cases.get(&id));
            let group = asked.group.as_deref();
            let label = case.map_or(Label { case: None, key: None, group }, |case| Label::of_case(case, group));
            tally.record(found, &label, &Cite { nets: &self.nets, names });
        }
    }

    /// No further event of a case comes, or none is known.
    fn close(&mut self, id: CaseId, ending: Ending, names: &Names) {
        let Some(case) = self.cases.remove(&id) else { return };
        let cite = Cite { nets: &self.nets, names };
        // Both ascend from here on.
        let mut slots = case.slots;
        slots.sort_unstable_by_key(|(rule, _)| *rule);
        let mut slots = slots.into_iter().peekable();
        for place in &case.plan.rules {
            let at = usize::from(*place);
            let (rule, tally) = (&self.rules.rules[at], &mut self.tallies[at]);
            let is_in_scope = case.in_scope[at / 64] & (1 << (at % 64)) != 0;
            if !is_in_scope || matches!(rule.grouping, Grouping::Across(_)) {
                continue;
            }
            let ending = match ending {
                Ending::Closed { event, .. } => {
                    Ending::Closed { event, is_released: rule.released_by.contains(&event.kind) }
                }
                open @ Ending::Open { .. } => open,
            };
            let label = Label { case: Some(case.id), key: case.key.as_deref(), group: None };
            match slots.next_if(|(rule, _)| rule == place).map(|(_, groups)| groups) {
                Some(Groups::One(slot)) => tally.settle(slot, &ending, &label, &cite),
                Some(Groups::Each(groups)) => {
                    let mut groups: Vec<_> = groups.into_iter().collect();
                    groups.sort_unstable_by(|left, right| left.0.cmp(&right.0));
                    for (group, slot) in groups {
                        tally.settle(slot, &ending, &Label { group: Some(&group), ..label }, &cite);
                    }
                }
                None if matches!(rule.grouping, Grouping::Case) => tally.untouched(rule.check.is_kept_by_silence()),
                None => {}
            }
        }
    }

    fn reference(&self, event: &LoggedEvent, of: Option<(CaseId, Option<TaskIx>)>) -> EventRef {
        let net = of.and_then(|(id, _)| self.cases.get(&id)).map(|case| case.plan.net);
        EventRef { net, task: of.and_then(|(_, task)| task), ..reference(event, of.map(|(id, _)| id)) }
    }
}

fn is_wanted(rules: &[Rule], kind: &str) -> bool {
    let mut patterns = rules.iter().flat_map(|rule| &rule.patterns);
    let reads_frame = || rules.iter().any(|rule| rule.queries().any(|query| query.reads(Name::Frame as usize)));
    let is_learnt = kind == "CaseStarted" || ENDS.contains(&kind) || (kind == "WorkEnabled" && reads_frame());
    is_learnt || patterns.any(|pattern| pattern.kinds.is_empty() || pattern.kinds.contains(&kind))
}

fn reference(event: &LoggedEvent, case: Option<CaseId>) -> EventRef {
    EventRef {
        seq: event.meta.seq.0,
        version: event.meta.version,
        time: event.meta.time,
        case,
        actor: event.meta.actor,
        net: None,
        task: None,
        kind: event.kind(),
        partition: event.partition,
    }
}

/// Which parts of a rule an event is, and what it is grouped by.
fn ask(
    rule: &Rule,
    route: &Route,
    view: &View<'_>,
    case: Option<&TrackedCase>,
    event: &LoggedEvent,
    tally: &mut Tally,
) -> Option<Asked> {
    let label = || case.map_or(Label { case: None, key: None, group: None }, |case| Label::of_case(case, None));
    let mut patterns = 0_u32;
    for at in &route.patterns {
        let holds = rule.patterns[usize::from(*at)].when.as_ref().map_or(Ok(true), |when| when.holds(view));
        match holds {
            Ok(true) => {
                patterns |= 1 << at;
                tally.matched[usize::from(*at)] += 1;
            }
            Ok(false) => {}
            Err(error) => tally.fault(&label(), event.meta.seq, &error.to_string()),
        }
    }
    if patterns == 0 {
        return None;
    }
    let mut key = |query: &Query| match value(query, view) {
        Ok(key) => key,
        Err(why) => {
            tally.fault(&label(), event.meta.seq, &why);
            None
        }
    };
    let group = match &rule.grouping {
        Grouping::Case => None,
        // Without a value it belongs to no group.
        Grouping::Each(query) | Grouping::Across(query) => Some(key(query)?),
    };
    let who = match rule.check.who() {
        Some(query) => key(query),
        None => rule.check.asks_who().then(|| event.meta.actor.0.to_le_bytes().to_vec()),
    };
    Some(Asked { rule: route.rule, patterns, group, who })
}

/// A value to compare by; none if it is null, or a list with a null in it.
fn value(query: &Query, view: &View<'_>) -> Result<Option<Vec<u8>>, String> {
    let value = query.eval(view).map_err(|error| error.to_string())?;
    let lacks = match &value {
        Value::Null => true,
        Value::List(items) => items.contains(&Value::Null),
        _ => false,
    };
    if lacks {
        return Ok(None);
    }
    let bytes = cbor::to_vec(&value);
    if bytes.len() > KEY_BYTES_MAX {
        return Err(format!("{}: the value has more than {KEY_BYTES_MAX} bytes", query.source()));
    }
    Ok(Some(bytes))
}

/// What a rule remembers of a case.
fn groups(case: &mut TrackedCase, rule: u16, is_each: bool, begin: impl Fn() -> Slot) -> &mut Groups {
    let at = case.slots.iter().position(|(of, _)| *of == rule).unwrap_or_else(|| {
        let groups = if is_each { Groups::Each(FxHashMap::default()) } else { Groups::One(begin()) };
        case.slots.push((rule, groups));
        case.slots.len() - 1
    });
    &mut case.slots[at].1
}

/// What a rule remembers of a group; of no new one beyond the limit.
fn group_of<'g>(
    groups: &'g mut FxHashMap<Vec<u8>, Slot>,
    group: &[u8],
    groups_max: usize,
    begin: impl Fn() -> Slot,
    tally: &mut Tally,
) -> Option<&'g mut Slot> {
    if !groups.contains_key(group) {
        if groups.len() >= groups_max {
            tally.limit(format!("more than {groups_max} different values to group by"));
            return None;
        }
        groups.insert(group.to_vec(), begin());
    }
    groups.get_mut(group)
}
