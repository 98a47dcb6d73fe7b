//! The examples are good nets, and every case of theirs ends.

mod support;

use std::collections::BTreeMap;

use actum_model::Value;
use actum_net::{
    Given, InstanceCount, InstanceRest, Instances, Join, Net, Scope, Split, SubnetIx, Task, TaskIx, VariableIx, Work,
};
use support::{EXAMPLES, example, example_lines};

#[test]
fn examples_compile_without_a_warning() {
    for name in EXAMPLES {
        let checked = actum_net::compile(&example(name)).unwrap_or_else(|found| panic!("{name}: {found:#?}"));
        assert_eq!(checked.warnings, [], "{name}");
    }
}

#[test]
fn every_case_of_the_examples_ends() {
    for (name, inputs) in EXAMPLES.iter().zip(["orders", "payments", "loans", "incidents", "claims"]) {
        let net = actum_net::compile(&example(name)).unwrap().net;
        let lines = example_lines(inputs);
        let seeds = if lines.len() < 20 { 60 } else { 10 };
        let mut ends = BTreeMap::<Vec<String>, usize>::new();
        for (at, mut line) in lines.into_iter().enumerate() {
            line.remove("key");
            for seed in 0..seeds {
                let mut chance = Chance(at as u64 * 1_000 + seed);
                let mut history = Vec::new();
                Frame::start(&net, SubnetIx::ROOT, &line).run(&mut chance, &mut history);
                *ends.entry(history).or_default() += 1;
            }
        }
        assert!(ends.len() >= 5, "{name}: the inputs should exercise the net, but gave {} histories", ends.len());
        for task in (0..net.tasks.len()).map(TaskIx::of) {
            let label = net.task_label(task);
            let done = ends.keys().any(|history| history.contains(&label));
            assert!(done, "{name}: no input leads to `{label}`");
        }
    }
}

/// What chance decides, the same for the same seed: splitmix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }
}

/// A token game, just good enough for the examples: a task is done at once, signals and timers come when chance has it.
struct Frame<'n> {
    net: &'n Net,
    subnet: SubnetIx,
    tokens: Vec<u32>,
    variables: Vec<Option<Value>>,
    result: Option<Value>,
    given: Vec<(Given, Value)>,
}

impl Scope for Frame<'_> {
    fn variable(&self, variable: VariableIx) -> Option<&Value> {
        self.variables[variable.index()].as_ref()
    }

    fn result(&self) -> Option<&Value> {
        self.result.as_ref()
    }

    fn given(&self, name: Given) -> Option<&Value> {
        self.given.iter().find(|(given, _)| *given == name).map(|(_, value)| value)
    }
}

impl<'n> Frame<'n> {
    fn start(net: &'n Net, subnet: SubnetIx, inputs: &BTreeMap<String, Value>) -> Self {
        let own = &net.subnets[subnet.index()];
        let mut variables = vec![None; net.variables.len()];
        for at in own.variables.clone() {
            let variable = &net.variables[at as usize];
            let given = inputs.get(&variable.name).filter(|value| **value != Value::Null);
            assert!(given.is_none() || variable.input, "{} is not an input", variable.name);
            let value = given.or(variable.default.as_ref());
            assert!(!variable.required || value.is_some(), "{} is missing", variable.name);
            variables[at as usize] = value.map(|value| variable.kind.admit(value.clone()).unwrap());
        }
        for name in inputs.keys() {
            assert!(net.variable_in(subnet, name).is_some(), "{name} is not a variable");
        }
        let mut tokens = vec![0; net.conditions.len()];
        tokens[own.start.index()] = 1;
        Self { net, subnet, tokens, variables, result: None, given: Vec::new() }
    }

    /// Runs to the end, and gives the variables.
    fn run(mut self, chance: &mut Chance, history: &mut Vec<String>) -> Value {
        let own = &self.net.subnets[self.subnet.index()];
        for _ in 0..1_000 {
            if self.tokens[own.end.index()] > 0 {
                assert_eq!(self.tokens.iter().sum::<u32>(), 1, "tokens are left behind: {history:?}");
                let variables = own.variables.clone().map(|at| at as usize);
                let value = |at: usize| self.variables[at].clone().unwrap_or(Value::Null);
                return Value::Map(variables.map(|at| (self.net.variables[at].name.clone(), value(at))).collect());
            }
            // OR joins wait until nothing else can happen: enough where nothing happens beside them.
            let mut enabled = self.enabled(false);
            if enabled.is_empty() {
                enabled = self.enabled(true);
            }
            assert!(!enabled.is_empty(), "deadlock: {history:?}");
            let task = enabled[chance.below(enabled.len())];
            self.fire(task, chance, history);
        }
        panic!("the case does not end: {history:?}");
    }

    fn enabled(&self, or_joins: bool) -> Vec<TaskIx> {
        let marked = |task: &Task| task.inputs.iter().filter(|input| self.tokens[input.index()] > 0).count();
        let may = |task: &Task| match task.join {
            Join::And => marked(task) == task.inputs.len(),
            Join::Or => or_joins && marked(task) > 0,
            _ => marked(task) > 0,
        };
        (0..self.net.tasks.len()).map(TaskIx::of).filter(|task| may(&self.net.tasks[task.index()])).collect()
    }

    fn fire(&mut self, at: TaskIx, chance: &mut Chance, history: &mut Vec<String>) {
        let task = &self.net.tasks[at.index()];
        history.push(self.net.task_label(at));
        let marked: Vec<_> = task.inputs.iter().filter(|input| self.tokens[input.index()] > 0).collect();
        let taken = if task.join == Join::Xor { 1 } else { marked.len() };
        for input in &marked[..taken] {
            self.tokens[input.index()] -= 1;
        }
        self.result = match &task.instances {
            Some(instances) => Some(self.instances(at, instances, chance, history)),
            None => self.work(at, chance, history),
        };
        self.given = self.result.iter().map(|results| (Given::Results, results.clone())).collect();
        let changes: Vec<(VariableIx, Value)> = task
            .output
            .iter()
            .map(|(variable, template)| {
                let value = template.render(self).unwrap();
                (*variable, self.net.variables[variable.index()].kind.admit(value).unwrap())
            })
            .collect();
        (self.result, self.given) = (None, Vec::new());
        for (variable, value) in changes {
            self.variables[variable.index()] = Some(value);
        }
        for condition in &task.cancels.conditions {
            self.tokens[condition.index()] = 0;
        }
        for to in self.chosen(task) {
            self.tokens[to] += 1;
        }
    }

    /// One instance after the other, until the task goes on.
    fn instances(
        &mut self,
        at: TaskIx,
        instances: &Instances,
        chance: &mut Chance,
        history: &mut Vec<String>,
    ) -> Value {
        let each: Vec<Value> = match &instances.count {
            InstanceCount::Each(list) => match list.render(self).unwrap() {
                Value::List(items) => items,
                other => panic!("{other:?} is not a list"),
            },
            InstanceCount::Count(count) => match count.render(self).unwrap() {
                Value::Int(count) => vec![Value::Null; usize::try_from(count).unwrap()],
                other => panic!("{other:?} is not a number"),
            },
        };
        assert!(each.len() >= instances.min as usize && each.len() <= instances.max as usize);
        let total = each.len();
        let mut results = Vec::new();
        for (index, item) in each.into_iter().enumerate() {
            self.given = vec![(Given::Each, item), (Given::Index, Value::Int(index as i64))];
            results.extend(self.work(at, chance, history));
            let active = total - results.len();
            let seen = [results.len(), active].map(|count| Value::Int(count as i64));
            let names = [Given::Completed, Given::Active].into_iter().zip(seen);
            self.given = names.chain([(Given::Results, Value::List(results.clone()))]).collect();
            let threshold = instances.threshold.is_some_and(|threshold| results.len() >= threshold as usize);
            let goes_on = threshold || instances.until.as_ref().is_some_and(|until| until.eval(self).unwrap());
            if goes_on && instances.rest == InstanceRest::Cancel {
                break;
            }
        }
        Value::List(results)
    }

    fn work(&mut self, at: TaskIx, chance: &mut Chance, history: &mut Vec<String>) -> Option<Value> {
        match &self.net.tasks[at.index()].work {
            Work::Automatic { handler, params } => {
                let params = params.render(self).unwrap();
                Some(if handler == "expr" { params } else { Value::Map(BTreeMap::new()) })
            }
            Work::Manual { input, .. } => {
                input.render(self).unwrap();
                Some(self.played(at, chance))
            }
            Work::Composite { subnet, params } => match params.render(self).unwrap() {
                Value::Map(inputs) => Some(Frame::start(self.net, *subnet, &inputs).run(chance, history)),
                other => panic!("{other:?} is not a map"),
            },
            Work::Wait(wait) => {
                wait.due(self, actum_model::Time(0), &actum_model::Directory::default()).unwrap();
                None
            }
            _ => None,
        }
    }

    fn played(&self, task: TaskIx, chance: &mut Chance) -> Value {
        let play = self.net.play.tasks.iter().find(|play| play.task == task).expect("no play");
        let mut at = chance.below(play.results.iter().map(|result| result.weight as usize).sum());
        for result in &play.results {
            if at < result.weight as usize {
                return result.result.clone();
            }
            at -= result.weight as usize;
        }
        unreachable!("weights add up")
    }

    fn chosen(&self, task: &Task) -> Vec<usize> {
        let holds = |flow: &&actum_net::Flow| flow.guard.as_ref().is_some_and(|guard| guard.eval(self).unwrap());
        let default = || task.outputs.iter().filter(|flow| flow.default);
        let flows: Vec<_> = match task.split {
            Split::And => task.outputs.iter().collect(),
            Split::Xor => task.outputs.iter().find(holds).into_iter().chain(default()).take(1).collect(),
            _ => {
                let some: Vec<_> = task.outputs.iter().filter(holds).collect();
                if some.is_empty() { default().collect() } else { some }
            }
        };
        flows.into_iter().map(|flow| flow.to.index()).collect()
    }
}
