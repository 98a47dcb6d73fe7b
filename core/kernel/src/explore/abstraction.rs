//! The net that is explored: the same net without the data that decides nothing, or that nobody knows.
//!
//! A variable is *known* if every value it can get follows from the net and the scenario; it *matters* if a known guard, a
//! known number of instances, or the value of another variable that matters depends on it. Only what is both stays: states
//! that differ in nothing else are one. Guards over unknown data are free; so are numbers of instances.

use std::collections::BTreeSet;

use actum_model::{RoleIx, SubnetIx, TaskIx, Value, VariableIx};
use actum_net::{InstanceCount, Net, Reads, Resourcing, Role, Scenario, Split, Task, Template, Wait, Work};

/// The only role there is in an explored net. Everybody who works has it.
pub(super) const ROLE: &str = "anybody";

/// How long an explored net waits: time does not pass, timers just fire.
const WAIT: &str = "PT1H";

/// What an abstraction leaves open.
#[derive(Debug, Default)]
pub(super) struct Free {
    /// By task and flow: nobody knows whether the guard holds.
    pub(super) guards: Vec<Vec<bool>>,
    /// By task: nobody knows how many instances there are.
    pub(super) counts: Vec<bool>,
    /// By task: nobody knows when the task goes on.
    pub(super) untils: Vec<bool>,
    /// Inputs that matter.
    pub(super) inputs: Vec<VariableIx>,
}

/// The explored net, and what is open in it.
pub(super) fn abstracted(net: &Net, scenario: &Scenario) -> (Net, Free) {
    let known = known(net, scenario);
    let mut free = Free::default();
    for (index, task) in net.tasks.iter().enumerate() {
        let directed = is_directed(scenario, TaskIx::of(index));
        // A flow of a choice that has no guard and is no default is taken when the work fails.
        let unknown = |flow: &actum_net::Flow| match &flow.guard {
            Some(guard) => !known.all(&guard.reads()),
            None => task.split != Split::And && !flow.default,
        };
        free.guards.push(task.outputs.iter().map(|flow| directed || unknown(flow)).collect());
        let given = scenario.instances.iter().any(|(of, _)| of.index() == index);
        let instances = task.instances.as_ref();
        free.counts.push(instances.is_some_and(|instances| given || !known.all(&count_of(&instances.count).reads())));
        let until = instances.and_then(|instances| instances.until.as_ref());
        free.untils.push(until.is_some_and(|until| {
            let reads = until.reads();
            !known.all(&reads) || reads.given.contains(&actum_net::Given::Results) && !known.results[index]
        }));
    }
    let matters = matters(net, &known, &free);
    free.inputs = (0..net.variables.len())
        .map(VariableIx::of)
        .filter(|variable| net.variables[variable.index()].input && matters.contains(variable))
        .collect();
    (without(net, scenario, &known, &matters), free)
}

pub(super) fn is_directed(scenario: &Scenario, task: TaskIx) -> bool {
    scenario.choices.iter().any(|(of, _)| *of == task) || scenario.bounds.iter().any(|bound| bound.task == task)
}

fn count_of(count: &InstanceCount) -> &Template {
    match count {
        InstanceCount::Count(template) | InstanceCount::Each(template) => template,
    }
}

/// What is known: by variable, and by task its result.
struct Known {
    variables: Vec<bool>,
    results: Vec<bool>,
}

impl Known {
    fn all(&self, reads: &Reads) -> bool {
        reads.variables.iter().all(|variable| self.variables[variable.index()])
    }
}

fn known(net: &Net, scenario: &Scenario) -> Known {
    let begins = |variable: &actum_net::Variable| match variable.subnet {
        SubnetIx::ROOT => !variable.input || scenario.input.is_some(),
        _ => true,
    };
    let mut known = Known {
        variables: net.variables.iter().map(begins).collect(),
        results: (0..net.tasks.len()).map(|task| has_result(net, scenario, task)).collect(),
    };
    // Knowledge only shrinks, so this ends.
    loop {
        let mut shrunk = false;
        for (index, task) in net.tasks.iter().enumerate() {
            shrunk |= shrink(net, &mut known, index, task);
        }
        if !shrunk {
            return known;
        }
    }
}

fn has_result(net: &Net, scenario: &Scenario, task: usize) -> bool {
    match net.tasks[task].work {
        Work::Manual { .. } | Work::Automatic { .. } | Work::Receive { .. } => {
            scenario.results.iter().any(|(of, _)| of.index() == task)
        }
        _ => true,
    }
}

/// One task's effect on what is known; true if something is known no longer.
fn shrink(net: &Net, known: &mut Known, index: usize, task: &Task) -> bool {
    let mut shrunk = false;
    if let Work::Composite { subnet, params } = &task.work {
        let variables = net.subnets[subnet.index()].variables.clone();
        if !known.all(&params.reads()) {
            for variable in variables.clone() {
                let input = net.variables[variable as usize].input;
                shrunk |= input && std::mem::replace(&mut known.variables[variable as usize], false);
            }
        }
        if !variables.clone().all(|variable| known.variables[variable as usize]) {
            shrunk |= std::mem::replace(&mut known.results[index], false);
        }
    }
    for (variable, template) in &task.output {
        let reads = template.reads();
        let results = reads.result || !reads.given.is_empty();
        if !known.all(&reads) || results && !known.results[index] {
            shrunk |= std::mem::replace(&mut known.variables[variable.index()], false);
        }
    }
    shrunk
}

/// The known variables that something known depends on.
fn matters(net: &Net, known: &Known, free: &Free) -> BTreeSet<VariableIx> {
    let mut matters = BTreeSet::new();
    let mut open = Vec::new();
    for (index, task) in net.tasks.iter().enumerate() {
        for (flow, is_free) in task.outputs.iter().zip(&free.guards[index]) {
            if let (Some(guard), false) = (&flow.guard, is_free) {
                open.extend(guard.reads().variables);
            }
        }
        if let Some(instances) = &task.instances {
            if !free.counts[index] {
                open.extend(count_of(&instances.count).reads().variables);
            }
            if let (Some(until), false) = (&instances.until, free.untils[index]) {
                open.extend(until.reads().variables);
            }
        }
    }
    while let Some(variable) = open.pop() {
        if !known.variables[variable.index()] || !matters.insert(variable) {
            continue;
        }
        for task in &net.tasks {
            for (_, template) in task.output.iter().filter(|(set, _)| *set == variable) {
                let reads = template.reads();
                open.extend(reads.variables);
                if let (true, Work::Composite { subnet, .. }) = (reads.result, &task.work) {
                    open.extend(net.subnets[subnet.index()].variables.clone().map(VariableIx));
                }
            }
            if let Work::Composite { subnet, params } = &task.work
                && net.subnets[subnet.index()].variables.contains(&variable.0)
            {
                open.extend(params.reads().variables);
            }
        }
    }
    matters
}

fn without(net: &Net, scenario: &Scenario, known: &Known, matters: &BTreeSet<VariableIx>) -> Net {
    let mut net = net.clone();
    let role = RoleIx::of(net.roles.len());
    net.roles.push(Role { name: ROLE.to_owned(), title: None });
    for (index, variable) in net.variables.iter_mut().enumerate() {
        variable.required = false;
        if !matters.contains(&VariableIx::of(index)) {
            variable.default = None;
        }
    }
    net.starts.clear();
    for subnet in &mut net.subnets {
        subnet.exceptions.clear();
    }
    for (index, task) in net.tasks.iter_mut().enumerate() {
        task.exceptions.clear();
        // Nobody asks for anything to be undone.
        (task.compensation, task.savepoint) = (None, None);
        task.output.retain(|(variable, _)| matters.contains(variable));
        if let Some(instances) = &mut task.instances
            && !known.all(&count_of(&instances.count).reads())
        {
            instances.count = InstanceCount::Count(Template::from(Value::Int(i64::from(instances.min))));
        }
        let has_result = scenario.results.iter().any(|(of, _)| of.index() == index);
        match &mut task.work {
            Work::Manual { role: of, resourcing, separate_from, form, input } => {
                *of = Some(role);
                *resourcing = Resourcing::default();
                separate_from.clear();
                *input = empty();
                if !has_result {
                    form.clear();
                }
            }
            Work::Automatic { params, .. } => {
                *params = empty();
                task.policies = None;
            }
            Work::Composite { params, .. } if !known.all(&params.reads()) => *params = empty(),
            Work::Receive { .. } => task.work = Work::Wait(Wait::For(Template::from(Value::String(WAIT.to_owned())))),
            Work::Wait(wait) => *wait = Wait::For(Template::from(Value::String(WAIT.to_owned()))),
            _ => {}
        }
    }
    net
}

fn empty() -> Template {
    Template::from(Value::Map(std::collections::BTreeMap::new()))
}
