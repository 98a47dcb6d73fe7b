//! An event as the names that conditions see. Values are made only when a condition asks for them, and once.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use actum_model::{CaseEvent, Change, Event, Value, VariableIx, json};
use actum_net::{Net, Scope};

use super::tracked::TrackedCase;
use super::vocabulary::{NAMES, Name};
use crate::{Fact, LoggedEvent, Names, names, to_json};

pub(super) struct View<'e> {
    event: &'e LoggedEvent,
    names: &'e Names,
    case: Option<&'e TrackedCase>,
    /// Of names that many conditions read.
    often: [Cell; OFTEN],
    /// Of the others, by ordinal.
    seldom: OnceCell<Box<[Cell; NAMES.len()]>>,
}

type Cell = OnceCell<Option<Value>>;

/// Names with a cell of their own: making all of them for each event would cost more than a condition.
const OFTEN: usize = 6;

impl<'e> View<'e> {
    pub(super) fn new(event: &'e LoggedEvent, names: &'e Names, case: Option<&'e TrackedCase>) -> Self {
        Self { event, names, case, often: [const { OnceCell::new() }; OFTEN], seldom: OnceCell::new() }
    }

    fn fact(&self) -> Option<&'e CaseEvent> {
        match &self.event.fact {
            Fact::Event(Event::Case(event)) => Some(event),
            _ => None,
        }
    }

    fn net(&self) -> Option<&'e Net> {
        self.case.map(|case| &*case.net)
    }

    fn compute(&self, name: Name) -> Option<Value> {
        let meta = &self.event.meta;
        let int = |number: u64| Some(Value::Int(i64::try_from(number).unwrap_or(i64::MAX)));
        let text = |text: &str| Some(Value::String(text.to_owned()));
        match name {
            Name::Actor => Some(Value::String(self.names.actor(meta.actor))),
            Name::Case => int(self.event.stream.case()?.0),
            Name::Cause => int(meta.cause?.0),
            Name::Frame => int(u64::from(self.case.map_or(0, |case| case.frame_of(self.fact())))),
            Name::Item => match self.fact()?.work() {
                Some((item, _)) => int(u64::from(item.0)),
                None => self.key(name),
            },
            Name::Key => text(self.case?.key.as_deref()?),
            Name::Kind => text(self.event.kind()),
            Name::Net => text(&self.net()?.name),
            Name::NetHash => Some(Value::String(self.net()?.hash.to_string())),
            Name::Partition => int(u64::from(self.event.partition)),
            Name::Seq => int(meta.seq.0),
            Name::Started => Some(Value::Time(self.case?.started.time)),
            Name::Task => match self.fact()?.work() {
                Some((_, task)) => Some(Value::String(names::task(self.net(), task))),
                None => self.key(name),
            },
            Name::Time => Some(Value::Time(meta.time)),
            Name::Variables => Some(variables(self.net(), self.fact()?.changes())),
            Name::Version => int(meta.version),
            Name::Event => json::from_json(&to_json(self.event, self.names)).ok(),
            Name::Result | Name::Vars => None,
            other => self.key(other),
        }
    }

    /// A key of the event's JSON.
    fn key(&self, name: Name) -> Option<Value> {
        match self.value(Name::Event)? {
            Value::Map(keys) => keys.get(NAMES[name as usize].0).cloned(),
            _ => None,
        }
    }

    fn value(&self, name: Name) -> Option<&Value> {
        match name {
            Name::Vars => self.case.map(|case| &case.vars),
            Name::Result => match self.fact()? {
                CaseEvent::WorkCompleted { result, .. } | CaseEvent::InstancesPassed { result, .. } => Some(result),
                _ => None,
            },
            name => self.cell(name).get_or_init(|| self.compute(name)).as_ref(),
        }
    }

    fn cell(&self, name: Name) -> &Cell {
        let often = match name {
            Name::Actor => 0,
            Name::Task => 1,
            Name::Time => 2,
            Name::Variables => 3,
            Name::Item => 4,
            Name::Frame => 5,
            name => {
                let seldom = self.seldom.get_or_init(|| Box::new([const { OnceCell::new() }; NAMES.len()]));
                return &seldom[name as usize];
            }
        };
        &self.often[often]
    }
}

impl Scope for View<'_> {
    fn variable(&self, variable: VariableIx) -> Option<&Value> {
        self.value(*Name::ALL.get(variable.index())?)
    }

    fn result(&self) -> Option<&Value> {
        self.value(Name::Result)
    }
}

fn variables(net: Option<&Net>, changes: &[Change]) -> Value {
    let named = changes.iter().map(|change| (names::variable(net, change.variable), change.value.clone()));
    Value::Map(named.collect::<BTreeMap<_, _>>())
}
