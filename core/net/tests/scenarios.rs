//! Scenario files: strict, with positions, and what a whole one says.

mod support;

use actum_model::Value;
use actum_net::{Code, Happening, Net, SCENARIO_SCHEMA, Scenario, TaskIx, compile, scenario};

const NET: &str = r#"
actum: 1
net: n
data: { n: { type: int, input: true, required: true }, ok: { type: bool } }
roles: { clerk: {} }
start: a
tasks:
  a: { role: clerk, form: { ok: { type: bool } }, output: { ok: "{{ result.ok }}" }, split: xor, flow: [{ to: b, when: ok }, { to: end, default: true }] }
  b: { role: clerk, instances: { count: "{{ n }}", max: 5, add: true }, split: or, flow: [{ to: c, when: "n > 1" }, { to: d, when: "n > 2" }, { to: end, default: true }] }
  c: { role: clerk, trigger: { signal: go }, flow: d }
  d: { role: clerk, join: or, flow: end }
"#;

fn net() -> Net {
    compile(NET).expect("the net is fine").net
}

#[test]
fn a_whole_scenario_is_read() {
    let net = net();
    let task = |name: &str| net.task(name).expect("a task");
    let text = r"
scenario: 1
description: All keys.
input: { n: 2 }
results:
  a: [[{ ok: true }, { ok: false }]]
choices:
  b: [[c, [c, d]], [end]]
bounds:
  a: { b: 1 }
instances:
  b: [[1, 2], [3]]
events:
  stop: { cancel-case: true }
  cancel: { cancel: b }
  complete: { complete: b }
  more: { add: b, count: 2 }
  oops: { fail: a }
  go: { signal: go, data: { by: me } }
";
    let read = scenario(text, &net).unwrap_or_else(|found| panic!("{found:#?}"));
    assert_eq!(read.input.as_ref().and_then(|input| input.get("n")), Some(&Value::Int(2)));
    assert_eq!(read.results[0].0, task("a"));
    assert_eq!(read.results[0].1[0].len(), 2);
    assert_eq!(read.choices, [(task("b"), vec![vec![vec![0], vec![0, 1]], vec![vec![2]]])]);
    assert_eq!((read.bounds[0].task, read.bounds[0].flow, read.bounds[0].times), (task("a"), 0, 1));
    assert_eq!(read.instances, [(task("b"), vec![vec![1, 2], vec![3]])]);
    let events: Vec<(&str, u32)> = read.events.iter().map(|event| (event.label.as_str(), event.count)).collect();
    assert_eq!(events, [("stop", 1), ("cancel", 1), ("complete", 1), ("more", 2), ("oops", 1), ("go", 1)]);
    assert_eq!(read.events[3].what, Happening::AddInstance(task("b")));
    assert!(matches!(&read.events[5].what, Happening::Signal { name, .. } if name == "go"));
    assert_eq!(scenario("scenario: 1\n", &net), Ok(Scenario::default()));
}

#[test]
fn every_mistake_is_found_where_it_is() {
    let net = net();
    for (line, code, column) in [
        ("scenaro: 1", Code::UnknownKey, 1),
        ("input: { m: 1, n: 1 }", Code::UnknownVariable, 10),
        ("input: { n: text }", Code::TypeMismatch, 13),
        ("input: {}", Code::MissingKey, 8),
        ("results: { x: [[1]] }", Code::UnknownNode, 12),
        ("results: { a: [] }", Code::BadValue, 15),
        ("results: { a: 1 }", Code::WrongType, 15),
        ("choices: { c: [[d]] }", Code::NotForThisWork, 12),
        ("choices: { a: [[c]] }", Code::UnknownNode, 17),
        ("choices: { a: [[[b, end]]] }", Code::BadValue, 17),
        ("choices: { b: [[[c, end]]] }", Code::BadValue, 17),
        ("choices: { b: [[[]]] }", Code::BadValue, 17),
        ("bounds: { a: { b: -1 } }", Code::BadValue, 19),
        ("instances: { a: [[1]] }", Code::NotForThisWork, 14),
        ("events: { Go: { cancel-case: true } }", Code::BadName, 11),
        ("events: { e: {} }", Code::MissingKey, 11),
        ("events: { e: { cancel: a, add: b } }", Code::UnknownKey, 27),
        ("events: { e: { add: a } }", Code::NotForThisWork, 21),
        ("events: { e: { signal: other } }", Code::UnknownNode, 24),
        ("events: { e: { cancel: a, count: 0 } }", Code::BadValue, 34),
        ("events: { e: { cancel: a, cuont: 2 } }", Code::UnknownKey, 27),
    ] {
        let found = scenario(&format!("scenario: 1\n{line}\n"), &net).expect_err(line);
        let hit = found.iter().any(|one| (one.code, one.line, one.column) == (code, 2, column));
        assert!(hit, "{line}: {found:#?}");
    }
    let version = scenario("scenario: 2\n", &net).expect_err("no such version");
    assert_eq!(version[0].code, Code::UnknownVersion);
    assert!(scenario("", &net).is_err() && scenario("[1]", &net).is_err() && scenario("&a 1", &net).is_err());
}

#[test]
fn a_task_of_a_subnet_is_named_by_its_label_or_alone() {
    let source = "
actum: 1
net: n
start: a
tasks: { a: { net: S, flow: end } }
nets:
  S:
    data: { v: { type: bool } }
    start: a
    tasks:
      a: { split: xor, flow: [{ to: b, when: v }, { to: end, default: true }] }
      b: { flow: end }
";
    let net = compile(source).expect("the net is fine").net;
    let inner = net.task_labelled("S/a").expect("a task");
    let read = scenario("scenario: 1\nchoices: { S/a: [[b]] }\n", &net).expect("it is fine");
    assert_eq!(read.choices[0].0, inner);
    // The root's task of that name chooses nothing.
    assert!(scenario("scenario: 1\nchoices: { a: [[b]] }\n", &net).is_err());
    assert_ne!(inner, TaskIx(0));
}

#[test]
fn every_scenario_of_the_patterns_fits_its_net() {
    let mut seen = 0;
    for entry in std::fs::read_dir(support::path("../../tests/patterns")).expect("the folder is there") {
        let folder = entry.expect("an entry").path();
        if !folder.is_dir() {
            continue;
        }
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a file");
        let net = compile(&read("net.yaml")).unwrap_or_else(|found| panic!("{}: {found:#?}", folder.display())).net;
        scenario(&read("scenario.yaml"), &net).unwrap_or_else(|found| panic!("{}: {found:#?}", folder.display()));
        seen += 1;
    }
    assert_eq!(seen, 47);
}

/// The schema takes what the reader takes, and refuses surprises. JSON is YAML.
#[test]
fn the_schema_knows_the_language() {
    let net = net();
    let schema = serde_json::from_str(SCENARIO_SCHEMA).expect("the schema is JSON");
    let schema = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let whole = r#"{ "scenario": 1, "description": "d", "input": { "n": 2 }, "results": { "a": [[{ "ok": true }]] },
        "choices": { "b": [["c", ["c", "d"]], ["end"]] }, "bounds": { "a": { "b": 1 } }, "instances": { "b": [[1]] },
        "events": { "x": { "cancel-case": true }, "c": { "cancel": "b" }, "e": { "complete": "b" },
        "m": { "add": "b", "count": 2 }, "f": { "fail": "a" }, "go": { "signal": "go", "data": 1 } } }"#;
    for (text, good) in [
        (whole.to_owned(), true),
        (r#"{ "scenario": 1 }"#.to_owned(), true),
        ("{}".to_owned(), false),
        (whole.replace("bounds", "bound"), false),
        (whole.replace("\"count\": 2", "\"count\": 0"), false),
        (whole.replace("\"fail\": \"a\"", "\"fail\": \"a\", \"add\": \"b\""), false),
        (whole.replace("[[1]]", "[]"), false),
        (whole.replace("\"go\": {", "\"Go\": {"), false),
    ] {
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(schema.is_valid(&json), good, "the schema on {text}");
        assert_eq!(scenario(&text, &net).is_ok(), good, "the reader on {text}");
    }
}
