//! OCEL 2.0 as XML: one event or object per line.

use super::Ocel;
use super::record::{Attribute, AttributeType, Object, OcelEvent, Record, Relation, put_time};
use crate::export::Entry;
use crate::export::form::{Form, Identity, Parts};
use crate::export::text::{Clock, put_xml};

/// Writes OCEL as XML. The file is [`Self::types`], then [`Parts::objects`], then [`Self::JOINT`], then [`Parts::events`],
/// then [`Self::END`]: the standard's schema wants this order.
#[derive(Debug, Default)]
pub struct OcelXml {
    ocel: Ocel,
    clock: Clock,
}

impl Form for OcelXml {
    fn begin(&mut self, _identity: &Identity, _parts: &mut Parts) {}

    fn entry(&mut self, entry: &Entry<'_>, parts: &mut Parts) {
        let OcelXml { ocel, clock } = self;
        ocel.entry(entry, &mut |record| put(record, clock, parts));
    }

    fn finish(&mut self, parts: &mut Parts) {
        let OcelXml { ocel, clock } = self;
        ocel.finish(&mut |record| put(record, clock, parts));
    }
}

impl OcelXml {
    /// What comes between objects and events.
    pub const JOINT: &'static str = "</objects>\n<events>\n";
    /// What comes after events.
    pub const END: &'static str = "</events>\n</log>\n";

    /// What comes before objects.
    #[must_use]
    pub fn types(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<log>\n<object-types>\n");
        let types = self.ocel.types();
        put_types("object-type", &types.objects, &mut out);
        out.push_str("</object-types>\n<event-types>\n");
        put_types("event-type", &types.events, &mut out);
        out.push_str("</event-types>\n<objects>\n");
        out
    }
}

fn put(record: &Record<'_>, clock: &mut Clock, parts: &mut Parts) {
    match record {
        Record::Event(event) => put_event(event, clock, &mut parts.events),
        Record::Object(object) => put_object(object, clock, &mut parts.objects),
    }
}

fn put_event(event: &OcelEvent<'_>, clock: &mut Clock, out: &mut String) {
    out.push_str("<event id=\"");
    put_xml(event.id, out);
    out.push_str("\" type=\"");
    put_xml(event.of, out);
    out.push_str("\" time=\"");
    put_time(event.time, clock, out);
    out.push_str("\"><attributes>");
    for Attribute { name, value, .. } in event.attributes {
        out.push_str("<attribute name=\"");
        out.push_str(name);
        out.push_str("\">");
        put_xml(value, out);
        out.push_str("</attribute>");
    }
    out.push_str("</attributes>");
    put_relations(event.relations, out);
    out.push_str("</event>\n");
}

fn put_object(object: &Object<'_>, clock: &mut Clock, out: &mut String) {
    out.push_str("<object id=\"");
    put_xml(object.id, out);
    out.push_str("\" type=\"");
    out.push_str(object.of);
    out.push_str("\"><attributes>");
    for Attribute { name, value, time } in object.attributes {
        out.push_str("<attribute name=\"");
        put_xml(name, out);
        out.push_str("\" time=\"");
        put_time(*time, clock, out);
        out.push_str("\">");
        put_xml(value, out);
        out.push_str("</attribute>");
    }
    out.push_str("</attributes>");
    if !object.relations.is_empty() {
        put_relations(object.relations, out);
    }
    out.push_str("</object>\n");
}

fn put_relations(relations: &[Relation<'_>], out: &mut String) {
    out.push_str("<objects>");
    for Relation { object, qualifier } in relations {
        out.push_str("<relationship object-id=\"");
        put_xml(object, out);
        out.push_str("\" qualifier=\"");
        out.push_str(qualifier);
        out.push_str("\"/>");
    }
    out.push_str("</objects>");
}

fn put_types(element: &str, types: &[(&str, Vec<(&str, AttributeType)>)], out: &mut String) {
    for (name, attributes) in types {
        out.push('<');
        out.push_str(element);
        out.push_str(" name=\"");
        put_xml(name, out);
        out.push_str("\"><attributes>");
        for (name, of) in attributes {
            out.push_str("<attribute name=\"");
            put_xml(name, out);
            out.push_str("\" type=\"");
            out.push_str(of.word());
            out.push_str("\"/>");
        }
        out.push_str("</attributes></");
        out.push_str(element);
        out.push_str(">\n");
    }
}
