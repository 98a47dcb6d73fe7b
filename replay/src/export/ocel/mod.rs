//! OCEL 2.0 (ocel-standard.org): events with the objects that they are about.
//!
//! An [`Ocel`] makes records of entries; JSON and XML are two spellings of records, and whoever writes a database takes the
//! records themselves. Objects are cases (with their data as it changed), work items, and resources.

mod json;
mod record;
mod xml;

pub use json::OcelJson;
pub use record::{Attribute, AttributeType, Object, OcelEvent, Record, Relation, Types};
pub use xml::OcelXml;

use actum_model::{CaseId, Time};
use rustc_hash::{FxHashMap, FxHashSet};

use super::entry::{Began, Data, Ended, Entry, Step};
use super::text::{Clock, put_number, put_value};

/// Attributes of every type of event.
const OF_EVENTS: [(&str, AttributeType); 6] = [
    ("lifecycle", AttributeType::String),
    ("kind", AttributeType::String),
    ("instance", AttributeType::Integer),
    ("attempt", AttributeType::Integer),
    ("code", AttributeType::String),
    ("message", AttributeType::String),
];
const OF_CASES: [&str; 6] = ["net", "net_hash", "key", "started_by", "status", "reason"];

/// When an attribute has its first value, in OCEL's convention.
const ALWAYS: Time = Time(0);

/// Makes OCEL records of entries. Memory grows with the number of open cases and the changes of their data.
#[derive(Debug, Default)]
pub struct Ocel {
    clock: Clock,
    open: FxHashMap<CaseId, CaseObject>,
    free: Vec<CaseObject>,
    resources: FxHashSet<String>,
    /// Types of events: the names of tasks, in the order in which they were first seen.
    types: Vec<String>,
    known: FxHashSet<String>,
    names: AttributeNames,
    /// Reused from entry to entry.
    ids: Ids,
    begun: u64,
}

#[derive(Debug, Default)]
struct Ids {
    event: String,
    case: String,
    item: String,
    resource: String,
    numbers: [String; 2],
}

/// Attributes of cases: the fixed ones, then variables.
#[derive(Debug)]
struct AttributeNames {
    numbers: FxHashMap<String, u32>,
    list: Vec<(String, AttributeType)>,
}

impl Default for AttributeNames {
    fn default() -> Self {
        let list: Vec<_> = OF_CASES.iter().map(|name| ((*name).to_owned(), AttributeType::String)).collect();
        AttributeNames { numbers: FxHashMap::default(), list }
    }
}

impl AttributeNames {
    /// The number of a variable's attribute. One that has held different types is text.
    fn number(&mut self, variable: &str, of: AttributeType) -> u32 {
        if let Some(number) = self.numbers.get(variable) {
            let known = &mut self.list[*number as usize].1;
            if *known != of {
                *known = AttributeType::String;
            }
            return *number;
        }
        let number = self.list.len() as u32;
        self.numbers.insert(variable.to_owned(), number);
        self.list.push((format!("data.{variable}"), of));
        number
    }
}

/// A case, as long as more may come of it.
#[derive(Debug, Default)]
struct CaseObject {
    number: u64,
    /// All values, one after the other.
    text: String,
    /// Attribute, time, and where the value ends in the text.
    values: Vec<(u32, Time, usize)>,
    /// Items that were given, as bits.
    items: Vec<u64>,
}

impl CaseObject {
    fn put(&mut self, attribute: usize, time: Time, value: &str) {
        self.text.push_str(value);
        self.values.push((attribute as u32, time, self.text.len()));
    }

    fn put_data(&mut self, data: &Data<'_>, time: Time, names: &mut AttributeNames, clock: &mut Clock) {
        data.each(|name, value| {
            let scalar = put_value(value, clock, &mut self.text);
            // What was set to null again has an empty value.
            let of = scalar.map_or(AttributeType::String, AttributeType::from);
            if scalar.is_some() || time != ALWAYS {
                self.values.push((names.number(name, of), time, self.text.len()));
            }
        });
    }

    /// True the first time.
    fn is_new(&mut self, item: u32) -> bool {
        let (word, bit) = (item as usize / 64, 1 << (item % 64));
        if self.items.len() <= word {
            self.items.resize(word + 1, 0);
        }
        let new = self.items[word] & bit == 0;
        self.items[word] |= bit;
        new
    }
}

/// Room that is kept of cases that ended.
const FREE_MAX: usize = 256;

impl Ocel {
    /// Gives the records that follow from an entry.
    pub fn entry(&mut self, entry: &Entry<'_>, give: &mut dyn FnMut(&Record<'_>)) {
        match entry {
            Entry::Began(began) => self.begin(began),
            Entry::Step(step) => self.step(step, give),
            Entry::Data(changed) => {
                if let Some(case) = self.open.get_mut(&changed.case) {
                    case.put_data(&changed.data, changed.time, &mut self.names, &mut self.clock);
                }
            }
            Entry::Ended(ended) => self.end(ended, give),
        }
    }

    /// Gives the cases that have not ended.
    pub fn finish(&mut self, give: &mut dyn FnMut(&Record<'_>)) {
        let mut rest: Vec<(CaseId, CaseObject)> = self.open.drain().collect();
        rest.sort_unstable_by_key(|(_, case)| case.number);
        for (id, mut case) in rest {
            case.put(4, ALWAYS, "open");
            self.give_case(id, &case, give);
        }
    }

    /// The types of all records that were given.
    pub fn types(&self) -> Types<'_> {
        let events = self.types.iter().map(|name| (name.as_str(), OF_EVENTS.to_vec())).collect();
        let of_cases = self.names.list.iter().map(|(name, of)| (name.as_str(), *of)).collect();
        let of_items = vec![("task", AttributeType::String), ("role", AttributeType::String)];
        let of_resources = vec![("name", AttributeType::String)];
        Types { events, objects: vec![("case", of_cases), ("work item", of_items), ("resource", of_resources)] }
    }

    fn begin(&mut self, began: &Began<'_>) {
        let mut case = self.free.pop().unwrap_or_default();
        case.number = self.begun;
        self.begun += 1;
        case.text.clear();
        case.values.clear();
        case.items.clear();
        if let Some(net) = began.net {
            case.put(0, ALWAYS, &net.name);
            case.put(1, ALWAYS, &net.hash.to_string());
        }
        if let Some(key) = began.key {
            case.put(2, ALWAYS, key);
        }
        case.put(3, ALWAYS, began.actor);
        case.put_data(&began.data, ALWAYS, &mut self.names, &mut self.clock);
        self.open.insert(began.case, case);
    }

    fn step(&mut self, step: &Step<'_>, give: &mut dyn FnMut(&Record<'_>)) {
        let Some(case) = self.open.get_mut(&step.case) else { return };
        case.put_data(&step.data, step.time, &mut self.names, &mut self.clock);
        if !self.known.contains(step.task) {
            self.known.insert(step.task.to_owned());
            self.types.push(step.task.to_owned());
        }
        let Ids { event: event_id, case: case_id, item: item_id, resource: resource_id, numbers } = &mut self.ids;
        put_event_id(step.partition, step.seq.0, event_id);
        put_case_id(step.case, case_id);
        item_id.clear();
        item_id.push_str(case_id);
        item_id.push_str("/item-");
        put_number(u64::from(step.item.0), item_id);
        resource_id.clear();
        resource_id.push_str("resource-");
        resource_id.push_str(step.resource);
        if !self.resources.contains(step.resource) {
            self.resources.insert(step.resource.to_owned());
            let attributes = [Attribute { name: "name", value: step.resource, time: ALWAYS }];
            give(&Record::Object(Object { id: resource_id, of: "resource", attributes: &attributes, relations: &[] }));
        }
        if case.is_new(step.item.0) {
            let task = Attribute { name: "task", value: step.task, time: ALWAYS };
            let role = Attribute { name: "role", value: step.role.unwrap_or_default(), time: ALWAYS };
            let attributes = [task, role];
            let attributes = if step.role.is_some() { &attributes[..] } else { &attributes[..1] };
            let relations = [Relation { object: case_id, qualifier: "case" }];
            give(&Record::Object(Object { id: item_id, of: "work item", attributes, relations: &relations }));
        }
        let of_event = |name, value| Attribute { name, value, time: step.time };
        let mut attributes = [of_event("lifecycle", step.transition.word()); 6];
        attributes[1] = of_event("kind", step.kind);
        let mut count = 2;
        let [instance, attempt] = numbers;
        for (name, number, text) in [("instance", step.instance, instance), ("attempt", step.attempt, attempt)] {
            if let Some(number) = number {
                text.clear();
                put_number(u64::from(number), text);
                attributes[count] = of_event(name, text);
                count += 1;
            }
        }
        if let Some((code, message)) = step.failure {
            attributes[count] = of_event("code", code);
            attributes[count + 1] = of_event("message", message);
            count += 2;
        }
        let relations = [
            Relation { object: case_id, qualifier: "case" },
            Relation { object: item_id, qualifier: "work item" },
            Relation { object: resource_id, qualifier: "resource" },
        ];
        give(&Record::Event(OcelEvent {
            id: event_id,
            of: step.task,
            time: step.time,
            attributes: &attributes[..count],
            relations: &relations,
        }));
    }

    fn end(&mut self, ended: &Ended<'_>, give: &mut dyn FnMut(&Record<'_>)) {
        let Some(mut case) = self.open.remove(&ended.case) else { return };
        case.put(4, ended.time, ended.status);
        if let Some(reason) = ended.reason {
            case.put(5, ended.time, reason);
        }
        self.give_case(ended.case, &case, give);
        if self.free.len() < FREE_MAX {
            self.free.push(case);
        }
    }

    fn give_case(&mut self, id: CaseId, case: &CaseObject, give: &mut dyn FnMut(&Record<'_>)) {
        put_case_id(id, &mut self.ids.case);
        let mut from = 0;
        let attributes: Vec<Attribute<'_>> = case
            .values
            .iter()
            .map(|(number, time, to)| {
                let value = &case.text[from..*to];
                from = *to;
                Attribute { name: &self.names.list[*number as usize].0, value, time: *time }
            })
            .collect();
        give(&Record::Object(Object { id: &self.ids.case, of: "case", attributes: &attributes, relations: &[] }));
    }
}

/// `event-12`; of another partition than the first, `event-1-12`.
fn put_event_id(partition: u16, seq: u64, out: &mut String) {
    out.clear();
    out.push_str("event-");
    if partition != 0 {
        put_number(u64::from(partition), out);
        out.push('-');
    }
    put_number(seq, out);
}

fn put_case_id(case: CaseId, out: &mut String) {
    out.clear();
    out.push_str("case-");
    put_number(case.0, out);
}
