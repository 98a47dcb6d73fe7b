//! Checks a draft and compiles it: one file per family of checks. All of them run, so that all findings come at once.

mod arcs;
mod assemble;
mod declared;
mod exceptions;
mod expressions;
mod graph;
mod instances;
mod names;
mod play;
mod policies;
mod reach;
mod resources;
mod starts;
mod subnets;
mod time;
mod variables;
mod work;

use crate::canonical;
use crate::diagnostic::{Code, Diagnostic};
use crate::net::{Flow, Net, Task, TaskIx, Trigger};
use crate::read::{Draft, TaskDraft, read};
use crate::source::{Findings, NET_BYTES_MAX, Span, parse};
use crate::{Checked, source};
use arcs::Arcs;
use graph::{Graph, TaskNode};
use names::{Shared, Tables};
use reach::Paths;

/// Stack of the thread that compiles: the expression parser recurses, and is bounded by the length of an expression.
pub(crate) const STACK_BYTES: usize = 16 << 20;

/// Most tasks, and most conditions: what ordinals in events and later analyses are made for.
pub const NODES_MAX: usize = 10_000;

/// Most subnets of one net.
pub const SUBNETS_MAX: usize = 256;

/// Deepest chain of different subnets that run each other. Recursion is not counted here: it ends by data.
pub const NESTING_MAX: usize = 32;

/// Most tokens that a flow gives, or a task takes, at once.
pub const TOKENS_MAX: u32 = 1_000;

pub(crate) fn compile(source: &str) -> Result<Checked, Vec<Diagnostic>> {
    on_large_stack(|| compile_here(source)).unwrap_or_else(|why| Err(gave_up(&why)))
}

/// Runs what recurses as deep as an expression may be, wherever the caller's stack ends. Or says why that failed.
pub(crate) fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("actum-net".to_owned()).stack_size(STACK_BYTES);
        match thread.spawn_scoped(scope, work) {
            Ok(thread) => thread.join().map_err(|_| "a defect in the checker; please report this net".to_owned()),
            Err(error) => Err(format!("no thread to check it on: {error}")),
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
    if !subnets::few(&draft, findings) || !small(&draft, findings) {
        return None;
    }
    declared::check(&mut draft, findings);
    let shared = Shared::of(&draft);
    let tables = Tables::all(&draft, &shared);
    let variables = variables::check(&draft.subnets, findings);
    let graph = graph::build(&draft, &tables, findings);
    let arcs = arcs::check(&draft.subnets, &tables, &graph, findings);
    let paths = Paths::of(&draft, &graph, &arcs);
    reach::check(&draft, &paths, findings);
    let tasks = tasks(&draft, &tables, &graph, &arcs, findings);
    exceptions::compensations(&draft, &tables, &graph, findings);
    subnets::check(&draft, &paths, &tasks, findings);
    let exceptions = exceptions::of_net(&draft, &tables[0], findings);
    let policies = policies::of_net(&draft, findings);
    exceptions::savepoints(&draft, findings);
    let starts = starts::check(&draft, &tables[0], findings);
    let play = play::check(&draft, &tables[0], findings);
    declared::check_used(&draft, findings);
    if findings.has_errors() {
        return None;
    }
    let canonical = canonical::write(&draft).into_bytes();
    if canonical.len() > NET_BYTES_MAX {
        let message = format!("the net's canonical form has more than {} bytes", source::NET_BYTES_MAX);
        findings.error(Code::TooLarge, draft.subnets[0].name.span, message, None);
        return None;
    }
    let tasks: Vec<Task> = tasks.into_iter().collect::<Option<_>>()?;
    Some(assemble::net(
        &draft,
        variables,
        graph,
        tasks,
        assemble::Whole { exceptions, policies, starts, play },
        canonical,
    ))
}

fn small(draft: &Draft, findings: &mut Findings<'_>) -> bool {
    let tasks: usize = draft.subnets.iter().map(|subnet| subnet.tasks.len()).sum();
    let conditions: usize = draft.subnets.iter().map(|subnet| subnet.conditions.len() + subnet.mutexes.len()).sum();
    let small = tasks <= NODES_MAX && conditions <= NODES_MAX;
    if !small {
        let message = format!("a net has at most {NODES_MAX} tasks and {NODES_MAX} conditions");
        findings.error(Code::TooLarge, draft.subnets[0].name.span, message, None);
    }
    small
}

/// Compiles every task, in the order of the ordinals; `None` after a finding.
fn tasks(
    draft: &Draft,
    tables: &[Tables<'_>],
    graph: &Graph,
    arcs: &[Arcs],
    findings: &mut Findings<'_>,
) -> Vec<Option<Task>> {
    let drafts = draft
        .subnets
        .iter()
        .zip(tables)
        .flat_map(|(subnet, tables)| subnet.tasks.iter().map(move |task| (task, tables)));
    let parts = drafts.zip(&graph.tasks).zip(arcs).enumerate();
    parts
        .map(|(at, (((one, tables), node), arcs))| {
            let policies = policies::of_task(one, node, &draft.policies, tables, findings);
            let task = task(TaskIx::of(at), one, tables, node, arcs, findings)?;
            Some(Task { policies: policies?, ..task })
        })
        .collect()
}

fn task(
    at: TaskIx,
    draft: &TaskDraft,
    tables: &Tables<'_>,
    node: &TaskNode,
    arcs: &Arcs,
    findings: &mut Findings<'_>,
) -> Option<Task> {
    let work = work::check(at, draft, tables, findings);
    let instances = draft.instances.as_ref().map(|draft| instances::check(draft, tables, findings));
    let output = expressions::output(draft, tables, findings);
    let mut guards = expressions::guards(draft, tables, findings);
    let exceptions = exceptions::of_task(draft, tables, findings);
    let compensation = exceptions::compensation(draft, tables, findings);
    let outputs = node.outputs.iter().map(|output| Flow {
        to: output.to,
        tokens: output.tokens,
        guard: guards.get_mut(output.flow).and_then(Option::take),
        default: output.default,
    });
    let instances = match instances {
        Some(instances) => Some(instances?),
        None => None,
    };
    Some(Task {
        name: draft.name.text.clone(),
        subnet: tables.subnet,
        title: draft.title.clone(),
        description: draft.description.clone(),
        join: node.join,
        split: node.split,
        inputs: node.inputs.clone(),
        takes: arcs.takes.clone(),
        reads: arcs.reads.clone(),
        holds: arcs.holds.clone(),
        releases: arcs.releases.clone(),
        outputs: outputs.collect(),
        cancels: arcs.cancels.clone(),
        instances,
        trigger: draft
            .trigger
            .as_ref()
            .map(|trigger| Trigger { signal: trigger.signal.text.clone(), persistent: trigger.persistent }),
        compensates: draft.compensates.is_some(),
        compensation,
        savepoint: draft.savepoint.as_ref().map(|savepoint| savepoint.text.clone()),
        exceptions,
        policies: None,
        work: work?,
        output,
    })
}
