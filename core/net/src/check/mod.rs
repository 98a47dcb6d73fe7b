//! Checks a draft and compiles it: one file per family of checks. All of them run, so that all findings come at once.

mod expressions;
mod graph;
mod names;
mod play;
mod reach;
mod variables;
mod work;

use crate::canonical;
use crate::diagnostic::{Code, Diagnostic};
use crate::net::{Net, NetHash, Role, Task};
use crate::read::{Draft, read};
use crate::source::{Findings, NET_BYTES_MAX, Span, parse};
use crate::{Checked, source};

pub(crate) use names::Tables;

/// Stack of the thread that compiles: the expression parser recurses, and is bounded by the length of an expression.
const STACK_BYTES: usize = 16 << 20;

/// Most tasks, and most conditions: what ordinals in events and later analyses are made for.
const NODES_MAX: usize = 10_000;

pub(crate) fn compile(source: &str) -> Result<Checked, Vec<Diagnostic>> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("actum-net".to_owned()).stack_size(STACK_BYTES);
        match thread.spawn_scoped(scope, || compile_here(source)) {
            Ok(thread) => {
                thread.join().unwrap_or_else(|_| Err(gave_up("a defect in the checker; please report this net")))
            }
            Err(error) => Err(gave_up(&format!("no thread to check it on: {error}"))),
        }
    })
}

fn gave_up(why: &str) -> Vec<Diagnostic> {
    let mut findings = Findings::new("");
    findings.error(Code::TooLarge, Span::default(), format!("the net could not be checked: {why}"), None);
    findings.into_sorted()
}

fn compile_here(source: &str) -> Result<Checked, Vec<Diagnostic>> {
    let mut findings = Findings::new(source);
    let net =
        parse(&mut findings).and_then(|root| read(&root, &mut findings)).and_then(|draft| check(draft, &mut findings));
    let failed = findings.has_errors();
    let found = findings.into_sorted();
    match net {
        Some(net) if !failed => Ok(Checked { net, warnings: found }),
        _ => Err(found),
    }
}

fn check(mut draft: Draft, findings: &mut Findings<'_>) -> Option<Net> {
    names::check(&mut draft, findings);
    if draft.tasks.len() > NODES_MAX || draft.conditions.len() > NODES_MAX {
        let message = format!("a net has at most {NODES_MAX} tasks and {NODES_MAX} conditions");
        findings.error(Code::TooLarge, draft.name.span, message, None);
        return None;
    }
    let tables = Tables::of(&draft);
    let variables = variables::check(&draft, findings);
    let graph = graph::build(&draft, &tables, findings);
    let works = work::check(&draft, &tables, findings);
    let outputs = expressions::outputs(&draft, &tables, findings);
    let guards = expressions::guards(&draft, &tables, findings);
    reach::check(&draft, &graph, findings);
    let play = play::check(&draft, &tables, findings);
    names::check_used(&draft, findings);
    if findings.has_errors() {
        return None;
    }
    let canonical = canonical::write(&draft).into_bytes();
    if canonical.len() > NET_BYTES_MAX {
        let message = format!("the net's canonical form has more than {} bytes", source::NET_BYTES_MAX);
        findings.error(Code::TooLarge, draft.name.span, message, None);
        return None;
    }
    let mut tasks = Vec::with_capacity(draft.tasks.len());
    let parts = draft.tasks.iter().zip(graph.tasks).zip(works).zip(outputs).zip(guards);
    for ((((draft, node), work), output), guards) in parts {
        tasks.push(Task {
            name: draft.name.text.clone(),
            title: draft.title.clone(),
            description: draft.description.clone(),
            join: node.join,
            split: node.split,
            inputs: node.inputs,
            outputs: node
                .outputs
                .into_iter()
                .zip(guards)
                .map(|((to, default), guard)| crate::net::Flow { to, guard, default })
                .collect(),
            work: work?,
            output,
        });
    }
    Some(Net {
        hash: NetHash(blake3::derive_key(canonical::HASH_CONTEXT, &canonical)),
        name: draft.name.text.clone(),
        version: draft.version.clone(),
        title: draft.title.clone(),
        description: draft.description.clone(),
        variables,
        roles: draft
            .roles
            .iter()
            .map(|role| Role { name: role.name.text.clone(), title: role.title.clone() })
            .collect(),
        conditions: graph.conditions,
        tasks,
        start: graph::START,
        end: graph::END,
        play,
        canonical,
    })
}
