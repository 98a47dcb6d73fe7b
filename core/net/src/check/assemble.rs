//! Puts the parts of a net without findings together.

use super::graph::Graph;
use crate::canonical::HASH_CONTEXT;
use crate::exception::ExceptionRule;
use crate::net::{Net, NetHash, Role, Subnet, Task, TaskIx, Variable};
use crate::play::Play;
use crate::policy::NetPolicies;
use crate::read::Draft;
use crate::start::Start;

/// What the net says as a whole.
pub(super) struct Whole {
    pub(super) exceptions: Vec<ExceptionRule>,
    pub(super) policies: NetPolicies,
    pub(super) starts: Vec<Start>,
    pub(super) play: Play,
}

pub(super) fn net(
    draft: &Draft,
    variables: Vec<Variable>,
    graph: Graph,
    tasks: Vec<Task>,
    whole: Whole,
    canonical: Vec<u8>,
) -> Net {
    let Whole { exceptions, policies, starts, play } = whole;
    let root = &draft.subnets[0];
    let subnets = subnets(draft, &graph, exceptions);
    let mut conditions = graph.conditions;
    // Whoever holds a mutex takes its token, and whoever releases it gives one; tasks come in ascending order.
    for (at, task) in tasks.iter().enumerate() {
        for mutex in &task.holds {
            conditions[mutex.index()].consumers.push(TaskIx::of(at));
        }
        for mutex in &task.releases {
            conditions[mutex.index()].producers.push(TaskIx::of(at));
        }
        for condition in &task.reads {
            conditions[condition.index()].readers.push(TaskIx::of(at));
        }
    }
    let roles = draft.roles.iter();
    Net {
        hash: NetHash(blake3::derive_key(HASH_CONTEXT, &canonical)),
        name: root.name.text.clone(),
        version: draft.version.clone(),
        title: root.title.clone(),
        description: root.description.clone(),
        variables,
        roles: roles.map(|role| Role { name: role.name.text.clone(), title: role.title.clone() }).collect(),
        conditions,
        tasks,
        start: subnets[0].start,
        end: subnets[0].end,
        subnets,
        policies,
        starts,
        play,
        canonical,
    }
}

fn subnets(draft: &Draft, graph: &Graph, exceptions: Vec<ExceptionRule>) -> Vec<Subnet> {
    let mut exceptions = Some(exceptions);
    let mut first_variable = 0;
    let mut subnets = Vec::with_capacity(draft.subnets.len());
    for (subnet, own) in draft.subnets.iter().zip(&graph.subnets) {
        let variables = first_variable..first_variable + subnet.variables.len() as u32;
        first_variable = variables.end;
        subnets.push(Subnet {
            name: subnet.name.text.clone(),
            title: subnet.title.clone(),
            description: subnet.description.clone(),
            start: own.start,
            end: own.end,
            implicit_termination: subnet.implicit,
            mutexes: own.mutexes.clone(),
            variables,
            conditions: own.conditions.start as u32..own.conditions.end as u32,
            tasks: own.tasks.start as u32..own.tasks.end as u32,
            exceptions: exceptions.take().unwrap_or_default(),
        });
    }
    subnets
}
