//! What the pass over a history does, beyond the single kinds of rules.

use actum_model::{ActorId, SystemEvent, Value};

use super::kit::{History, check, rule};
use crate::rules::{OWED_MAX, Outcome};

/// Four events precede the first case.
fn history() -> History {
    History::new()
}

#[test]
fn a_response_comes_in_time_late_or_never() {
    let mut log = history();
    log.start(1, None).done(1, "a").at(10).done(1, "b").complete(1);
    check(&log, "response: { after: a, then: b, within: PT10S }", "1 0 0 0");
    check(&log, "response: { after: a, then: b, within: PT9S }", "0 1 0 0; `then` came 1 s too late: after 5, then 6");
    check(
        &log,
        "response: { after: b, then: a }",
        "0 1 0 0; `then` did not come before the case ended: after 6, end 7",
    );
    check(&log, "response: { after: c, then: a }", "0 0 0 1");
}

#[test]
fn what_an_open_case_owes_is_pending_until_its_time_is_over() {
    let mut log = history();
    log.start(1, None).done(1, "a").at(10).start(2, None);
    check(&log, "response: { after: a, then: b }", "0 0 1 1");
    check(&log, "response: { after: a, then: b, within: PT10S }", "0 0 1 1");
    check(&log, "response: { after: a, then: b, within: PT9S }", "0 1 0 1; `then` did not come within 9 s: after 5");
    check(&log, "existence: { of: a }", "1 0 1 0");
    check(&log, "within: { to: b, at-most: PT5S }", "0 1 1 0; it is not done, 5 s too long: from 4");
}

#[test]
fn an_end_can_release_what_is_owed() {
    let mut log = history();
    log.start(1, None).done(1, "a").cancel(1);
    check(
        &log,
        "response: { after: a, then: b }",
        "0 1 0 0; `then` did not come before the case ended: after 5, end 6",
    );
    check(&log, "released-by: CaseCancelled\nresponse: { after: a, then: b }", "1 0 0 0");
    let mut late = history();
    late.start(1, None).done(1, "a").at(10).cancel(1);
    let rule = "released-by: [CaseCancelled]\nresponse: { after: a, then: b, within: PT9S }";
    check(&late, rule, "0 1 0 0; `then` did not come within 9 s: after 5, end 6");
}

#[test]
fn conditions_see_the_event_its_result_and_the_cases_variables() {
    let mut log = history();
    log.start(1, Some(3)).by(1).done_with(1, "a", Value::Bool(true), Some(7)).done(1, "b").complete(1);
    let seen = [
        "actor == 'ana'",
        "result",
        "variables.n == 7",
        "vars.n == 7 && vars.who == null",
        "task == 'a' && kind == 'WorkCompleted' && key == 'K1' && net == 'letters'",
        "seq == 5 && version == 2 && case == 1 && item == 0 && frame == 0",
        "event.task == 'a' && event.result && cause == null",
        "time == timestamp('1970-01-01T00:00:00Z') && started == time",
    ];
    for condition in seen {
        let rule = format!("absence: {{ never: {{ task: a, when: \"{condition}\" }} }}");
        check(&log, &rule, "0 1 0 0; it happened: never 5");
    }
    check(&log, "case: vars.n == 3\nexistence: { of: b }", "1 0 0 0");
    check(&log, "case: vars.n == 7\nexistence: { of: d }", "0 0 0 0");
}

#[test]
fn a_condition_that_fails_decides_nothing() {
    let mut log = history();
    log.start(1, None).done(1, "a").complete(1);
    let set = rule("absence: { never: { task: a, when: vars.n > 3 } }");
    let report = log.judged(&set);
    assert_eq!(report.outcome(), Outcome::Undecided);
    let failed = &report.rules[0].failed[0];
    assert_eq!((report.rules[0].faults, failed.case, failed.seq), (1, Some(1), Some(5)));
    assert!(failed.why.as_deref().unwrap().contains("vars.n > 3"), "{failed:?}");
}

#[test]
fn groups_within_a_case_are_judged_apart() {
    let mut log = history();
    log.start(1, None).enabled_in(1, "a", 1).enabled_in(1, "b", 2).enabled_in(1, "c", 1);
    log.by(1).done(1, "a").done(1, "b").by(2).done(1, "c").complete(1);
    let pair = "four-eyes: { of: [a, b] }";
    check(&log, pair, "0 1 0 0; one person did both: first 8, second 9");
    check(&log, &format!("each: frame\n{pair}"), "0 0 0 2");
    check(&log, "each: frame\nfour-eyes: { of: [a, c] }", "1 0 0 0");
}

#[test]
fn groups_across_cases_see_the_system_too() {
    let mut log = history();
    for case in 1..=3 {
        log.at(case * 10).by(0).start(case, Some(1)).by(1).done(case, "a").complete(case);
    }
    let rule = "across: \"[actor, vars.n]\"\nabsence: { never: a, at-most: 2";
    check(&log, &format!("{rule} }}"), "0 1 0 0; more than 2 times: never 5, never 8, never 11");
    check(
        &log,
        &format!("{rule}, within: PT20S }}"),
        "0 1 0 0; 3 times within 20 s, at most 2 allowed: never 5, never 8, never 11",
    );
    check(&log, &format!("{rule}, within: PT19S }}"), "1 0 0 0");
    // Nobody's: the key has a null in it.
    check(&log, "across: \"[actor, vars.who]\"\nabsence: { never: a }", "0 0 0 0");
    log.system(SystemEvent::ActorRegistered { actor: ActorId(9), name: "dan".to_owned(), roles: Vec::new() });
    let roles = "across: kind\nabsence: { never: { kind: ActorRegistered, when: event.name == 'dan' } }";
    check(&log, roles, "0 1 0 0; it happened: never 13");
}

#[test]
fn a_rule_that_names_what_is_not_there_says_so() {
    let mut log = history();
    log.start(1, None).done(1, "a").complete(1);
    let set = rule("net: leters\nabsence: { never: a }");
    assert_eq!(log.judged(&set).rules[0].notes, ["no case runs a net `leters`; did you mean `letters`?"]);
    let set = rule("absence: { never: [a, zzz] }");
    assert_eq!(log.judged(&set).rules[0].notes, ["no net that the rule is about has a task `zzz`"]);
}

#[test]
fn limits_are_named_when_they_are_reached() {
    let mut log = history();
    log.start(1, None);
    for _ in 0..=OWED_MAX {
        log.done(1, "a");
    }
    let set = rule("response: { after: a, then: b }");
    let report = log.judged(&set);
    assert_eq!(report.outcome(), Outcome::Undecided);
    assert!(report.rules[0].limit.as_deref().unwrap().contains("wait for an answer"));
    let set = rule("each: seq\nabsence: { never: a, at-most: 1 }");
    assert!(log.judged(&set).rules[0].limit.as_deref().unwrap().contains("10000 different values"));
}

#[test]
fn events_of_no_known_case_concern_nothing() {
    let mut log = history();
    log.done(7, "a").complete(7);
    check(&log, "absence: { never: a }", "0 0 0 0");
}
