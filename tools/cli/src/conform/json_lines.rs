//! Traces of JSON lines, as `actum export --format jsonl` writes them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{BufRead, Read as _};
use std::path::Path;
use std::rc::Rc;

use actum_net::{Net, TaskIx, Work};
use serde::Deserialize;

use super::{Given, Trace};
use crate::failure::{Exit, Failure, Outcome};

/// Most bytes of a line.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// What is read of a line.
#[derive(Deserialize)]
struct Line {
    case: Option<u64>,
    kind: String,
    task: Option<String>,
    item: Option<u64>,
    family: Option<u64>,
    net_hash: Option<String>,
    canonical: Option<String>,
}

/// A net of the log.
struct Known {
    name: String,
    /// Tasks that stand for no activity: they route, or run a subnet.
    hidden: HashSet<String>,
}

impl Known {
    fn of(net: &Net) -> Self {
        let hidden = |index: &usize| matches!(net.tasks[*index].work, Work::Routing | Work::Composite { .. });
        let hidden = (0..net.tasks.len()).filter(hidden).map(|index| net.task_label(TaskIx::of(index)));
        Known { name: net.name.clone(), hidden: hidden.collect() }
    }
}

#[derive(Default)]
struct Case {
    net: Option<Rc<Known>>,
    activities: Vec<String>,
    /// Items that only hold instances together.
    families: HashSet<u64>,
}

/// What was read so far.
struct Reader<'g> {
    given: &'g Given,
    nets: HashMap<String, Rc<Known>>,
    open: BTreeMap<u64, Case>,
}

/// Gives cases as they end, then those that have not, by number.
pub(super) fn traces(
    path: &Path,
    mut bytes: impl BufRead,
    given: &Given,
    give: &mut dyn FnMut(Trace) -> Outcome<()>,
) -> Outcome<()> {
    let mut reader = Reader { given, nets: HashMap::new(), open: BTreeMap::new() };
    let (mut buffer, mut lines) = (Vec::new(), 0_u64);
    loop {
        buffer.clear();
        let count = bytes.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut buffer);
        if count.map_err(|error| Failure::file(path, "read", &error))? == 0 {
            break;
        }
        lines += 1;
        if buffer.trim_ascii().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_slice(&buffer).map_err(|error| {
            let cut = if buffer.last() == Some(&b'\n') { "" } else { "; the file is cut short there" };
            let sentence = format!(
                "{}: line {lines}: not an event of `actum export --format jsonl`: {error}{cut}",
                path.display()
            );
            Failure::new(Exit::Corrupt, sentence)
        })?;
        if let Some(trace) = reader.take(line) {
            give(trace)?;
        }
    }
    reader
        .open
        .into_iter()
        .try_for_each(|(case, of)| give(Trace { name: case.to_string(), activities: of.activities, unfinished: true }))
}

impl Reader<'_> {
    /// The trace, when its case ends.
    fn take(&mut self, line: Line) -> Option<Trace> {
        if let ("NetDeployed", Some(hash), Some(canonical)) = (line.kind.as_str(), &line.net_hash, &line.canonical) {
            // What cannot be read hides nothing.
            if let Ok(net) = Net::from_canonical(canonical.as_bytes()) {
                self.nets.insert(hash.clone(), Rc::new(Known::of(&net)));
            }
        }
        let number = line.case?;
        if line.kind == "CaseStarted" {
            let net = line.net_hash.and_then(|hash| self.nets.get(&hash)).cloned();
            let other = |net: &Rc<Known>| self.given.name.as_ref().is_some_and(|name| *name != net.name);
            if !net.as_ref().is_some_and(other) {
                self.open.insert(number, Case { net, ..Case::default() });
            }
            return None;
        }
        let case = self.open.get_mut(&number)?;
        match line.kind.as_str() {
            "WorkEnabled" => case.families.extend(line.family),
            "WorkCompleted" | "WorkSkipped" => {
                let is_family = line.item.is_some_and(|item| case.families.contains(&item));
                let is_hidden = |task: &String| case.net.as_ref().is_some_and(|net| net.hidden.contains(task));
                let task = line.task.filter(|task| !is_family && !is_hidden(task));
                case.activities.extend(task);
            }
            kind @ ("CaseCompleted" | "CaseCancelled" | "CaseFailed") => {
                let activities = self.open.remove(&number)?.activities;
                return Some(Trace { name: number.to_string(), activities, unfinished: kind != "CaseCompleted" });
            }
            _ => {}
        }
        None
    }
}
