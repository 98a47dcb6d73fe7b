//! `check`, `schema`, `completions`, `man` and the help.

mod support;

use support::Place;

#[test]
fn a_good_net_is_fine() {
    let place = Place::new();
    assert_eq!(place.good("check manual.yaml"), "manual.yaml: net manual is fine\n");
    assert_eq!(place.good("check manual.yaml -o json"), "[]\n");
}

#[test]
fn all_mistakes_have_a_place_a_code_and_a_hint() {
    let place = Place::new();
    place.write(
        "bad.yaml",
        "\
actum: 1
net: bad
data: { amount: { type: integr } }
roles: { clerk: {} }
start: work
tasks:
  work: { role: clark, flow: pya }
  pay: { handler: expr, params: { x: '{{ amuont }}' }, flow: end }
",
    );
    let ran = place.run("check bad.yaml");
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    insta::assert_snapshot!(ran.text());
    let json: serde_json::Value = serde_json::from_str(&place.run("check bad.yaml -o json").text()).unwrap();
    let first = &json[0];
    for key in ["file", "line", "column", "start", "end", "severity", "code", "message", "hint"] {
        assert!(first.get(key).is_some(), "{key}: {first}");
    }
    assert_eq!(
        json.as_array().unwrap().len(),
        ran.text().lines().filter(|line| line.starts_with("bad.yaml:") && line.contains("net/")).count()
    );
}

#[test]
fn the_schema_is_json() {
    let place = Place::new();
    assert!(place.json("schema net").is_object());
}

#[test]
fn shells_and_man_are_served() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = place.good(&format!("completions {shell}"));
        assert!(script.contains("verify") && !script.contains("__read-directory"), "{shell}");
    }
    place.good("man pages");
    assert!(String::from_utf8(place.read("pages/actum-verify.1")).unwrap().contains("actum verify"));
}

#[test]
fn every_command_has_help_with_an_example() {
    let place = Place::new();
    for command in ["", "run", "check", "log", "show", "verify", "export", "schema", "completions", "man"] {
        let help = place.good(&format!("{command} --help"));
        assert!(help.contains("Example"), "{command}: {help}");
        assert!(help.lines().all(|line| line.chars().count() <= 120), "{command}: {help}");
    }
    assert!(place.good("--version").starts_with("actum "));
}
