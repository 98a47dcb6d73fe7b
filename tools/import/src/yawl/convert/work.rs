//! What a task does: run a net, call a service, wait, or have a person do it.

use std::collections::BTreeMap;

use super::super::cel::Scope;
use super::super::spec::{Body, Decomposition, Service, Task, Timer, TimerEnd};
use super::data::{Declarations, Need, Variable};
use super::graph::Graph;
use super::mapping::{fitted, inputs, output_scope, template, value};
use super::{Context, instances, resources};
use crate::finding::{Code, Findings};
use crate::yaml::{Map, Node};

/// Longest name of a handler that the net language has, in bytes.
const HANDLER_BYTES_MAX: usize = 128;

/// Adds work, instances, data and exceptions of a task in the net of index `net`.
pub(super) fn work(
    task: &Task,
    net: usize,
    scope: &Scope,
    graph: &Graph<'_>,
    context: &mut Context<'_, '_>,
    map: &mut Map,
    findings: &mut Findings<'_>,
) {
    let Some(reference) = &task.decomposes_to else {
        routing(task, findings);
        return;
    };
    // An unknown one is reported already.
    let Some(index) = context.by_id.get(reference.id.as_str()).copied() else { return };
    let decomposition = context.decomposition(index);
    let Context { declared, roles, nets, .. } = context;
    let (Some(variables), Some(parameters)) = (declared.get(&net), declared.get(&index)) else { return };
    let mappings = task.enablement.iter().chain(&task.starting);
    let mut given = inputs(mappings, scope, parameters, decomposition, findings);
    let mut body = Map::default();
    if let Some(read) = &task.instances {
        instances::instances(read, scope, (decomposition, parameters), &mut given, &mut body, findings);
    }
    let given = Node::map(given.into_iter().collect());
    let timed = match &decomposition.body {
        Body::Net(_) => {
            map.put_text("net", nets.get(&index).map(String::as_str));
            map.put_filled("params", given);
            not_on_nets(task, findings);
            None
        }
        Body::Service(service) => match kind(task, service, findings) {
            Kind::Handler(name) => {
                map.put("handler", Node::text(name).at(decomposition.span));
                map.put_filled("params", given);
                no_people(task, findings);
                None
            }
            Kind::Wait(wait) => {
                map.put("wait", wait);
                no_people(task, findings);
                None
            }
            Kind::Person => {
                resources::resources(task.resourcing.as_ref(), graph, roles, map, findings);
                map.put_filled("input", given);
                map.put_filled("form", form(parameters));
                task.timer.as_ref().and_then(|timer| timeout(timer, findings))
            }
        },
    };
    let output = outputs(task, variables, (decomposition, parameters), timed.is_some(), findings);
    map.append(body);
    map.put_filled("output", Node::map(output.into_iter().collect()));
    if let Some(timeout) = timed {
        map.put("exceptions", timeout);
    }
}

fn routing(task: &Task, findings: &mut Findings<'_>) {
    let node = &task.node;
    let mut refuse = |what: &str| {
        let message = format!("`{}` has {what}, but nothing to do (no `decomposesTo`)", node.id);
        findings.error(Code::NotSupported, node.span, message, None);
    };
    if task.instances.is_some() {
        refuse("multiple instances");
    }
    if !(task.starting.is_empty() && task.completed.is_empty() && task.enablement.is_empty()) {
        refuse("mappings");
    }
    if task.timer.is_some() {
        refuse("a timer");
    }
    if let Some(read) = task.resourcing.as_ref().filter(|read| read.chooses()) {
        let message = format!("nobody does `{}`, so who may do it has no effect", node.id);
        findings.warning(Code::NoEffect, read.span, message, None);
    }
}

fn not_on_nets(task: &Task, findings: &mut Findings<'_>) {
    if let Some(timer) = &task.timer {
        let message = format!("`{}` runs a net; timers of such tasks are not understood", task.node.id);
        findings.error(Code::NotSupported, timer.span, message, None);
    }
    no_people(task, findings);
}

/// Says that who may do it does not matter, where no person does it.
fn no_people(task: &Task, findings: &mut Findings<'_>) {
    if let Some(read) = task.resourcing.as_ref().filter(|read| read.chooses() || !read.may.is_empty()) {
        let message = format!("no person does `{}`, so who may do it has no effect", task.node.id);
        findings.warning(Code::NoEffect, read.span, message, None);
    }
}

enum Kind {
    Handler(String),
    Wait(Node),
    Person,
}

fn kind(task: &Task, service: &Service<'_>, findings: &mut Findings<'_>) -> Kind {
    let handler = match (&service.address, &service.codelet) {
        (Some(address), _) => Some(handler_name("", address.text.as_str())),
        (None, Some(codelet)) => Some(handler_name("codelet/", &codelet.text)),
        (None, None) => None,
    };
    if !service.automated && service.address.is_none() && service.codelet.is_none() {
        return Kind::Person;
    }
    match (&task.timer, handler) {
        (None, Some(handler)) => Kind::Handler(handler),
        // The engine's own: its result is what it was given.
        (None, None) => Kind::Handler("expr".to_owned()),
        (Some(timer), None) if task.completed.is_empty() => {
            let wait = match &timer.end {
                TimerEnd::After(duration) => ("for".to_owned(), Node::text(duration)),
                TimerEnd::At(millis) => ("until".to_owned(), Node::text(rfc3339(*millis, timer, findings))),
            };
            Kind::Wait(Node::map(vec![wait]).at(timer.span))
        }
        (Some(timer), handler) => {
            let message = format!("`{}` waits for a timer and has data to pass on", task.node.id);
            let hint = "put a task that only waits before it";
            findings.error(Code::NotSupported, timer.span, message, Some(hint));
            Kind::Handler(handler.unwrap_or_default())
        }
    }
}

/// An address or a class, as handlers may be called.
fn handler_name(prefix: &str, name: &str) -> String {
    let good = |c: char| if c.is_ascii_alphanumeric() || "-_./:".contains(c) { c } else { '_' };
    prefix.chars().chain(name.chars().map(good)).take(HANDLER_BYTES_MAX).collect()
}

fn timeout(timer: &Timer, findings: &mut Findings<'_>) -> Option<Node> {
    let TimerEnd::After(duration) = &timer.end else {
        let message = "`expiry`: a person's work that ends at a fixed time";
        findings.error(Code::NotSupported, timer.span, message, Some("use a `duration`"));
        return None;
    };
    let mut map = Map::default();
    map.put("after", Node::text(duration));
    map.put("from", Node::text(if timer.on_enabled { "enabled" } else { "started" }));
    // As in YAWL: the work counts as done, with the data that there is.
    map.put("do", Node::text("complete"));
    Some(Node::map(vec![("timeout".to_owned(), map.done())]).at(timer.span))
}

/// What a person gives back.
fn form(parameters: &Declarations) -> Node {
    let field = |variable: &Variable| {
        let mut map = Map::default();
        map.put("type", Node::text(variable.shape.word()));
        if variable.output == Some(Need::Mandatory) {
            map.put("required", Node::bare(true));
        }
        map.put_text("title", (variable.ident != variable.name).then_some(&variable.name));
        (variable.ident.clone(), map.done().at(variable.span))
    };
    Node::map(parameters.variables.iter().filter(|variable| variable.output.is_some()).map(field).collect()).tall()
}

fn outputs(
    task: &Task,
    variables: &Declarations,
    of: (&Decomposition<'_>, &Declarations),
    timed: bool,
    findings: &mut Findings<'_>,
) -> BTreeMap<String, Node> {
    let mut outputs = BTreeMap::new();
    let (decomposition, parameters) = of;
    if let Some(read) = &task.instances {
        if let Some(mapping) = task.completed.first() {
            let message = "completed mappings of multiple instances: `miDataOutput` says what becomes of their data";
            findings.error(Code::NotSupported, mapping.query.span, message, None);
        }
        outputs.extend(instances::output(read, variables, of, findings));
        return outputs;
    }
    if task.completed.is_empty() {
        return outputs;
    }
    let scope = output_scope("result", decomposition, parameters, variables.idents());
    for mapping in &task.completed {
        let Some(to) = variables.get(&mapping.to.text) else {
            let message = format!("the net has no variable `{}`", mapping.to.text);
            findings.error(Code::UnknownVariable, mapping.to.span, message, None);
            continue;
        };
        let Some(term) = value(&mapping.query, &scope, findings) else { continue };
        let Some(cel) = fitted(&mapping.query, &term, to, findings) else { continue };
        // Work that a timer ended has no result: what was known stays.
        let simple = !cel.contains(' ');
        let cel = match (timed, simple) {
            (true, true) => format!("result == null ? {} : {cel}", to.ident),
            (true, false) => format!("result == null ? {} : ({cel})", to.ident),
            (false, _) => cel,
        };
        if outputs.insert(to.ident.clone(), template(&cel, mapping.query.span)).is_some() {
            let message = format!("two mappings give `{}`", mapping.to.text);
            findings.error(Code::DuplicateId, mapping.to.span, message, None);
        }
    }
    outputs
}

/// Milliseconds since 1970 as RFC 3339.
fn rfc3339(millis: i64, timer: &Timer, findings: &mut Findings<'_>) -> String {
    /// The end of the year 9999.
    const MILLIS_MAX: i64 = 253_402_300_799_999;
    if !(0..=MILLIS_MAX).contains(&millis) {
        findings.error(Code::BadValue, timer.span, format!("{millis} ms is not a time after 1970"), None);
        return String::new();
    }
    let (days, rest) = (millis / 86_400_000, millis % 86_400_000);
    // Days to a date in the Gregorian calendar: Howard Hinnant, "chrono-compatible low-level date algorithms".
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second, part) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60, rest % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{part:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Span;

    #[test]
    fn milliseconds_become_dates() {
        let timer = Timer { span: Span(0, 0), on_enabled: true, end: TimerEnd::At(0) };
        let mut findings = Findings::new("");
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_210_096_789, "2024-02-29T12:34:56.789Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(rfc3339(millis, &timer, &mut findings), text);
        }
        assert!(!findings.has_errors());
        rfc3339(-1, &timer, &mut findings);
        assert!(findings.has_errors());
    }

    #[test]
    fn addresses_are_names_of_handlers() {
        assert_eq!(
            handler_name("", "http://localhost:8080/workletService/ib"),
            "http://localhost:8080/workletService/ib"
        );
        assert_eq!(handler_name("codelet/", "a b?c"), "codelet/a_b_c");
        assert_eq!(handler_name("", &"a".repeat(500)).len(), 128);
        let _ = template("x", Span(0, 0));
    }
}
