//! XES (IEEE 1849-2016), with the concept, lifecycle, organisational, time and identity extensions.

use std::fmt::Write as _;

use actum_model::CaseId;
use rustc_hash::FxHashMap;

use super::entry::{Began, Data, Ended, Entry, Step};
use super::form::{Form, Identity, Parts};
use super::text::{Clock, Scalar, put_number, put_value, put_xml};

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2016" xes.features="" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<extension name="Identity" prefix="identity" uri="http://www.xes-standard.org/identity.xesext"/>
<global scope="trace">
<string key="concept:name" value=""/>
<id key="identity:id" value="00000000-0000-0000-0000-000000000000"/>
</global>
<global scope="event">
<string key="concept:name" value=""/>
<string key="concept:instance" value=""/>
<string key="lifecycle:transition" value="complete"/>
<string key="org:resource" value=""/>
<date key="time:timestamp" value="1970-01-01T00:00:00.000Z"/>
<id key="identity:id" value="00000000-0000-0000-0000-000000000000"/>
</global>
<classifier name="Activity" keys="concept:name"/>
<classifier name="Activity and step" keys="concept:name lifecycle:transition"/>
"#;

/// Writes XES. A trace is written when its case ends, since its attributes come before its events: until then its text is
/// held in memory.
#[derive(Debug, Default)]
pub struct Xes {
    clock: Clock,
    log: [u8; 16],
    open: FxHashMap<CaseId, Trace>,
    /// Room of traces that were written, for new ones.
    free: Vec<Trace>,
    value: String,
    /// Traces are written in the order in which their cases began, where no end decides.
    begun: u64,
}

#[derive(Debug, Default)]
struct Trace {
    number: u64,
    attributes: String,
    events: String,
}

/// Room that is kept of a trace that was written.
const ROOM_MAX: usize = 64 << 10;
/// How many of them.
const FREE_MAX: usize = 256;

impl Form for Xes {
    fn begin(&mut self, identity: &Identity, parts: &mut Parts) {
        self.log = identity.log;
        let out = &mut parts.events;
        out.push_str(HEAD);
        attribute("string", "concept:name", &identity.origin, out);
        attribute("string", "lifecycle:model", "standard", out);
        out.push_str("<id key=\"identity:id\" value=\"");
        put_uuid(&identity.log, out);
        out.push_str("\"/>\n");
    }

    fn entry(&mut self, entry: &Entry<'_>, parts: &mut Parts) {
        match entry {
            Entry::Began(began) => self.begin_trace(began),
            Entry::Step(step) => self.step(step),
            Entry::Data(_) => {}
            Entry::Ended(ended) => self.end(ended, &mut parts.events),
        }
    }

    fn finish(&mut self, parts: &mut Parts) {
        let mut rest: Vec<Trace> = self.open.drain().map(|(_, trace)| trace).collect();
        rest.sort_unstable_by_key(|trace| trace.number);
        for mut trace in rest {
            attribute("string", "status", "open", &mut trace.attributes);
            write_trace(&trace, &mut parts.events);
        }
        parts.events.push_str("</log>\n");
    }
}

impl Xes {
    fn begin_trace(&mut self, began: &Began<'_>) {
        let mut trace = self.free.pop().unwrap_or_default();
        trace.number = self.begun;
        self.begun += 1;
        trace.attributes.clear();
        trace.events.clear();
        let out = &mut trace.attributes;
        out.push_str("<string key=\"concept:name\" value=\"");
        put_number(began.case.0, out);
        out.push_str("\"/>\n<id key=\"identity:id\" value=\"");
        put_id(&self.log, 0, Subject::Case(began.case.0), out);
        out.push_str("\"/>\n");
        if let Some(key) = began.key {
            attribute("string", "key", key, out);
        }
        if let Some(net) = began.net {
            attribute("string", "net", &net.name, out);
            writeln!(out, "<string key=\"net_hash\" value=\"{}\"/>", net.hash).ok();
        }
        attribute("string", "started_by", began.actor, out);
        put_data(&began.data, &mut self.clock, &mut self.value, out);
        self.open.insert(began.case, trace);
    }

    fn step(&mut self, step: &Step<'_>) {
        let Some(trace) = self.open.get_mut(&step.case) else { return };
        let out = &mut trace.events;
        out.push_str("<event>\n<string key=\"concept:name\" value=\"");
        put_xml(step.task, out);
        out.push_str("\"/>\n<string key=\"concept:instance\" value=\"");
        put_number(u64::from(step.item.0), out);
        out.push_str("\"/>\n<string key=\"lifecycle:transition\" value=\"");
        out.push_str(step.transition.word());
        out.push_str("\"/>\n<string key=\"org:resource\" value=\"");
        put_xml(step.resource, out);
        out.push_str("\"/>\n<date key=\"time:timestamp\" value=\"");
        self.clock.put(step.time, out);
        out.push_str("\"/>\n<id key=\"identity:id\" value=\"");
        put_id(&self.log, step.partition, Subject::Event(step.seq.0), out);
        out.push_str("\"/>\n<int key=\"seq\" value=\"");
        put_number(step.seq.0, out);
        out.push_str("\"/>\n<string key=\"kind\" value=\"");
        out.push_str(step.kind);
        out.push_str("\"/>\n");
        if let Some(role) = step.role {
            attribute("string", "org:role", role, out);
        }
        if let Some(actor) = step.on_behalf_of {
            attribute("string", "on_behalf_of", actor, out);
        }
        if let Some(index) = step.instance {
            writeln!(out, "<int key=\"instance\" value=\"{index}\"/>").ok();
        }
        if let Some(attempt) = step.attempt {
            writeln!(out, "<int key=\"attempt\" value=\"{attempt}\"/>").ok();
        }
        if let Some((code, message)) = step.failure {
            attribute("string", "code", code, out);
            attribute("string", "message", message, out);
        }
        put_data(&step.data, &mut self.clock, &mut self.value, out);
        out.push_str("</event>\n");
    }

    fn end(&mut self, ended: &Ended<'_>, out: &mut String) {
        let Some(mut trace) = self.open.remove(&ended.case) else { return };
        attribute("string", "status", ended.status, &mut trace.attributes);
        if let Some(reason) = ended.reason {
            attribute("string", "reason", reason, &mut trace.attributes);
        }
        write_trace(&trace, out);
        if self.free.len() < FREE_MAX && trace.events.capacity() <= ROOM_MAX {
            self.free.push(trace);
        }
    }
}

fn write_trace(trace: &Trace, out: &mut String) {
    out.push_str("<trace>\n");
    out.push_str(&trace.attributes);
    out.push_str(&trace.events);
    out.push_str("</trace>\n");
}

fn attribute(element: &str, key: &str, value: &str, out: &mut String) {
    out.push('<');
    out.push_str(element);
    out.push_str(" key=\"");
    out.push_str(key);
    out.push_str("\" value=\"");
    put_xml(value, out);
    out.push_str("\"/>\n");
}

/// Variables as attributes `data.NAME`; what is null is left out.
fn put_data(data: &Data<'_>, clock: &mut Clock, value: &mut String, out: &mut String) {
    data.each(|name, given| {
        value.clear();
        let Some(scalar) = put_value(given, clock, value) else { return };
        out.push('<');
        out.push_str(match scalar {
            Scalar::Text => "string",
            Scalar::Date => "date",
            Scalar::Integer => "int",
            Scalar::Float => "float",
            Scalar::Boolean => "boolean",
        });
        out.push_str(" key=\"data.");
        put_xml(name, out);
        out.push_str("\" value=\"");
        put_xml(value, out);
        out.push_str("\"/>\n");
    });
}

#[derive(Debug, Clone, Copy)]
enum Subject {
    Event(u64),
    Case(u64),
}

/// The id of an event or a case, the same in every export: a UUID of version 8 (RFC 9562, section 5.8) made of six bytes of
/// the log's id, the partition, and the number, whose highest bit tells cases from events.
fn put_id(log: &[u8; 16], partition: u16, subject: Subject, out: &mut String) {
    let number = match subject {
        Subject::Event(seq) => seq & (u64::MAX >> 3),
        Subject::Case(case) => case & (u64::MAX >> 3) | 1 << 61,
    };
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&log[..6]);
    bytes[6..8].copy_from_slice(&(0x8000 | partition & 0x0fff).to_be_bytes());
    bytes[8..].copy_from_slice(&(1 << 63 | number).to_be_bytes());
    put_uuid(&bytes, out);
}

fn put_uuid(bytes: &[u8; 16], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}
