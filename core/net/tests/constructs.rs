//! Subnets, instances, cancellation and the other constructs: what they become, and that the canonical form keeps them.

mod support;

use actum_net::{
    Answer, AnswerScope, Code, ExceptionTrigger, InstanceCount, InstanceRest, JSON_SCHEMA, Join, Net, Rest, SubnetIx,
    TimeoutFrom, Wait, Work, compile,
};
use support::read;

fn net(source: &str) -> Net {
    compile(source).unwrap_or_else(|found| panic!("{found:#?}")).net
}

fn everything() -> Net {
    net(&read("tests/fixtures/good/everything.yaml"))
}

#[test]
fn everything_compiles_without_a_warning() {
    let checked = compile(&read("tests/fixtures/good/everything.yaml")).unwrap_or_else(|found| panic!("{found:#?}"));
    assert_eq!(checked.warnings, []);
}

#[test]
fn the_canonical_form_keeps_everything() {
    let net = everything();
    assert_eq!(Net::from_canonical(&net.canonical).unwrap(), net);
}

#[test]
fn the_schema_knows_everything() {
    let schema = jsonschema::validator_for(&serde_json::from_str(JSON_SCHEMA).unwrap()).unwrap();
    let canonical: serde_json::Value = serde_json::from_slice(&everything().canonical).unwrap();
    let errors: Vec<_> =
        schema.iter_errors(&canonical).map(|error| format!("{} {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

/// What ordinals in stored events depend on: change this test only with a new version of the net language.
#[test]
fn ordinals_run_through_all_subnets() {
    let net = everything();
    let subnets: Vec<_> = net.subnets.iter().map(|subnet| subnet.name.as_str()).collect();
    assert_eq!(subnets, ["Everything.1", "Pack"]);
    let (root, pack) = (&net.subnets[0], &net.subnets[1]);
    assert_eq!((root.start, root.end), (net.start, net.end));
    assert_eq!((root.conditions.end, root.tasks.end, root.variables.end), (18, 11, 5));
    assert_eq!((&pack.conditions, &pack.tasks, &pack.variables), (&(18..25), &(11..16), &(5..8)));
    let conditions: Vec<_> = net.conditions.iter().map(|condition| condition.name.as_str()).collect();
    assert_eq!(conditions[..6], ["start", "end", "open", "pool", "ledger", "vault"]);
    assert_eq!(conditions[18..], ["start", "end", "c", "vault", "again->deeper", "again->over", "begin->again"]);
    for (at, subnet) in net.subnets.iter().enumerate() {
        let part = |range: &std::ops::Range<u32>| range.start as usize..range.end as usize;
        assert!(net.conditions[part(&subnet.conditions)].iter().all(|condition| condition.subnet.index() == at));
        assert!(net.tasks[part(&subnet.tasks)].iter().all(|task| task.subnet.index() == at));
        assert!(net.variables[part(&subnet.variables)].iter().all(|variable| variable.subnet.index() == at));
    }
    let wrap = net.task_in(SubnetIx(1), "wrap").unwrap();
    assert_eq!(net.task_label(wrap), "Pack/wrap");
    assert_eq!(net.task_labelled("Pack/wrap"), Some(wrap));
    assert_eq!(net.task_labelled("pack"), net.task("pack"));
    assert_eq!(net.task("wrap"), None);
    assert_eq!(net.variable("depth"), None);
    assert_eq!(net.variables[net.variable_in(SubnetIx(1), "depth").unwrap().index()].name, "depth");
    assert_eq!(net.hash.to_string(), GOLDEN_HASH);
}

const GOLDEN_HASH: &str = "a19ff230c4309cf821db306216765f59189ab4b6044fc1b9ec0a5fcf2b2e30a0";

#[test]
fn what_is_written_is_what_the_net_says() {
    let net = everything();
    let task = |name: &str| &net.tasks[net.task_labelled(name).unwrap().index()];
    let names = |list: &[actum_net::ConditionIx]| -> Vec<String> {
        list.iter().map(|condition| net.conditions[condition.index()].name.clone()).collect()
    };

    let merge = task("merge");
    assert_eq!(merge.join, Join::Partial { of: 3, rest: Rest::Block });
    assert_eq!(names(&merge.cancels.conditions), ["open", "one->merge"]);
    assert_eq!(merge.cancels.tasks, [net.task("pack").unwrap()]);
    assert_eq!((names(&merge.holds), names(&merge.releases)), (vec![], vec!["ledger".to_owned()]));
    assert_eq!(names(&merge.inputs), ["one->merge", "pack->merge", "review->merge", "three->merge", "two->merge"]);
    assert_eq!(task("done").join, Join::Partial { of: 1, rest: Rest::Cancel });

    let pool = net.condition("pool").unwrap();
    assert_eq!(task("collect").takes, [(pool, 2)]);
    let given: Vec<_> = task("begin").outputs.iter().map(|flow| flow.tokens).collect();
    assert_eq!(given, [1, 3, 1, 1, 1, 1, 1]);
    assert_eq!(names(&task("three").reads), ["open", "vault", "two->merge"]);

    let ledger = &net.conditions[net.condition("ledger").unwrap().index()];
    assert!(ledger.mutex && !ledger.implicit);
    assert_eq!(ledger.consumers, [net.task("one").unwrap()]);
    assert_eq!(ledger.producers, [net.task("merge").unwrap()]);
    assert!(!task("one").inputs.contains(&net.condition("ledger").unwrap()), "joins do not count mutexes");

    let review = task("review").instances.as_ref().unwrap();
    assert!(matches!(review.count, InstanceCount::Each(_)));
    assert_eq!((review.min, review.max, review.add, review.threshold), (0, 10, true, Some(2)));
    assert_eq!(review.rest, InstanceRest::Cancel);
    let pack = task("pack").instances.as_ref().unwrap();
    assert!(matches!(pack.count, InstanceCount::Count(_)));
    assert_eq!((pack.min, pack.max, pack.add, pack.threshold), (1, actum_net::INSTANCES_MAX, false, None));
    assert_eq!(pack.rest, InstanceRest::Run);

    let three = task("three").trigger.as_ref().unwrap();
    assert_eq!((three.signal.as_str(), three.persistent), ("go", true));
    assert!(matches!(task("three").work, Work::Wait(Wait::Until(_))));
    assert!(matches!(task("Pack/deeper").work, Work::Composite { subnet: SubnetIx(1), .. }));
    assert!(net.subnets[1].implicit_termination && task("Pack/over").outputs.is_empty());

    let refund = net.task("refund").unwrap();
    assert!(task("refund").compensates && task("refund").inputs.is_empty());
    let rules: Vec<_> = task("review").exceptions.iter().map(|rule| (rule.answer, rule.scope)).collect();
    assert_eq!(
        rules,
        [
            (Answer::Restart, AnswerScope::Item),
            (Answer::Suspend, AnswerScope::Case),
            (Answer::Compensate(refund), AnswerScope::Case),
            (Answer::Compensate(refund), AnswerScope::Item),
        ]
    );
    let timeout = &task("review").exceptions[0].trigger;
    assert!(matches!(timeout, ExceptionTrigger::Timeout { from: TimeoutFrom::Started, .. }));
    assert!(net.subnets[0].exceptions.iter().all(|rule| rule.scope == AnswerScope::Case));
    assert_eq!(net.subnets[0].exceptions.len(), 4);
    assert_eq!(net.play.signals.iter().map(|play| play.minutes).collect::<Vec<_>>(), [(30, 30), (1, 9)]);
}

/// Limits hold at their edge, and not beyond.
#[test]
fn limits_are_where_they_are_said_to_be() {
    let nets = |count: usize, body: &dyn Fn(usize) -> String| -> String {
        let nets: String =
            (1..count).map(|at| format!("  R{at:03}: {{ start: a, tasks: {{ a: {{ {} }} }} }}\n", body(at))).collect();
        format!("actum: 1\nnet: n\nstart: a\ntasks: {{ a: {{ net: R001, flow: end }} }}\nnets:\n{nets}")
    };
    let flat = |_| "flow: end".to_owned();
    assert!(compile(&nets(actum_net::SUBNETS_MAX, &flat)).is_ok());
    assert_eq!(first_error(&nets(actum_net::SUBNETS_MAX + 1, &flat)), Code::TooLarge);
    let chain = |count: usize| {
        nets(count, &|at| {
            if at + 1 < count { format!("net: R{:03}, flow: end", at + 1) } else { "flow: end".to_owned() }
        })
    };
    assert!(compile(&chain(actum_net::NESTING_MAX)).is_ok());
    assert_eq!(first_error(&chain(actum_net::NESTING_MAX + 1)), Code::TooDeep);
    let task = |keys: &str| format!("actum: 1\nnet: n\nstart: a\ntasks: {{ a: {{ handler: h, {keys} }} }}\n");
    let tokens = |count: u32| task(&format!("flow: {{ to: end, tokens: {count} }}"));
    assert!(compile(&tokens(actum_net::TOKENS_MAX)).is_ok());
    assert_eq!(first_error(&tokens(actum_net::TOKENS_MAX + 1)), Code::BadValue);
    let instances = |count: u32| task(&format!("instances: {{ count: 1, max: {count} }}, flow: end"));
    assert!(compile(&instances(actum_net::INSTANCES_MAX)).is_ok());
    assert_eq!(first_error(&instances(actum_net::INSTANCES_MAX + 1)), Code::BadValue);
    let many: String = (0..=actum_net::NODES_MAX).map(|at| format!("t{at}: {{ flow: end }}, ")).collect();
    assert_eq!(first_error(&format!("actum: 1\nnet: n\nstart: t0\ntasks: {{ {many} }}\n")), Code::TooLarge);
}

fn first_error(source: &str) -> Code {
    let found = compile(source).expect_err("refused");
    found.iter().find(|finding| finding.severity == actum_net::Severity::Error).expect("an error").code
}

/// Recursion that can end is no finding, whatever ends it.
#[test]
fn recursion_that_can_end_is_allowed() {
    let recursive = |tasks: &str| {
        format!("actum: 1\nnet: n\nstart: a\ntasks: {{ a: {{ net: R, flow: end }} }}\nnets:\n  R: {{ {tasks} }}\n")
    };
    for tasks in [
        "start: [again, stop], tasks: { again: { net: R, flow: end }, stop: { flow: end } }",
        "start: a, tasks: { a: { split: or, flow: [{ to: again, when: '1 > 2' }, { to: end, default: true }] }, again: { net: R, flow: end } }",
        "start: a, tasks: { a: { net: R, instances: { count: 2, min: 0 }, flow: end } }",
        "start: a, tasks: { a: { net: R, instances: { count: 2, threshold: 0 }, flow: end } }",
        "start: a, tasks: { a: { net: R, exceptions: { timeout: { after: PT1H, do: complete } }, flow: end } }",
        "start: s, tasks: { s: { split: and, flow: [a, b] }, a: { net: R, flow: c }, b: { flow: c }, c: { join: xor, flow: end } }",
    ] {
        let checked = compile(&recursive(tasks)).unwrap_or_else(|found| panic!("{tasks}: {found:#?}"));
        assert_eq!(checked.warnings, [], "{tasks}");
    }
    for tasks in [
        "start: a, tasks: { a: { net: R, flow: end } }",
        "start: s, tasks: { s: { split: and, flow: [a, b] }, a: { net: R, flow: c }, b: { flow: c }, c: { join: and, flow: end } }",
        "termination: implicit, start: s, tasks: { s: { split: and, flow: [a, b] }, a: { net: R }, b: {} }",
    ] {
        assert_eq!(first_error(&recursive(tasks)), Code::EndlessRecursion, "{tasks}");
    }
}

/// A key that is added anywhere is refused by both.
#[test]
fn unknown_keys_are_refused_by_schema_and_compiler() {
    let schema = jsonschema::validator_for(&serde_json::from_str(JSON_SCHEMA).unwrap()).unwrap();
    let good: serde_json::Value = serde_json::from_slice(&everything().canonical).unwrap();
    assert!(schema.is_valid(&good));
    for place in [
        "/exceptions",
        "/exceptions/violation",
        "/exceptions/violation/do",
        "/nets/Pack",
        "/nets/Pack/tasks/wrap",
        "/nets/Pack/conditions/c",
        "/tasks/begin/flow/1",
        "/tasks/merge/join",
        "/tasks/review/instances",
        "/tasks/review/exceptions",
        "/tasks/review/exceptions/timeout",
        "/tasks/review/exceptions/unavailable",
        "/tasks/review/exceptions/external/lost",
        "/tasks/three/trigger",
        "/tasks/two/wait",
        "/play/signals/go",
    ] {
        let mut bad = good.clone();
        bad.pointer_mut(place).expect(place).as_object_mut().unwrap().insert("surprise".to_owned(), 1.into());
        assert!(!schema.is_valid(&bad), "the schema takes a surprise at {place:?}");
        let found = compile(&bad.to_string()).expect_err(place);
        assert!(found.iter().any(|finding| finding.code == Code::UnknownKey), "{place}: {found:#?}");
    }
}

/// What is written shortly is the same net as what is written out.
#[test]
fn shorthands_and_defaults_leave_no_trace() {
    let short = net(
        "actum: 1\nnet: n\nmutexes: m\nstart: a\nconditions: { p: { flow: b } }\ntasks:\n  a: { mutex: m, flow: p }\n  b: { role: c, instances: { count: 2 }, exceptions: { timeout: { after: PT1H, do: fail } }, reads: m, flow: end }\nroles: { c: }\n",
    );
    let long = net(
        "actum: 1\nnet: n\ntermination: explicit\nmutexes: [m]\nstart: [a]\nconditions: { p: { flow: [b] } }\ntasks:\n  a: { mutex: [m], takes: { start: 1 }, compensates: false, flow: [{ to: p, tokens: 1 }] }\n  b: { role: c, instances: { count: 2, min: 1, max: 10000, add: false, rest: run }, exceptions: { timeout: { after: PT1H, from: enabled, do: fail, scope: item } }, reads: [m], flow: end }\nroles: { c: }\n",
    );
    assert_eq!(String::from_utf8(short.canonical.clone()).unwrap(), String::from_utf8(long.canonical.clone()).unwrap());
    assert_eq!(short, long);
}

#[test]
fn separation_of_duties_reaches_into_other_nets() {
    let net = net(
        "actum: 1\nnet: n\nroles: { c: }\nstart: a\ntasks:\n  a: { net: R, flow: b }\n  b: { role: c, separate_from: R/look, flow: end }\nnets:\n  R: { start: look, tasks: { look: { role: c, flow: end } } }\n",
    );
    let look = net.task_labelled("R/look").unwrap();
    let Work::Manual { separate_from, .. } = &net.tasks[net.task("b").unwrap().index()].work else { panic!("manual") };
    assert_eq!(separate_from, &[look]);
}
