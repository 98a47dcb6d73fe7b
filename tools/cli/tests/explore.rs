//! `explore` and `check`: what a net can do, and what is wrong with what it can do.

mod support;

use std::path::Path;

use serde_json::{Value as Json, json};
use support::Place;

const CHOICE: &str = "\
actum: 1
net: choice
data: { x: { type: bool, input: true } }
roles: { clerk: {} }
start: A
tasks:
  A: { role: clerk, split: xor, flow: [{ to: B, when: x }, { to: C, default: true }] }
  B: { role: clerk, flow: D }
  C: { role: clerk, split: and, flow: [D, E] }
  E: { role: clerk, flow: D }
  D: { role: clerk, join: or, flow: end }
";

const LOOP: &str = "\
actum: 1
net: rounds
data: { x: { type: bool } }
roles: { clerk: {} }
start: A
tasks:
  A: { role: clerk, join: xor, form: { x: { type: bool } }, output: { x: '{{ result.x }}' }, split: xor, flow: [{ to: A, when: x }, { to: end, default: true }] }
";

fn place() -> Place {
    let place = Place::new();
    place.write("choice.yaml", CHOICE);
    place.write("loop.yaml", LOOP);
    place
}

#[test]
fn every_trace_is_listed_with_how_it_ends() {
    let place = place();
    assert_eq!(
        place.good("explore choice.yaml"),
        "  1  done       A B D\n  2  done       A C E D\n\
         choice.yaml: net choice: 2 traces in all (2 done); 8 states, 8 steps\n"
    );
    place.write("b.yaml", "scenario: 1\ninput: { x: true }\n");
    let json = place.json("explore choice.yaml --scenario b.yaml --view lifecycle -o json");
    assert_eq!(json, json!([{ "trace": ["A+", "A-", "B+", "B-", "D+", "D-"], "outcome": "done" }]));
}

#[test]
fn what_is_left_out_is_said() {
    let place = place();
    assert_eq!(
        place.good("explore loop.yaml --max 3"),
        "  1  done       A\n  2  done       A A\n  3  done       A A A\n\
         loop.yaml: net rounds: the first 3 traces, and more (3 done); 4 states, 5 steps\n\
         more: only the 3 shortest traces are listed; --max N lists more\n"
    );
    let ran = place.run("explore loop.yaml --max 2 -o json");
    assert_eq!(serde_json::from_str::<Json>(&ran.text()).expect("JSON").as_array().map(Vec::len), Some(2));
    assert!(ran.err.contains("more: only the 2 shortest traces"), "{}", ran.err);
    place.write("bound.yaml", "scenario: 1\nbounds: { A: { A: 2 } }\n");
    let text = place.good("explore loop.yaml --scenario bound.yaml");
    assert!(text.contains("3 traces in all (3 done)"), "{text}");
    let text = place.good("explore choice.yaml --states 3");
    assert!(text.contains("incomplete: a limit was met"), "{text}");
}

#[test]
fn a_scenario_that_does_not_fit_is_refused_with_its_places() {
    let place = place();
    place.write("bad.yaml", "scenario: 1\nbounds: { A: { Z: 2 } }\nevnets: {}\n");
    let refused = place.run("explore choice.yaml --scenario bad.yaml");
    let error = refused.err;
    assert_eq!(refused.code, 1, "{error}");
    assert!(error.contains("bad.yaml:2:16: net/unknown-node: `A` has no flow to `Z`"), "{error}");
    assert!(error.contains("bad.yaml:3:1: net/unknown-key"), "{error}");
    place.bad("explore choice.yaml --scenario none.yaml", 3);
    assert_eq!(place.run("explore choice.yaml --view sideways").code, 2);
    let schema = place.json("schema scenario");
    assert_eq!(schema["title"], "Actum scenario, language version 1");
}

/// Each net in `nets/unsound` is named after what is found in it.
#[test]
fn check_finds_what_makes_a_net_unsound() {
    let place = Place::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nets/unsound");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").file_name().to_str().expect("a name").to_owned())
        .collect();
    names.sort();
    for name in &names {
        place.write(name, std::fs::read(folder.join(name)).expect("a net"));
        let text = place.good(&format!("check {name}"));
        let code = format!(": net/{}: warning: ", name.trim_end_matches(".yaml"));
        assert!(text.contains(&code), "{name}: {text}");
        assert!(place.good(&format!("check {name} --no-explore")).lines().count() <= 3, "{name}");
    }
    let explored: Vec<String> =
        actum_net::Code::EXPLORED.iter().map(|code| code.as_str().replace("net/", "") + ".yaml").collect();
    assert!(explored.iter().all(|name| names.contains(name)), "{explored:?} {names:?}");
}

#[test]
fn the_limit_of_states_is_said_and_nothing_is_guessed() {
    let place = place();
    let text = place.good("check choice.yaml --states 4");
    assert!(text.contains("net/not-explored: warning: only 4 states were looked at"), "{text}");
    assert_eq!(place.good("check choice.yaml"), "choice.yaml: net choice is fine\n");
}
