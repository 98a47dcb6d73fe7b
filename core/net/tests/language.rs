//! One net, many spellings; one canonical form.

mod support;

use actum_net::{CanonicalError, JSON_SCHEMA, Net, compile};
use proptest::prelude::*;
use support::{EXAMPLES, example};

fn net(source: &str) -> Net {
    compile(source).unwrap_or_else(|found| panic!("{found:#?}")).net
}

#[test]
fn the_canonical_form_gives_the_same_net() {
    for name in EXAMPLES {
        let net = net(&example(name));
        assert_eq!(Net::from_canonical(&net.canonical).unwrap(), net, "{name}");
        let json: serde_json::Value = serde_json::from_slice(&net.canonical).unwrap();
        assert_eq!(json["net"], net.name);
    }
}

#[test]
fn yaml_and_json_and_any_order_of_keys_are_one_net() {
    let yaml = "# a comment\nactum: 1\nnet: n\ndata:\n  b: { type: double, default: 2.50 }\n  a: { type: int, input: true }\nstart: x\ntasks:\n  y: { flow: end }\n  x:\n    split: xor\n    flow: [{ to: y, when: a > 1 }, { to: end, default: true }]\n";
    let json = r#"{"tasks": {"x": {"flow": [{"when": "a > 1", "default": false, "to": "y"}, {"default": true, "to": "end"}], "split": "xor", "join": "and"},
        "y": {"flow": [{"to": "end"}]}}, "start": ["x"], "net": "n", "actum": 1,
<tab>"data": {"a": {"input": true, "type": "int", "required": false}, "b": {"default": 2.5, "type": "double"}}}"#
        .replace("<tab>", "\t");
    assert_eq!(net(yaml).hash, net(&json).hash);
    assert_eq!(net(yaml), net(&json));
}

/// What ordinals in stored events depend on: change this test only with a new version of the net language.
#[test]
fn ordinals_and_hash_are_for_ever() {
    let net = net(
        "actum: 1\nnet: n\ndata: { z: { type: bool, default: true }, a: { type: int } }\nconditions: { wait: { flow: [c, b] } }\nstart: t\ntasks:\n  t: { split: xor, flow: [{ to: wait, when: z }, { to: b, default: true }] }\n  c: { flow: b }\n  b: { join: xor, flow: end }\n",
    );
    let names: Vec<_> = net.conditions.iter().map(|condition| condition.name.as_str()).collect();
    assert_eq!(names, ["start", "end", "wait", "c->b", "t->b"]);
    let names: Vec<_> = net.tasks.iter().map(|task| task.name.as_str()).collect();
    assert_eq!(names, ["b", "c", "t"]);
    let names: Vec<_> = net.variables.iter().map(|variable| variable.name.as_str()).collect();
    assert_eq!(names, ["a", "z"]);
    assert_eq!(
        String::from_utf8(net.canonical.clone()).unwrap(),
        r#"{"actum":1,"conditions":{"wait":{"flow":["b","c"]}},"data":{"a":{"type":"int"},"z":{"default":true,"type":"bool"}},"net":"n","start":["t"],"tasks":{"b":{"flow":[{"to":"end"}],"join":"xor"},"c":{"flow":[{"to":"b"}]},"t":{"flow":[{"to":"wait","when":"z"},{"default":true,"to":"b"}],"split":"xor"}}}"#
    );
    assert_eq!(net.hash.to_string(), GOLDEN_HASH);
}

const GOLDEN_HASH: &str = "dcb17a551ce53deca043a3e0f6303cddc3fdd5509bb10d8facd284ac44b3c482";

/// A net as they were before there were subnets, instances and exceptions: what it does not use leaves no trace in its hash.
#[test]
fn nets_of_the_first_language_keep_their_hash() {
    let net = net(&support::read("tests/fixtures/good/loan-approval-first.yaml"));
    assert_eq!(net.hash.to_string(), "1ecd21a52bed424053acde83c8ff97689930fc06e353d1e1528ed14c87103921");
}

#[test]
fn other_bytes_are_not_canonical() {
    let net = net("actum: 1\nnet: n\nstart: a\ntasks: { a: { flow: end } }\n");
    let text = String::from_utf8(net.canonical).unwrap();
    assert_eq!(Net::from_canonical(text.replace(':', ": ").as_bytes()), Err(CanonicalError::NotCanonical));
    assert!(matches!(Net::from_canonical(text.replace("end", "nd").as_bytes()), Err(CanonicalError::NotANet(_))));
    assert!(matches!(Net::from_canonical(&[0xff]), Err(CanonicalError::NotANet(_))));
}

proptest! {
    /// Whatever text and numbers a net holds, its canonical form is JSON that says the same.
    #[test]
    fn any_text_survives_the_canonical_form(text in any::<String>(), key in "\\PC{1,40}", int in any::<i64>(), double in any::<f64>()) {
        prop_assume!(!text.contains("{{") && double.is_finite());
        let quoted = serde_json::to_string(&serde_json::json!({ key: [text, int, double, null, {}, []] })).unwrap();
        // JSON's astral escapes do not occur: serde writes letters as they are.
        let source = format!("{{\"actum\":1,\"net\":\"n\",\"start\":\"a\",\"tasks\":{{\"a\":{{\"flow\":\"end\",\"handler\":\"h\",\"params\":{quoted}}}}}}}");
        if let Ok(checked) = compile(&source) {
            prop_assert_eq!(&Net::from_canonical(&checked.net.canonical).unwrap(), &checked.net);
            let json: serde_json::Value = serde_json::from_slice(&checked.net.canonical).unwrap();
            prop_assert_eq!(&json["tasks"]["a"]["params"], &serde_json::from_str::<serde_json::Value>(&quoted).unwrap());
        } else {
            // YAML has no raw control characters, and serde writes some.
            prop_assert!(source.chars().any(|letter| letter.is_control() || matches!(letter, '\u{feff}' | '\u{fffe}' | '\u{ffff}')), "{}", source);
        }
    }
}

fn schema() -> jsonschema::Validator {
    jsonschema::validator_for(&serde_json::from_str(JSON_SCHEMA).unwrap()).unwrap()
}

#[test]
fn the_schema_knows_the_examples() {
    let schema = schema();
    for name in EXAMPLES {
        let canonical: serde_json::Value = serde_json::from_slice(&net(&example(name)).canonical).unwrap();
        let errors: Vec<_> =
            schema.iter_errors(&canonical).map(|error| format!("{} {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

/// A key that is added anywhere is refused by both.
#[test]
fn unknown_keys_are_refused_by_schema_and_compiler() {
    let schema = schema();
    let good: serde_json::Value = serde_json::from_slice(&net(&example("loan-approval")).canonical).unwrap();
    let places = [
        "",
        "/data/amount",
        "/roles/loan-officer",
        "/tasks/grant",
        "/tasks/first-approval/form/approve",
        "/tasks/assess/flow/0",
        "/play",
        "/play/tasks/first-approval",
        "/play/tasks/first-approval/results/0",
    ];
    for place in places {
        let mut bad = good.clone();
        bad.pointer_mut(place).unwrap().as_object_mut().unwrap().insert("surprise".to_owned(), 1.into());
        assert!(!schema.is_valid(&bad), "the schema takes a surprise at {place:?}");
        let found = compile(&bad.to_string()).expect_err(place);
        assert!(found.iter().any(|finding| finding.code == actum_net::Code::UnknownKey), "{place}: {found:#?}");
    }
}

/// The shorthands, which no canonical form has, are the schema's too.
#[test]
fn the_schema_knows_the_shorthands() {
    let source = r#"{"actum": 1, "net": "n", "start": "a", "data": {"x": {"type": "bool", "default": true}}, "roles": {"clerk": null},
        "conditions": {"wait": {"flow": "b"}},
        "tasks": {"a": {"split": "xor", "flow": ["wait", {"to": "end", "default": true}]},
                  "b": {"role": "clerk", "separate_from": "c", "flow": {"to": "c"}}, "c": {"role": "clerk", "flow": "end"}},
        "play": {"participants": {"clerk": "Ana"}, "tasks": {"b": {"minutes": 5, "results": [{"result": {}}]}}}}"#
        .replace("[\"wait\",", "[{\"to\": \"wait\", \"when\": true},");
    net(&source);
    let errors: Vec<_> =
        schema().iter_errors(&serde_json::from_str(&source).unwrap()).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
}
