//! Bad input is a finding, never a panic, and never costs much time or memory.

mod support;

use std::time::{Duration, Instant};

use actum_net::{Code, compile};
use proptest::prelude::*;
use support::{EXAMPLES, example};

/// Generous: these take milliseconds; an exponential or quadratic blow-up takes minutes.
const TIME_MAX: Duration = Duration::from_secs(20);

fn refused(source: &str, code: Code) {
    let before = Instant::now();
    let found = compile(source).expect_err("a hostile file was taken");
    assert!(found.iter().any(|finding| finding.code == code), "{source:.20}: {:#?}", &found[..found.len().min(3)]);
    assert!(before.elapsed() < TIME_MAX, "{code} took {:?}", before.elapsed());
}

fn with_guard(guard: &str) -> String {
    format!(
        "actum: 1\nnet: n\ndata: {{ l: {{ type: list, input: true }} }}\nstart: a\ntasks:\n  a: {{ split: xor, flow: [{{ to: b, when: \"{guard}\" }}, {{ to: end, default: true }}] }}\n  b: {{ flow: end }}\n"
    )
}

#[test]
fn deep_yaml() {
    refused(&"[".repeat(10_000), Code::TooDeep);
    refused(&"{a: ".repeat(10_000), Code::TooDeep);
    refused(&"- ".repeat(10_000), Code::TooDeep);
    let block: String = (0..1_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    refused(&block, Code::TooDeep);
    refused(&"[".repeat(1 << 20), Code::TooDeep);
    refused(&"? ".repeat(10_000), Code::WrongType);
}

#[test]
fn large_files() {
    refused(&"a".repeat(50 << 20), Code::TooLarge);
    let keys: String = (0..60_000).map(|key| format!("k{key}: {key}\n")).collect();
    refused(&keys, Code::UnknownKey);
    let tasks: String = (0..20_000).map(|task| format!("  t{task}: {{ flow: end }}\n")).collect();
    refused(&format!("actum: 1\nnet: n\nstart: t0\ntasks:\n{tasks}"), Code::TooLarge);
}

/// Looking for what was meant must not take long when everything is wrong.
#[test]
fn thousands_of_unknown_names() {
    let variables: String = (0..5_000).map(|name| format!("  variable_number_{name}: {{ type: int }}\n")).collect();
    let tasks: String = (0..9_000)
        .map(|task| {
            format!("  task-{task}: {{ output: {{ a: '{{{{ variable_nunber_{task} }}}}' }}, flow: task-{task}x }}\n")
        })
        .collect();
    refused(&format!("actum: 1\nnet: n\nstart: task-0\ndata:\n{variables}tasks:\n{tasks}"), Code::MoreFindings);
}

#[test]
fn a_large_net_is_checked_in_good_time() {
    let tasks: String = (0..9_000)
        .map(|task| {
            format!(
                "  t{task}: {{ split: xor, flow: [{{ to: t{}, when: n == {task} }}, {{ to: end, default: true }}] }}\n",
                task + 1
            )
        })
        .collect();
    let source = format!(
        "actum: 1\nnet: n\ndata: {{ n: {{ type: int, default: 0 }} }}\nstart: t0\ntasks:\n{tasks}  t9000: {{ flow: end }}\n"
    );
    let before = Instant::now();
    let net = compile(&source).unwrap().net;
    assert_eq!(net.tasks.len(), 9_001);
    assert!(before.elapsed() < TIME_MAX, "took {:?}", before.elapsed());
}

/// Nets in nets, each way of making the work grow faster than the file.
#[test]
fn many_nets_are_checked_in_good_time() {
    let chained = |count: usize| -> String {
        (1..count).map(|at| format!("R{at}: {{start: a, tasks: {{a: {{split: xor, flow: [{{to: b, when: 'true'}}, {{to: end, default: true}}]}}, b: {{net: R{}, flow: end}}}}}}, ", at % (count - 1) + 1)).collect()
    };
    let required: String =
        (0..15_000).map(|at| format!("v{at}: {{type: any, input: true, required: true}}, ")).collect();
    let calls: String = (0..5_000).map(|at| format!("t{at}: {{net: R, flow: end}}, ")).collect();
    let signals: String = (0..20_000).map(|at| format!("s{at}: {{minutes: 1}}, ")).collect();
    let triggers: String = (0..9_000).map(|at| format!("t{at}: {{trigger: {{signal: x{at}}}, flow: end}}, ")).collect();
    let mutexes: String = (0..9_000).map(|at| format!("m{at}, ")).collect();
    let cancels = "a, b->a, ".repeat(50_000);
    for (source, fine) in [
        (
            format!("{{actum: 1, net: n, start: a, tasks: {{a: {{net: R1, flow: end}}}}, nets: {{{}}}}}", chained(256)),
            true,
        ),
        (
            format!(
                "{{actum: 1, net: n, start: t0, tasks: {{{calls}}}, nets: {{R: {{data: {{{required}}}, start: a, tasks: {{a: {{flow: end}}}}}}}}}}"
            ),
            false,
        ),
        (format!("{{actum: 1, net: n, start: t0, tasks: {{{triggers}}}, play: {{signals: {{{signals}}}}}}}"), false),
        (
            format!(
                "{{actum: 1, net: n, start: a, mutexes: [{mutexes}], tasks: {{a: {{mutex: [{mutexes}], reads: [{mutexes}], flow: end}}}}}}"
            ),
            true,
        ),
        (format!("{{actum: 1, net: n, start: a, tasks: {{a: {{cancels: [{cancels}], flow: end}}}}}}"), false),
    ] {
        assert!(source.len() <= actum_net::NET_BYTES_MAX, "{}", source.len());
        let before = Instant::now();
        let checked = compile(&source);
        assert!(before.elapsed() < TIME_MAX, "{:.60} took {:?}", source, before.elapsed());
        assert_eq!(checked.is_ok(), fine, "{:.60}: {:#?}", source, checked.err().map(|found| found[0].clone()));
    }
}

#[test]
fn billion_laughs() {
    let levels: String =
        (1..40).map(|level| format!("a{level}: &a{level} [*a{0}, *a{0}, *a{0}]\n", level - 1)).collect();
    let source = format!("a0: &a0 [lol, lol]\n{levels}");
    refused(&source, Code::AnchorOrTag);
}

#[test]
fn hostile_expressions() {
    for (guard, code) in [
        (format!("{}1{}", "(".repeat(1_000), ")".repeat(1_000)), Code::GuardNotBool),
        ("!".repeat(2_000), Code::CelSyntax),
        ("-".repeat(2_000), Code::CelSyntax),
        ("l".to_owned() + &".l".repeat(1_000), Code::CelTooLarge),
        (format!("1{}", "+1".repeat(1_000)), Code::CelTooLarge),
        ("[".repeat(2_000), Code::CelTooLarge),
        ("{".repeat(2_000).replace('{', "{'a':"), Code::CelTooLarge),
        ("true ? ".repeat(250), Code::CelSyntax),
        ("l.all(x, ".repeat(200), Code::CelTooLarge),
        ("9".repeat(2_000), Code::CelSyntax),
        ("l[0".repeat(600), Code::CelSyntax),
    ] {
        let before = Instant::now();
        let found = compile(&with_guard(&guard.replace('"', "'"))).expect_err("taken");
        assert!(!found.is_empty(), "{code}");
        assert!(before.elapsed() < TIME_MAX, "{guard:.40} took {:?}", before.elapsed());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_text_is_no_panic(text in any::<String>()) {
        let _ = compile(&text);
    }

    #[test]
    fn any_guard_is_no_panic(guard in "[a-z0-9 .(){}\\[\\]'!?:=<>&|+*/%,_-]{0,60}") {
        let found = compile(&with_guard(&guard));
        prop_assert!(found.is_ok() || found.unwrap_err().iter().all(|finding| !finding.message.contains("defect")));
    }

    /// A good net with a few bytes changed.
    #[test]
    fn a_damaged_net_is_no_panic(name in 0..EXAMPLES.len(), cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..8usize, "[ -~\n]{0,4}"), 1..5)) {
        let mut text = example(EXAMPLES[name]);
        for (at, length, new) in cuts {
            let at = text.floor_char_boundary(at.index(text.len()));
            let end = text.floor_char_boundary((at + length).min(text.len()));
            text.replace_range(at..end, &new);
        }
        if let Err(found) = compile(&text) {
            prop_assert!(found.iter().all(|finding| !finding.message.contains("defect")), "{:#?}", found);
        }
    }
}
