//! CSV (RFC 4180): a row for each step of an activity, in the order of the log.
//!
//! Columns are named as XES names its attributes, so that readers of process logs know them. Text that a spreadsheet would
//! take for a formula (it begins with `=`, `+`, `-`, `@`, a tab, a carriage return) gets an apostrophe in front (OWASP, "CSV
//! injection"); so does text that begins with an apostrophe, so that whoever takes one away again has the text as it was.

use std::fmt::Write as _;

use actum_model::CaseId;
use rustc_hash::FxHashMap;

use super::entry::{Data, Entry, Step};
use super::form::{Form, Identity, Parts};
use super::text::{Clock, put_json, put_number};

/// The columns, in order.
pub const COLUMNS: [&str; 15] = [
    "case:concept:name",
    "concept:name",
    "concept:instance",
    "lifecycle:transition",
    "time:timestamp",
    "org:resource",
    "org:role",
    "case:key",
    "case:net",
    "seq",
    "kind",
    "instance",
    "code",
    "message",
    "data",
];

/// Writes CSV. Memory grows with the number of open cases: their keys and nets.
#[derive(Debug, Default)]
pub struct Csv {
    clock: Clock,
    /// Key and net of each open case, as they stand in a row.
    open: FxHashMap<CaseId, String>,
    data: String,
}

impl Form for Csv {
    fn begin(&mut self, _identity: &Identity, parts: &mut Parts) {
        parts.events.push_str(&COLUMNS.join(","));
        parts.events.push_str("\r\n");
    }

    fn entry(&mut self, entry: &Entry<'_>, parts: &mut Parts) {
        match entry {
            Entry::Began(began) => {
                let mut cells = String::new();
                put_cell(began.key.unwrap_or_default(), &mut cells);
                cells.push(',');
                put_cell(began.net.map_or("", |net| &net.name), &mut cells);
                self.open.insert(began.case, cells);
            }
            Entry::Step(step) => self.row(step, &mut parts.events),
            Entry::Data(_) => {}
            Entry::Ended(ended) => drop(self.open.remove(&ended.case)),
        }
    }

    fn finish(&mut self, _parts: &mut Parts) {}
}

impl Csv {
    fn row(&mut self, step: &Step<'_>, out: &mut String) {
        put_number(step.case.0, out);
        out.push(',');
        put_cell(step.task, out);
        out.push(',');
        put_number(u64::from(step.item.0), out);
        out.push(',');
        out.push_str(step.transition.word());
        out.push(',');
        self.clock.put(step.time, out);
        out.push(',');
        put_cell(step.resource, out);
        out.push(',');
        put_cell(step.role.unwrap_or_default(), out);
        out.push(',');
        out.push_str(self.open.get(&step.case).map_or(",", String::as_str));
        out.push(',');
        put_number(step.seq.0, out);
        out.push(',');
        out.push_str(step.kind);
        out.push(',');
        if let Some(index) = step.instance {
            put_number(u64::from(index), out);
        }
        let (code, message) = step.failure.unwrap_or_default();
        out.push(',');
        put_cell(code, out);
        out.push(',');
        put_cell(message, out);
        out.push(',');
        if !step.data.is_empty() {
            self.data.clear();
            put_object(&step.data, &mut self.data);
            put_cell(&self.data, out);
        }
        out.push_str("\r\n");
    }
}

/// Changed variables as a JSON object, as JSON lines have them.
fn put_object(data: &Data<'_>, out: &mut String) {
    out.push('{');
    data.each(|name, value| {
        if out.len() > 1 {
            out.push(',');
        }
        out.push('"');
        put_json(name, out);
        write!(out, "\":{}", actum_model::json::to_json(value)).ok();
    });
    out.push('}');
}

/// A cell: quoted where RFC 4180 asks for it, and no formula.
fn put_cell(text: &str, out: &mut String) {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']);
    let quoted = text.contains([',', '"', '\r', '\n']) || text.starts_with(' ') || text.ends_with(' ');
    if quoted {
        out.push('"');
    }
    if formula {
        out.push('\'');
    }
    if quoted {
        text.split_inclusive('"').for_each(|part| {
            out.push_str(part);
            if part.ends_with('"') {
                out.push('"');
            }
        });
        out.push('"');
    } else {
        out.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::put_cell;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut cell = String::new();
        put_cell(text, &mut cell);
        assert_eq!(cell, expected);
    }

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        check("", "");
        check("a b", "a b");
        check("a,b", "\"a,b\"");
        check("a \"b\"", "\"a \"\"b\"\"\"");
        check("\"", "\"\"\"\"");
        check("line\nline", "\"line\nline\"");
        check("=1+1", "'=1+1");
        check("-1,5", "\"'-1,5\"");
        check("@SUM(A1)", "'@SUM(A1)");
        check("'quoted", "''quoted");
        check("\tx", "'\tx");
    }
}
