//! The examples are good nets, and every case of theirs ends.

mod support;

use std::collections::BTreeMap;

use actum_model::Value;
use actum_net::{Join, Net, Scope, Split, Task, TaskIx, VariableIx, Work};
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
    for (name, inputs) in EXAMPLES.iter().zip(["orders", "loans", "incidents"]) {
        let net = actum_net::compile(&example(name)).unwrap().net;
        let mut ends = BTreeMap::<Vec<String>, usize>::new();
        for (at, line) in example_lines(inputs).into_iter().enumerate() {
            for seed in 0..10 {
                let mut case = Case::start(&net, &line);
                case.run(at as u64 * 1_000 + seed);
                *ends.entry(case.history).or_default() += 1;
            }
        }
        assert!(ends.len() >= 5, "{name}: the inputs should exercise the net, but gave {} histories", ends.len());
        for task in &net.tasks {
            let done = ends.keys().any(|history| history.contains(&task.name));
            assert!(done, "{name}: no input leads to `{}`", task.name);
        }
    }
}

/// A token game, just good enough for the examples.
struct Case<'n> {
    net: &'n Net,
    tokens: Vec<u32>,
    variables: Vec<Option<Value>>,
    result: Option<Value>,
    history: Vec<String>,
}

impl Scope for Case<'_> {
    fn variable(&self, variable: VariableIx) -> Option<&Value> {
        self.variables[variable.index()].as_ref()
    }

    fn result(&self) -> Option<&Value> {
        self.result.as_ref()
    }
}

impl<'n> Case<'n> {
    fn start(net: &'n Net, inputs: &BTreeMap<String, Value>) -> Self {
        let mut variables: Vec<Option<Value>> = net.variables.iter().map(|variable| variable.default.clone()).collect();
        for (name, value) in inputs.iter().filter(|(name, _)| *name != "key") {
            let at = net.variable(name).unwrap_or_else(|| panic!("{name} is not a variable"));
            let variable = &net.variables[at.index()];
            assert!(variable.input, "{name} is not an input");
            variables[at.index()] = Some(variable.kind.admit(value.clone()).unwrap());
        }
        for (variable, value) in net.variables.iter().zip(&variables) {
            assert!(!variable.required || value.is_some(), "{} is missing", variable.name);
        }
        let mut tokens = vec![0; net.conditions.len()];
        tokens[net.start.index()] = 1;
        Self { net, tokens, variables, result: None, history: Vec::new() }
    }

    fn run(&mut self, seed: u64) {
        for step in 0..1_000u64 {
            if self.tokens[self.net.end.index()] > 0 {
                assert_eq!(self.tokens.iter().sum::<u32>(), 1, "tokens are left behind: {:?}", self.history);
                return;
            }
            // OR joins wait until nothing else can happen: enough where nothing happens beside them.
            let task = self.enabled(false).or_else(|| self.enabled(true)).expect("deadlock");
            self.fire(task, seed.wrapping_mul(1_009).wrapping_add(step));
        }
        panic!("the case does not end: {:?}", self.history);
    }

    fn enabled(&self, or_joins: bool) -> Option<&'n Task> {
        let marked = |task: &Task| task.inputs.iter().filter(|input| self.tokens[input.index()] > 0).count();
        self.net.tasks.iter().find(|task| match task.join {
            Join::And => marked(task) == task.inputs.len(),
            Join::Or => or_joins && marked(task) > 0,
            _ => marked(task) > 0,
        })
    }

    fn fire(&mut self, task: &Task, chance: u64) {
        self.history.push(task.name.clone());
        let marked: Vec<_> = task.inputs.iter().filter(|input| self.tokens[input.index()] > 0).collect();
        let taken = if task.join == Join::Xor { 1 } else { marked.len() };
        for input in &marked[..taken] {
            self.tokens[input.index()] -= 1;
        }
        self.result = match &task.work {
            Work::Automatic { handler, params } => {
                let params = params.render(self).unwrap();
                Some(if handler == "expr" { params } else { Value::Map(BTreeMap::new()) })
            }
            Work::Manual { input, .. } => {
                input.render(self).unwrap();
                Some(self.played(self.net.task(&task.name).unwrap(), chance))
            }
            _ => None,
        };
        let changes: Vec<(VariableIx, Value)> = task
            .output
            .iter()
            .map(|(variable, template)| {
                let value = template.render(self).unwrap();
                (*variable, self.net.variables[variable.index()].kind.admit(value).unwrap())
            })
            .collect();
        self.result = None;
        for (variable, value) in changes {
            self.variables[variable.index()] = Some(value);
        }
        for to in self.chosen(task) {
            self.tokens[to] += 1;
        }
    }

    fn played(&self, task: TaskIx, chance: u64) -> Value {
        let play = self.net.play.tasks.iter().find(|play| play.task == task).expect("no play");
        let total: u64 = play.results.iter().map(|result| u64::from(result.weight)).sum();
        // splitmix64
        let mut mixed = chance.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let mut at = (mixed ^ (mixed >> 31)) % total;
        for result in &play.results {
            if at < u64::from(result.weight) {
                return result.result.clone();
            }
            at -= u64::from(result.weight);
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
