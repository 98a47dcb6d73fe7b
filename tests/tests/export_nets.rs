//! Nets as Petri nets allow what the kernel allows: over the nets of all control-flow patterns.

use std::path::Path;

use actum_import::pnml;
use actum_kernel::explore::{Exploration, Outcome, View, explore};
use actum_net::{Net, Scenario};
use actum_replay::conform::{Checker, Conformance, Deviation};
use actum_replay::petri::{of_net, of_space, write_pnml};
use actum_tests::{Random, seed};

/// Traces of a net that are checked.
const TRACES_MAX: usize = 300;
const STATES_MAX: usize = 20_000;
const MARKINGS_MAX: usize = 100_000;

fn nets() -> Vec<(String, Net)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("patterns");
    let mut nets: Vec<(String, Net)> = std::fs::read_dir(folder)
        .expect("the patterns are there")
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let text = std::fs::read_to_string(path.join("net.yaml")).ok()?;
            let name = path.file_name()?.to_string_lossy().into_owned();
            Some((name, actum_net::compile(&text).expect("the net may run").net))
        })
        .collect();
    nets.sort_by(|(one, _), (other, _)| one.cmp(other));
    nets
}

/// The traces by which a case can complete: completions of tasks.
fn traces(net: &Net, lifecycle: bool) -> Option<(actum_kernel::explore::Space, Vec<Vec<String>>)> {
    let scenario = Scenario::default();
    let view = View { lifecycle, cancel: false };
    let space = explore(&Exploration { net, scenario: &scenario, view, states_max: STATES_MAX }).ok()?;
    let label = |word: &String| {
        let task = net.tasks.iter().position(|task| task.name == *word).map(actum_net::TaskIx::of);
        task.or_else(|| net.task_labelled(word)).map(|task| net.task_label(task))
    };
    let done = |word: &String| if lifecycle { label(&word.strip_suffix('-')?.to_owned()) } else { label(word) };
    let list = space.traces(TRACES_MAX).list.into_iter().filter(|trace| trace.outcome == Outcome::Done);
    let list = list.map(|trace| trace.words.iter().filter_map(done).collect()).collect();
    Some((space, list))
}

#[test]
fn what_the_kernel_allows_is_a_run_of_the_petri_net() {
    let (mut plain, mut by_states) = (0, 0);
    for (name, net) in nets() {
        let Some((space, traces)) = traces(&net, true) else { continue };
        let graph = of_space(&net, &space);
        for (form, petri) in [("tasks", of_net(&net).ok()), ("states", graph.ok())] {
            let Some(petri) = petri else { continue };
            *(if form == "tasks" { &mut plain } else { &mut by_states }) += 1;
            let mut checker = Checker::new(&petri, MARKINGS_MAX);
            for trace in &traces {
                let fit = checker.check(trace);
                assert_eq!(fit.conformance, Conformance::Fits, "{name}, as {form}: {trace:?}");
            }
            // PNML loses nothing that matters to a reader.
            let read = pnml(write_pnml(&petri).as_bytes()).unwrap_or_else(|found| panic!("{name}: {found:?}"));
            assert_eq!(read.places.len(), petri.places.len());
            assert_eq!(read.transitions.len(), petri.transitions.len());
            assert!(read.last.is_some());
        }
    }
    assert!(plain >= 15 && by_states >= 30, "{plain} nets as tasks, {by_states} as states");
}

#[test]
fn the_two_forms_of_a_net_agree_on_other_traces() {
    let mut random = Random::new(seed());
    let (mut compared, mut refused) = (0, 0);
    for (name, net) in nets() {
        let (Some((space, traces)), Ok(tasks)) = (traces(&net, true), of_net(&net)) else { continue };
        let Ok(states) = of_space(&net, &space) else { continue };
        let (mut by_tasks, mut by_states) = (Checker::new(&tasks, MARKINGS_MAX), Checker::new(&states, MARKINGS_MAX));
        let labels: Vec<String> =
            (0..net.tasks.len()).map(|index| net.task_label(actum_net::TaskIx::of(index))).collect();
        for trace in traces.iter().take(40) {
            let mut changed = trace.clone();
            let at = random.below(changed.len() + 1);
            match random.below(3) {
                0 if at < changed.len() => drop(changed.remove(at)),
                1 if at + 1 < changed.len() => changed.swap(at, at + 1),
                _ => changed.insert(at, labels[random.below(labels.len())].clone()),
            }
            let (one, other) = (by_tasks.check(&changed), by_states.check(&changed));
            let context = format!("{name}, seed {}: {changed:?}", seed());
            // What the kernel allows, the tasks' net allows; it may allow more where a case ends with tokens left over.
            if other.conformance == Conformance::Fits {
                assert_eq!(one.conformance, Conformance::Fits, "{context}");
            } else {
                refused += 1;
            }
            // How many instances there are is data, which the tasks' net does not have.
            let counted = net.tasks.iter().any(|task| task.instances.is_some());
            if let (false, Conformance::Deviates(one), Conformance::Deviates(other)) =
                (counted, &one.conformance, &other.conformance)
            {
                let at = |deviation: &Deviation| (deviation.event, deviation.possible.clone());
                assert_eq!(at(one), at(other), "{context}");
            }
            compared += 1;
        }
    }
    assert!(compared > 50 && refused > 20, "{compared} compared, {refused} refused");
}
