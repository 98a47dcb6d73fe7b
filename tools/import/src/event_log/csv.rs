//! CSV (RFC 4180) with a header: one row per event, in the order in which things happened.

use std::collections::HashMap;
use std::io::BufRead;

use super::{EventLogError, ForeignEvent, ForeignTrace, TRACE_EVENTS_MAX};

/// Most bytes of a row.
pub const ROW_BYTES_MAX: usize = 16 << 20;

/// Names of columns, by what they hold: as XES and pm4py call them, and as people do.
const CASE: [&str; 5] = ["case:concept:name", "case_id", "case id", "caseid", "case"];
const ACTIVITY: [&str; 3] = ["concept:name", "activity", "task"];
const TRANSITION: [&str; 3] = ["lifecycle:transition", "lifecycle", "transition"];

/// A log in CSV.
#[derive(Debug)]
pub struct CsvLog;

impl CsvLog {
    /// The traces of a file, in the order in which they begin; memory grows with the file.
    ///
    /// An apostrophe in front of a cell, as exports put it there against formulas, is taken away.
    ///
    /// # Errors
    /// The first row that is not one.
    pub fn read(bytes: impl BufRead) -> Result<Vec<ForeignTrace>, EventLogError> {
        let mut rows = Rows { bytes, line: 1, row: Vec::new() };
        let wrong = |line, message: String| EventLogError::Malformed { line, message };
        let Some((_, header)) = rows.next()? else { return Err(wrong(1, "the file is empty".to_owned())) };
        let column = |names: &[&str]| {
            let of = |name: &&str| {
                header.iter().position(|cell| cell.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name))
            };
            names.iter().find_map(of)
        };
        let needed = |names: &[&str]| {
            column(names).ok_or_else(|| wrong(1, format!("the header has no column {}", names.join(" or "))))
        };
        let (case, activity, transition) = (needed(&CASE)?, needed(&ACTIVITY)?, column(&TRANSITION));
        let mut traces: Vec<ForeignTrace> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        while let Some((line, row)) = rows.next()? {
            if row.len() != header.len() {
                let message = format!("the row has {} cells, the header {}", row.len(), header.len());
                return Err(wrong(line, message));
            }
            let name = plain(&row[case]);
            let event = ForeignEvent {
                activity: plain(&row[activity]).to_owned(),
                transition: transition.map(|at| row[at].clone()).filter(|word| !word.is_empty()),
            };
            if event.activity.is_empty() {
                return Err(wrong(line, "the row has no activity".to_owned()));
            }
            let at = if let Some(at) = known.get(name) {
                *at
            } else {
                known.insert(name.to_owned(), traces.len());
                traces.push(ForeignTrace { name: Some(name.to_owned()), events: Vec::new() });
                traces.len() - 1
            };
            if traces[at].events.len() >= TRACE_EVENTS_MAX {
                return Err(wrong(line, format!("a trace has more than {TRACE_EVENTS_MAX} events")));
            }
            traces[at].events.push(event);
        }
        Ok(traces)
    }
}

fn plain(cell: &str) -> &str {
    cell.strip_prefix('\'').unwrap_or(cell)
}

struct Rows<R> {
    bytes: R,
    /// The line of the next row.
    line: u64,
    row: Vec<u8>,
}

impl<R: BufRead> Rows<R> {
    /// The next row's cells, with the line where it begins. Empty lines are passed over.
    fn next(&mut self) -> Result<Option<(u64, Vec<String>)>, EventLogError> {
        loop {
            let begin = self.line;
            self.row.clear();
            let mut open = false;
            loop {
                let before = self.row.len();
                let room = (ROW_BYTES_MAX + 1).saturating_sub(self.row.len()) as u64;
                let count = std::io::Read::take(&mut self.bytes, room)
                    .read_until(b'\n', &mut self.row)
                    .map_err(EventLogError::Read)?;
                if self.row.len() > ROW_BYTES_MAX {
                    return Err(malformed(begin, format!("a row has more than {ROW_BYTES_MAX} bytes")));
                }
                self.line += u64::from(count > 0 && self.row.last() == Some(&b'\n'));
                self.row[before..].iter().filter(|byte| **byte == b'"').for_each(|_| open = !open);
                if !open {
                    break;
                }
                if count == 0 {
                    return Err(malformed(begin, "the file ends within a quoted cell: it is cut short".to_owned()));
                }
            }
            if self.row.is_empty() {
                return Ok(None);
            }
            let text =
                std::str::from_utf8(&self.row).map_err(|_| malformed(begin, "the row is not UTF-8".to_owned()))?;
            let text = text.strip_suffix('\n').unwrap_or(text);
            let text = text.strip_suffix('\r').unwrap_or(text);
            if !text.is_empty() {
                return Ok(Some((begin, cells(text).map_err(|message| malformed(begin, message.to_owned()))?)));
            }
        }
    }
}

fn malformed(line: u64, message: String) -> EventLogError {
    EventLogError::Malformed { line, message }
}

fn cells(text: &str) -> Result<Vec<String>, &'static str> {
    let mut cells = Vec::new();
    let mut rest = text;
    loop {
        let (cell, after) = if let Some(quoted) = rest.strip_prefix('"') {
            quoted_cell(quoted)?
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            (rest[..end].to_owned(), &rest[end..])
        };
        cells.push(cell);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(cells),
            None => return Err("something follows a quoted cell"),
        }
    }
}

/// What comes after the opening quote: the cell, and the rest of the row.
fn quoted_cell(text: &str) -> Result<(String, &str), &'static str> {
    let mut cell = String::new();
    let mut rest = text;
    while let Some(quote) = rest.find('"') {
        cell.push_str(&rest[..quote]);
        rest = &rest[quote + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                cell.push('"');
                rest = after;
            }
            None => return Ok((cell, rest)),
        }
    }
    Err("a quoted cell does not end")
}
