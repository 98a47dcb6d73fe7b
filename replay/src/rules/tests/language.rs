//! Reading rules: every mistake at once, and no panic whatever the bytes.

use proptest::prelude::*;

use super::kit::{one_rule, rule};
use crate::rules::{RULES_SCHEMA, rules};

/// `line:column: code` of each finding.
fn found(source: &str) -> Vec<String> {
    let found = rules(source).expect_err("mistakes");
    found.iter().map(|one| format!("{}:{}: {}", one.line, one.column, one.code)).collect()
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let file = "\
actum: 1
audit: test
colour: red
rules:
  one:
    titel: One
    severity: grave
    response: { after: a, then: b, within: 3 days }
  two:
    absense: { never: a }
  three:
    precedence: { only: { task: a, when: \"actr == 'x'\" }, after: { kind: WorkComplete } }
  four:
    case: \"vars.n + 1\"
    absence: { never: { task: a, when: \"task == 5\" }, at-most: many }
  five:
    absence: { never: a }
    existence: { of: b }
  Six:
    each: actor
    existence: { of: { kind: CaseStarted, task: a } }
  seven:
    within: { from: a }
  eight:
    exclusion: { of: a }
";
    let expected = [
        "3:1: net/unknown-key",
        "6:5: net/unknown-key",
        "7:15: net/bad-value",
        "8:44: net/bad-time",
        "9:3: net/missing-key",
        "10:5: net/unknown-key",
        "12:43: net/unknown-variable",
        "12:74: net/bad-value",
        "15:46: net/cel-type",
        "15:64: net/wrong-type",
        "18:5: net/unknown-key",
        "19:3: net/bad-name",
        "21:5: net/bad-value",
        "21:30: net/bad-value",
        "23:5: net/missing-key",
        "25:5: net/missing-key",
    ];
    assert_eq!(found(file), expected);
    let told = rules(file).unwrap_err();
    let told: Vec<String> = told.iter().map(ToString::to_string).collect();
    for hint in
        ["did you mean `title`?", "did you mean `absence`?", "did you mean `actor`?", "did you mean `WorkCompleted`?"]
    {
        assert!(told.iter().any(|one| one.contains(hint)), "{hint}: {told:#?}");
    }
}

#[test]
fn a_condition_must_be_true_or_false() {
    assert_eq!(found(&one_rule("case: seq + 1\nabsence: { never: a }")), ["5:11: net/cel-type"]);
    assert_eq!(found(&one_rule("absence: { never: { when: 'a &&' } }"))[0].split(": ").nth(1), Some("net/cel-syntax"));
}

#[test]
fn what_belongs_to_no_case_needs_a_rule_across() {
    assert_eq!(found(&one_rule("absence: { never: { kind: KeyRevoked } }")), ["5:5: net/bad-value"]);
    rule("across: kind\nabsence: { never: { kind: KeyRevoked } }");
    assert_eq!(found(&one_rule("each: frame\nacross: kind\nabsence: { never: a }")), ["6:5: net/unknown-key"]);
}

#[test]
fn files_that_are_no_rules_are_refused() {
    assert_eq!(found(""), ["1:1: net/syntax"]);
    assert_eq!(found("actum: 2\naudit: x\nrules: { a: { absence: { never: b } } }"), ["1:8: net/unknown-version"]);
    assert_eq!(found("actum: 1\naudit: x\nrules: {}"), ["3:8: net/bad-value"]);
    assert!(found(&" ".repeat(2 << 20))[0].ends_with("net/syntax"));
    assert!(found(&format!("a: {}", "x".repeat(2 << 20)))[0].ends_with("net/too-large"));
}

#[test]
fn the_examples_are_rules_and_the_schema_is_json() {
    let schema: serde_json::Value = serde_json::from_str(RULES_SCHEMA).unwrap();
    let templates = &schema["$defs"]["rule"]["oneOf"];
    assert_eq!(templates.as_array().unwrap().len(), super::super::template::TEMPLATES.len());
    for (name, _) in super::super::template::TEMPLATES {
        assert!(schema["$defs"]["rule"]["properties"][name].is_object(), "{name}");
    }
    for source in EXAMPLES {
        assert!(rules(source).is_ok(), "{source}");
    }
}

const EXAMPLES: [&str; 4] = [
    include_str!("../../../../tools/examples/rules-loan-approval.yaml"),
    include_str!("../../../../tools/examples/rules-order-fulfilment.yaml"),
    include_str!("../../../../tools/examples/rules-incident-response.yaml"),
    include_str!("../../../../tools/examples/rules-insurance-claim.yaml"),
];

/// Words that mean something somewhere, and what breaks texts.
const PIECES: [&str; 24] = [
    "rules:",
    "\n",
    "  ",
    "{",
    "}",
    "[",
    "]",
    "'",
    "\"",
    ": ",
    "- ",
    "&a",
    "*a",
    "!t",
    "absence",
    "never",
    "when",
    "within",
    "PT1S",
    "vars.n > ",
    "((((",
    "\u{0}",
    "é",
    "9999999999999999999999",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every change of a good file is rules or findings inside of the file.
    #[test]
    fn no_bytes_make_the_reader_panic(
        example in 0..EXAMPLES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..40_usize, 0..PIECES.len()), 1..6),
    ) {
        let mut source = EXAMPLES[example].to_owned();
        for (at, remove, insert) in changes {
            let begin = source.floor_char_boundary(at.index(source.len() + 1));
            let end = source.floor_char_boundary((begin + remove).min(source.len())).max(begin);
            source.replace_range(begin..end, PIECES[insert]);
        }
        if let Err(found) = rules(&source) {
            prop_assert!(!found.is_empty());
            for one in found {
                prop_assert!(one.span.0 <= one.span.1 && one.span.1 <= source.len());
                prop_assert!(source.is_char_boundary(one.span.0));
            }
        }
    }
}
