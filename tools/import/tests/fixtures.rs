//! Specifications of this project's own, and the nets that are made of them.

use std::fmt::Write as _;

use actum_import::{Severity, import};

fn check(name: &str, source: &str) {
    let imported = match import(source) {
        Ok(imported) => imported,
        Err(found) => panic!("{name}: {}", found.iter().map(|found| format!("\n{found}")).collect::<String>()),
    };
    assert_eq!(import(source).as_ref(), Ok(&imported), "the same source gives the same net");
    let mut text = imported.yaml.clone();
    for warning in &imported.warnings {
        assert_eq!(warning.severity, Severity::Warning);
        writeln!(text, "# {warning}").expect("text");
    }
    insta::assert_snapshot!(name, text);
    match actum_net::compile(&imported.yaml) {
        Ok(checked) => assert_eq!(checked.warnings, []),
        Err(found) => panic!("{name}: {}", found.iter().map(|found| format!("\n{found}")).collect::<String>()),
    }
}

#[test]
fn control_flow() {
    check("control", include_str!("fixtures/control.yawl"));
}

#[test]
fn people_timers_and_services() {
    check("people", include_str!("fixtures/people.yawl"));
}

#[test]
fn data_queries_and_instances() {
    check("data", include_str!("fixtures/data.yawl"));
}

/// Each line of the net says which element of the specification it comes from.
#[test]
fn lines_know_their_origin() {
    let source = include_str!("fixtures/control.yawl");
    let imported = import(source).expect("it is a good specification");
    for (text, element) in [
        ("  gather:", "<task id=\"gather\">"),
        ("      - { to: big, when: ", "<flowsInto>"),
        ("  amount: ", "<inputParam>"),
        ("  Sub:", "<decomposition id=\"Sub\""),
    ] {
        let line = imported.yaml.lines().position(|line| line.starts_with(text)).expect(text);
        let (start, end) = imported.origin(u32::try_from(line).expect("few lines") + 1);
        assert!(source[start..end].starts_with(element), "{text}: {}", &source[start..end]);
    }
}
