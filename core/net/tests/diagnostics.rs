//! Every mistake is found where it is, all at once, and documented.

mod support;

use std::collections::BTreeSet;

use actum_net::{Code, Diagnostic, Severity, compile};
use support::{path, read};

fn findings(source: &str) -> Vec<Diagnostic> {
    compile(source).map_or_else(|found| found, |checked| checked.warnings)
}

/// `tests/fixtures/bad/*.yaml`, and what is found in each: beside it, in `*.found`. To write those files anew, delete them.
#[test]
fn fixtures_give_exactly_what_is_written_beside_them() {
    let mut seen = BTreeSet::new();
    let mut unwritten = Vec::new();
    for entry in std::fs::read_dir(path("tests/fixtures/bad")).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let found = findings(&std::fs::read_to_string(&file).unwrap());
        seen.extend(found.iter().map(|finding| finding.code));
        let text: String = found.iter().map(|finding| format!("{finding}\n")).collect();
        let beside = file.with_extension("found");
        if let Ok(expected) = std::fs::read_to_string(&beside) {
            assert_eq!(text, expected, "{}", file.display());
        } else {
            std::fs::write(&beside, text).unwrap();
            unwritten.push(beside);
        }
        let name = file.file_stem().unwrap().to_str().unwrap();
        let about = Code::ALL.iter().find(|code| name.starts_with(code.as_str().trim_start_matches("net/")));
        if let Some(code) = about {
            assert!(found.iter().any(|finding| finding.code == *code), "{name} does not show {code}: {found:#?}");
        }
    }
    assert!(unwritten.is_empty(), "read these, and run again: {unwritten:?}");
    seen.extend(findings(&" ".repeat(actum_net::NET_BYTES_MAX + 1)).iter().map(|finding| finding.code));
    let compiled = Code::ALL.iter().filter(|code| !Code::EXPLORED.contains(code));
    let missing: Vec<_> = compiled.filter(|code| !seen.contains(code)).collect();
    assert!(missing.is_empty(), "no fixture shows {missing:?}");
}

#[test]
fn twenty_mistakes_are_found_at_once() {
    let found = findings(&read("tests/fixtures/bad/twenty.yaml"));
    let codes: BTreeSet<_> = found.iter().map(|finding| finding.code).collect();
    assert!(found.len() >= 20, "{found:#?}");
    assert!(codes.len() >= 18, "{codes:?}");
    assert!(found.is_sorted_by_key(|finding| finding.span));
}

#[test]
fn every_code_is_documented() {
    let page = read("DIAGNOSTICS.md");
    for code in Code::ALL {
        assert!(page.contains(&format!("\n## `{code}`\n")), "DIAGNOSTICS.md says nothing about {code}");
    }
    let sections = page.lines().filter(|line| line.starts_with("## ")).count();
    assert_eq!(sections, Code::ALL.len(), "DIAGNOSTICS.md has a section too many");
}

/// Positions are characters for people and bytes for tools, also behind letters of several bytes.
#[test]
fn positions_are_exact() {
    let source = "actum: 1\nnet: n\nstart: a\ntasks:\n  a: { title: \"Größe 🦀\", handler: log, params: { message: \"{{ größe }}\" }, flwo: end }\n";
    let found = findings(source);
    let unknown = found.iter().find(|finding| finding.code == Code::UnknownKey).unwrap();
    assert_eq!(&source[unknown.span.0..unknown.span.1], "flwo");
    assert_eq!((unknown.line, unknown.column), (5, 76));
    assert_eq!(unknown.severity, Severity::Error);
    assert_eq!(unknown.hint.as_deref(), Some("did you mean `flow`?"));
}

#[test]
fn findings_in_expressions_point_into_the_expression() {
    let source = |when: &str| {
        format!(
            "actum: 1\nnet: n\ndata: {{ n: {{ type: int }} }}\nstart: a\ntasks:\n  a:\n    split: xor\n    flow:\n      - to: b\n        when: {when}\n      - {{ to: end, default: true }}\n  b: {{ flow: end }}\n"
        )
    };
    for (when, column) in [
        ("n > 1 && m > 1", 24),
        ("'n > 1 && m > 1'", 25),
        ("\"n > 1 && m > 1\"", 25),
        ("|\n          n > 1 &&\n          m > 1", 11),
    ] {
        let source = source(when);
        let found = findings(&source);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0].code, Code::UnknownVariable);
        assert_eq!(&source[found[0].span.0..=found[0].span.0], "m");
        assert_eq!(found[0].column, column);
    }
}
