//! Reads `resources` of a task: how its work is handed out.

use std::collections::BTreeMap;

use actum_model::Value;

use super::table::{Table, entries};
use super::task::guard;
use super::{Name, choice, names, number, text, wrong_type};
use crate::diagnostic::Code;
use crate::resourcing::{Allocate, By, Operation, Operations, Strategy};
use crate::source::{Data, Findings, Node, Span};
use crate::suggest::suggestion;

/// Highest level of a capability.
pub(crate) const LEVEL_MAX: u32 = 1_000;

/// The resources of one task, as they were written.
#[derive(Debug, Default)]
pub(crate) struct ResourcesDraft {
    /// Where the key stands.
    pub(crate) key: Span,
    pub(crate) offer: By,
    pub(crate) allocate: Allocate,
    /// Where the allocation stands.
    pub(crate) allocate_span: Span,
    pub(crate) start: By,
    pub(crate) who: WhoDraft,
    pub(crate) separate_from: Vec<Name>,
    pub(crate) same_as: Vec<Name>,
    pub(crate) four_eyes: Vec<Name>,
    pub(crate) not_if: Option<Name>,
    pub(crate) when: Option<Name>,
    pub(crate) calendar: bool,
    pub(crate) may: Operations,
}

#[derive(Debug, Default)]
pub(crate) struct WhoDraft {
    pub(crate) roles: Vec<Name>,
    pub(crate) positions: Vec<Name>,
    pub(crate) capabilities: Vec<(Name, u32)>,
    pub(crate) groups: Vec<Name>,
    pub(crate) participants: Vec<Name>,
}

impl WhoDraft {
    pub(crate) fn is_empty(&self) -> bool {
        let WhoDraft { roles, positions, capabilities, groups, participants } = self;
        capabilities.is_empty() && [roles, positions, groups, participants].into_iter().all(Vec::is_empty)
    }

    fn canonical(&self) -> Value {
        let capabilities = self.capabilities.iter();
        let capabilities: BTreeMap<String, Value> =
            capabilities.map(|(name, level)| (name.text.clone(), Value::Int(i64::from(*level)))).collect();
        let mut map = BTreeMap::new();
        for (key, list) in [
            ("roles", &self.roles),
            ("positions", &self.positions),
            ("groups", &self.groups),
            ("participants", &self.participants),
        ] {
            insert_names(&mut map, key, list);
        }
        if !capabilities.is_empty() {
            map.insert("capabilities".to_owned(), Value::Map(capabilities));
        }
        Value::Map(map)
    }
}

impl ResourcesDraft {
    /// The roles it names, so that declared ones count as used.
    pub(crate) fn roles(&self) -> impl Iterator<Item = &Name> {
        self.who.roles.iter()
    }

    /// Its part of the canonical form: keys sorted, defaults left out.
    pub(crate) fn canonical(&self) -> Value {
        let mut map = BTreeMap::new();
        let mut insert = |key: &str, value: Value| drop(map.insert(key.to_owned(), value));
        let word = |word: &str| Value::String(word.to_owned());
        if self.offer == By::Person {
            insert("offer", word("person"));
        }
        match &self.allocate {
            Allocate::Person => {}
            Allocate::System(strategy) => {
                insert("allocate", Value::Map(BTreeMap::from([("by".to_owned(), word(strategy.name()))])));
            }
            Allocate::Own(name) => insert("allocate", Value::Map(BTreeMap::from([("own".to_owned(), word(name))]))),
        }
        if self.start == By::System {
            insert("start", word("system"));
        }
        if !self.who.is_empty() {
            insert("who", self.who.canonical());
        }
        for (key, text) in [("not_if", &self.not_if), ("when", &self.when)] {
            if let Some(text) = text {
                insert(key, word(text.text.trim()));
            }
        }
        if self.calendar {
            insert("calendar", Value::Bool(true));
        }
        if self.may != Operations::default() {
            insert("may", Value::List(self.may.iter().map(|operation| word(operation.name())).collect()));
        }
        for (key, list) in
            [("separate_from", &self.separate_from), ("same_as", &self.same_as), ("four_eyes", &self.four_eyes)]
        {
            insert_names(&mut map, key, list);
        }
        Value::Map(map)
    }
}

/// Names in an order that means nothing.
fn insert_names(map: &mut BTreeMap<String, Value>, key: &str, list: &[Name]) {
    let mut names: Vec<&str> = list.iter().map(|name| name.text.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if !names.is_empty() {
        let names = names.into_iter().map(|name| Value::String(name.to_owned())).collect();
        map.insert(key.to_owned(), Value::List(names));
    }
}

pub(super) fn resources(key: Span, node: &Node, findings: &mut Findings<'_>) -> Option<ResourcesDraft> {
    let mut table = Table::of(node, "`resources`", findings)?;
    let by = [("system", By::System), ("person", By::Person)];
    let mut draft = ResourcesDraft { key, start: By::Person, allocate_span: key, ..ResourcesDraft::default() };
    if let Some((_, node)) = table.take("offer") {
        draft.offer = choice(node, &by, findings).unwrap_or_default();
    }
    if let Some((_, node)) = table.take("allocate") {
        draft.allocate_span = node.span;
        draft.allocate = allocate(node, findings).unwrap_or_default();
    }
    if let Some((_, node)) = table.take("start") {
        draft.start = choice(node, &by, findings).unwrap_or(By::Person);
    }
    if let Some((_, node)) = table.take("who") {
        draft.who = who(node, findings).unwrap_or_default();
    }
    let mut list =
        |key, findings: &mut Findings<'_>| table.take(key).map(|(_, node)| names(node, findings)).unwrap_or_default();
    draft.separate_from = list("separate_from", findings);
    draft.same_as = list("same_as", findings);
    draft.four_eyes = list("four_eyes", findings);
    draft.not_if = table.take("not_if").and_then(|(_, node)| guard(node, findings));
    draft.when = table.take("when").and_then(|(_, node)| guard(node, findings));
    draft.calendar = table.truth("calendar", findings);
    if let Some((_, node)) = table.take("may") {
        draft.may = operations(node, findings);
    }
    table.finish(findings);
    Some(draft)
}

/// `person`, `{ by: STRATEGY }`, or `{ own: NAME }`.
fn allocate(node: &Node, findings: &mut Findings<'_>) -> Option<Allocate> {
    match &node.data {
        Data::Text(word) if word == "person" => Some(Allocate::Person),
        Data::Map(_) => {
            let mut table = Table::of(node, "`allocate`", findings)?;
            let by = table.take("by").map(|(_, node)| strategy(node, findings));
            let own = table.take("own").map(|(_, node)| text(node, findings));
            table.finish(findings);
            match (by, own) {
                (Some(by), None) => by.map(Allocate::System),
                (None, Some(own)) => own.map(|name| Allocate::Own(name.text)),
                _ => {
                    let hint =
                        Some("a strategy: `{ by: shortest-queue }`, or one of your own: `{ own: NAME }`".to_owned());
                    findings.error(Code::BadValue, node.span, "one of `by` and `own` says how it is allocated", hint);
                    None
                }
            }
        }
        _ => {
            let hint = Some("write `person`, or `{ by: shortest-queue }`".to_owned());
            wrong_type(node, "who allocates", hint, findings);
            None
        }
    }
}

fn strategy(node: &Node, findings: &mut Findings<'_>) -> Option<Strategy> {
    let name = text(node, findings)?;
    let strategy = Strategy::from_name(&name.text);
    if strategy.is_none() {
        let known: Vec<&str> = Strategy::ALL.iter().map(|strategy| strategy.name()).collect();
        let hint = suggestion(&name.text, known.iter().copied())
            .unwrap_or_else(|| format!("strategies: {}", known.join(", ")));
        findings.error(Code::BadValue, name.span, format!("there is no strategy `{}`", name.text), Some(hint));
    }
    strategy
}

fn who(node: &Node, findings: &mut Findings<'_>) -> Option<WhoDraft> {
    let mut table = Table::of(node, "`who`", findings)?;
    let mut list =
        |key, findings: &mut Findings<'_>| table.take(key).map(|(_, node)| names(node, findings)).unwrap_or_default();
    let mut who = WhoDraft {
        roles: list("roles", findings),
        positions: list("positions", findings),
        groups: list("groups", findings),
        participants: list("participants", findings),
        capabilities: Vec::new(),
    };
    if let Some((_, node)) = table.take("capabilities") {
        for (key, node) in entries(node, findings).unwrap_or_default() {
            let name = Name { text: key.text.clone(), span: key.span };
            who.capabilities.extend(number(node, "a level", 0..=LEVEL_MAX, findings).map(|level| (name, level)));
        }
    }
    table.finish(findings);
    Some(who)
}

/// A list of operations, which may be empty.
fn operations(node: &Node, findings: &mut Findings<'_>) -> Operations {
    let Data::List(items) = &node.data else {
        wrong_type(node, "a list of operations", Some("write `[]` for none".to_owned()), findings);
        return Operations::default();
    };
    let operation = |item: &Node| {
        let known: Vec<(&str, Operation)> = Operation::ALL.iter().map(|one| (one.name(), *one)).collect();
        choice(item, &known, findings)
    };
    items.iter().filter_map(operation).collect()
}
