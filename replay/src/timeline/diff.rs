//! What is other between two states.

use std::collections::BTreeMap;

use actum_model::{CaseId, FrameId, ItemId, Phase, Seq, Time, Value, WorkItemState};

use super::holdings::holdings;
use crate::{CaseView, names};

/// What is other between two states, of one case or of two. Everything is compared by name, so that versions of a net can differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Where is compared from.
    pub before: Side,
    /// Where is compared to.
    pub after: Side,
    /// Variables that differ, by name; those of running subnets with their frame's number before the name.
    pub variables: Vec<VariableChange>,
    /// Conditions whose tokens differ, by name.
    pub tokens: Vec<TokenChange>,
    /// Live work that differs.
    pub items: Vec<ItemChange>,
    /// People who hold other work, by name.
    pub holdings: Vec<HoldingChange>,
}

/// One of the two states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The case.
    pub case: CaseId,
    /// Its key.
    pub key: Option<String>,
    /// Name of its net.
    pub net: String,
    /// Hash of its net.
    pub net_hash: String,
    /// How it stands.
    pub status: &'static str,
    /// Its newest event there.
    pub seq: Seq,
    /// How many events it has there.
    pub version: u64,
    /// When that event happened.
    pub time: Time,
}

/// A variable that differs; `None` where it was never set.
#[derive(Debug, Clone, PartialEq)]
pub struct VariableChange {
    /// Its name.
    pub name: String,
    /// Its value on the one side.
    pub before: Option<Value>,
    /// And on the other.
    pub after: Option<Value>,
}

/// A condition whose tokens differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenChange {
    /// Its name.
    pub condition: String,
    /// Tokens on the one side.
    pub before: u32,
    /// And on the other.
    pub after: u32,
}

/// What of a work item is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemFace {
    /// Its number in its case.
    pub item: ItemId,
    /// Where it is in its life.
    pub phase: Phase,
    /// Who has it, or may take it.
    pub who: String,
    /// How often it was started.
    pub attempt: u32,
    /// When its timer fires.
    pub until: Option<Time>,
}

/// A live work item that differs; `None` where it is not live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemChange {
    /// Its task.
    pub task: String,
    /// On the one side.
    pub before: Option<ItemFace>,
    /// And on the other.
    pub after: Option<ItemFace>,
}

/// Somebody who holds other work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldingChange {
    /// Who.
    pub actor: String,
    /// Task and phase of what they hold on the one side.
    pub before: Vec<(String, &'static str)>,
    /// And on the other.
    pub after: Vec<(String, &'static str)>,
}

impl Difference {
    /// Data, tokens, work and status are the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.before.status == self.after.status
            && self.variables.is_empty()
            && self.tokens.is_empty()
            && self.items.is_empty()
            && self.holdings.is_empty()
    }
}

/// What is other in `after`. Items of one case are the same when their numbers are; of two cases, when they are the same in
/// order among those of their task.
#[must_use]
pub fn diff(before: &CaseView, after: &CaseView) -> Difference {
    let same_case = before.case.id == after.case.id;
    let variables = paired(variables(before), variables(after)).filter(|(_, a, b)| a != b);
    let tokens = paired(tokens(before), tokens(after)).filter(|(_, a, b)| a != b);
    let items = paired(items(before, same_case), items(after, same_case));
    let holdings = paired(held(before), held(after)).filter(|(_, a, b)| a != b);
    Difference {
        before: side(before),
        after: side(after),
        variables: variables.map(|(name, before, after)| VariableChange { name, before, after }).collect(),
        tokens: tokens
            .map(|(condition, before, after)| TokenChange {
                condition,
                before: before.unwrap_or(0),
                after: after.unwrap_or(0),
            })
            .collect(),
        items: items
            .filter(|(_, before, after)| !is_same(before.as_ref(), after.as_ref(), same_case))
            .map(|((_, task, _), before, after)| ItemChange { task, before, after })
            .collect(),
        holdings: holdings
            .map(|(actor, before, after)| HoldingChange {
                actor,
                before: before.unwrap_or_default(),
                after: after.unwrap_or_default(),
            })
            .collect(),
    }
}

fn side(view: &CaseView) -> Side {
    let case = &view.case;
    Side {
        case: case.id,
        key: view.key.clone(),
        net: view.net.as_ref().map_or_else(|| case.net.to_string(), |net| net.name.clone()),
        net_hash: case.net.to_string(),
        status: case.control.status.name(),
        seq: case.last_seq,
        version: case.version,
        time: case.changed,
    }
}

fn variables(view: &CaseView) -> BTreeMap<String, Value> {
    let net = view.net.as_deref();
    let frames = view.case.control.frames().iter().map(|frame| frame.id);
    let of_frame = |frame: FrameId| {
        let variables = view.case.variables_of(frame).iter();
        variables.map(move |(variable, value)| {
            let name = names::variable(net, *variable);
            let name = if frame == FrameId::ROOT { name } else { format!("{frame}:{name}") };
            (name, value.clone())
        })
    };
    std::iter::once(FrameId::ROOT).chain(frames).flat_map(of_frame).collect()
}

fn tokens(view: &CaseView) -> BTreeMap<String, u32> {
    let net = view.net.as_deref();
    let tokens = view.case.control.marking.iter();
    tokens.map(|(frame, condition, count)| (names::marked(net, frame, condition), count)).collect()
}

/// Number (of one case) or nothing (of two), task, and place among those of the task.
type ItemKey = (Option<ItemId>, String, usize);

fn items(view: &CaseView, same_case: bool) -> BTreeMap<ItemKey, ItemFace> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let items = view.case.control.items.iter();
    items
        .map(|item| {
            let task = names::task(view.net.as_deref(), item.task);
            let place = counts.entry(task.clone()).or_default();
            let key = if same_case { (Some(item.id), task, 0) } else { (None, task, *place) };
            *place += 1;
            (key, face(view, item))
        })
        .collect()
}

fn face(view: &CaseView, item: &WorkItemState) -> ItemFace {
    let offered = || {
        let to: Vec<String> = item.offered_to.iter().map(|actor| view.names.actor(*actor)).collect();
        match item.role {
            Some(role) if to.is_empty() => names::role(view.net.as_deref(), role),
            _ => to.join(", "),
        }
    };
    let who = match (item.resource, item.phase) {
        (Some(actor), _) => view.names.actor(actor),
        (None, Phase::Offered) => offered(),
        (None, _) => String::new(),
    };
    ItemFace { item: item.id, phase: item.phase, who, attempt: item.attempt, until: item.timer }
}

/// The numbers of items of two cases mean nothing, nor do the times of their timers.
fn is_same(before: Option<&ItemFace>, after: Option<&ItemFace>, same_case: bool) -> bool {
    match (before, after) {
        (Some(before), Some(after)) if !same_case => {
            (before.phase, &before.who, before.attempt) == (after.phase, &after.who, after.attempt)
        }
        (before, after) => before == after,
    }
}

fn held(view: &CaseView) -> BTreeMap<String, Vec<(String, &'static str)>> {
    let task = |item: ItemId| view.case.control.item(item).map(|item| names::task(view.net.as_deref(), item.task));
    let held = holdings(&view.case).into_iter();
    held.map(|(actor, items)| {
        let items = items.into_iter().map(|(item, phase)| (task(item).unwrap_or_default(), phase.name()));
        (view.names.actor(actor), items.collect())
    })
    .collect()
}

/// All keys of both, ascending, with what each side has.
fn paired<K: Ord + Clone, V>(
    mut before: BTreeMap<K, V>,
    mut after: BTreeMap<K, V>,
) -> impl Iterator<Item = (K, Option<V>, Option<V>)> {
    let keys: std::collections::BTreeSet<K> = before.keys().chain(after.keys()).cloned().collect();
    keys.into_iter().map(move |key| {
        let (before, after) = (before.remove(&key), after.remove(&key));
        (key, before, after)
    })
}
