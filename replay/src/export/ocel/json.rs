//! OCEL 2.0 as JSON: one event or object per line.

use super::Ocel;
use super::record::{Attribute, AttributeType, Object, OcelEvent, Record, Relation, put_time};
use crate::export::Entry;
use crate::export::form::{Form, Identity, Parts};
use crate::export::text::{Clock, put_json};

/// Writes OCEL as JSON. The file is [`Parts::events`], then [`Self::JOINT`], then [`Parts::objects`], then [`Self::types`].
#[derive(Debug, Default)]
pub struct OcelJson {
    ocel: Ocel,
    clock: Clock,
    any: [bool; 2],
}

impl Form for OcelJson {
    fn begin(&mut self, _identity: &Identity, parts: &mut Parts) {
        parts.events.push_str("{\"events\":[");
    }

    fn entry(&mut self, entry: &Entry<'_>, parts: &mut Parts) {
        let OcelJson { ocel, clock, any } = self;
        ocel.entry(entry, &mut |record| put(record, clock, any, parts));
    }

    fn finish(&mut self, parts: &mut Parts) {
        let OcelJson { ocel, clock, any } = self;
        ocel.finish(&mut |record| put(record, clock, any, parts));
    }
}

impl OcelJson {
    /// What comes between events and objects.
    pub const JOINT: &'static str = "\n],\"objects\":[";

    /// What comes after objects.
    #[must_use]
    pub fn types(&self) -> String {
        let mut out = String::from("\n],\"eventTypes\":[");
        let types = self.ocel.types();
        put_types(&types.events, &mut out);
        out.push_str("\n],\"objectTypes\":[");
        put_types(&types.objects, &mut out);
        out.push_str("\n]}\n");
        out
    }
}

fn put(record: &Record<'_>, clock: &mut Clock, any: &mut [bool; 2], parts: &mut Parts) {
    let (out, any) = match record {
        Record::Event(_) => (&mut parts.events, &mut any[0]),
        Record::Object(_) => (&mut parts.objects, &mut any[1]),
    };
    out.push_str(if *any { ",\n" } else { "\n" });
    *any = true;
    match record {
        Record::Event(event) => put_event(event, clock, out),
        Record::Object(object) => put_object(object, clock, out),
    }
}

fn put_event(event: &OcelEvent<'_>, clock: &mut Clock, out: &mut String) {
    out.push_str("{\"id\":\"");
    put_json(event.id, out);
    out.push_str("\",\"type\":\"");
    put_json(event.of, out);
    out.push_str("\",\"time\":\"");
    put_time(event.time, clock, out);
    out.push_str("\",\"attributes\":[");
    for (index, Attribute { name, value, .. }) in event.attributes.iter().enumerate() {
        out.push_str(if index == 0 { "{\"name\":\"" } else { ",{\"name\":\"" });
        out.push_str(name);
        out.push_str("\",\"value\":\"");
        put_json(value, out);
        out.push_str("\"}");
    }
    out.push(']');
    put_relations(event.relations, out);
}

fn put_object(object: &Object<'_>, clock: &mut Clock, out: &mut String) {
    out.push_str("{\"id\":\"");
    put_json(object.id, out);
    out.push_str("\",\"type\":\"");
    out.push_str(object.of);
    out.push_str("\",\"attributes\":[");
    for (index, Attribute { name, value, time }) in object.attributes.iter().enumerate() {
        out.push_str(if index == 0 { "{\"name\":\"" } else { ",{\"name\":\"" });
        put_json(name, out);
        out.push_str("\",\"time\":\"");
        put_time(*time, clock, out);
        out.push_str("\",\"value\":\"");
        put_json(value, out);
        out.push_str("\"}");
    }
    out.push(']');
    put_relations(object.relations, out);
}

/// The relations, and the end of what they are of.
fn put_relations(relations: &[Relation<'_>], out: &mut String) {
    out.push_str(",\"relationships\":[");
    for (index, Relation { object, qualifier }) in relations.iter().enumerate() {
        out.push_str(if index == 0 { "{\"objectId\":\"" } else { ",{\"objectId\":\"" });
        put_json(object, out);
        out.push_str("\",\"qualifier\":\"");
        out.push_str(qualifier);
        out.push_str("\"}");
    }
    out.push_str("]}");
}

fn put_types(types: &[(&str, Vec<(&str, AttributeType)>)], out: &mut String) {
    for (index, (name, attributes)) in types.iter().enumerate() {
        out.push_str(if index == 0 { "\n{\"name\":\"" } else { ",\n{\"name\":\"" });
        put_json(name, out);
        out.push_str("\",\"attributes\":[");
        for (index, (name, of)) in attributes.iter().enumerate() {
            out.push_str(if index == 0 { "{\"name\":\"" } else { ",{\"name\":\"" });
            put_json(name, out);
            out.push_str("\",\"type\":\"");
            out.push_str(of.word());
            out.push_str("\"}");
        }
        out.push_str("]}");
    }
}
