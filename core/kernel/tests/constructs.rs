//! The constructs beyond plain nets, in the order of the control-flow patterns: what happens, event by event.

mod world;

use actum_kernel::{Context, FRAME_DEPTH_MAX, RESTART_AFTER_LEAST, SIGNALS_MAX, decide, pending_effects};
use actum_model::{ActorId, CaseCommand, CaseEvent, CaseStatus, ExceptionKind, FrameId, Time, Value};

use world::{SECOND, World};

fn signal(name: &str) -> CaseCommand {
    CaseCommand::Signal { name: name.to_owned(), data: Value::Null }
}

#[test]
fn wcp_9_a_discriminator_fires_once_and_is_reset_when_all_arrived() {
    let mut world = World::of(
        "termination: implicit\nstart: a\ntasks:\n  a: { split: and, flow: [{ to: b }, { to: c }] }\n  b: { handler: h, flow: j }\n  c: { handler: h, flow: j }\n  j: { join: { of: 1, rest: absorb }, flow: d }\n  d: { handler: h }\n",
    );
    world.start("started +a >a .a +b >b +c >c");
    world.done("b", ".b +j >j /j1 .j +d >d");
    world.done("c", ".c /j0");
    assert!(world.case.control.arrivals().is_empty());
    world.done("d", ".d completed");
}

#[test]
fn wcp_28_a_blocking_join_lets_second_tokens_wait() {
    let mut world = World::of(
        "termination: implicit\nstart: s\ntasks:\n  s: { split: and, flow: [{ to: b, tokens: 2 }, { to: c, tokens: 2 }] }\n  b: { handler: h, flow: j }\n  c: { handler: h, flow: j }\n  j: { join: { of: 1, rest: block }, flow: d }\n  d: { handler: h }\n",
    );
    world.start("started +s >s .s +b >b +c >c");
    world.done("b", ".b +b >b +j >j /j1 .j +d >d");
    world.done("b", ".b");
    world.done("c", ".c +c >c /j0 +j >j /j1 .j");
    world.done("d", ".d +d >d");
    world.done("c", ".c /j0");
    world.done("d", ".d completed");
}

#[test]
fn wcp_29_a_cancelling_join_stops_the_others_when_it_fires() {
    let mut world = World::of(
        "start: a\ntasks:\n  a: { split: and, flow: [{ to: b }, { to: c }] }\n  b: { handler: h, flow: j }\n  c: { handler: h, flow: j }\n  j: { join: { of: 1, rest: cancel }, cancels: [b, c], flow: d }\n  d: { handler: h, flow: end }\n",
    );
    world.start("started +a >a .a +b >b +c >c");
    world.done("c", ".c +j >j #b .j +d >d");
    world.done("d", ".d completed");
}

#[test]
fn wcp_11_a_case_without_an_end_ends_when_nothing_is_left() {
    let mut world = World::of(
        "termination: implicit\nstart: a\ntasks:\n  a: { split: and, flow: [{ to: b }, { to: c }] }\n  b: { handler: h }\n  c: { handler: h }\n",
    );
    world.start("started +a >a .a +b >b +c >c");
    world.done("b", ".b");
    world.done("c", ".c completed");
}

#[test]
fn wcp_12_to_15_instances() {
    let mut world = World::of(
        "start: b\ntasks:\n  b: { handler: h, instances: { count: 2, max: 3, add: true }, flow: c }\n  c: { handler: h, flow: end }\n",
    );
    world.start("started +b >b +b +b >b >b");
    let item = world.firing("b");
    world.refuses(&CaseCommand::CompleteWork { item, result: Value::Null }, "work/compound");
    world.done("b", ".b");
    world.does(&CaseCommand::AddInstance { item, each: None }, "+b >b");
    world.refuses(&CaseCommand::AddInstance { item, each: None }, "work/instances");
    world.done("b", ".b");
    world.done("b", ".b .b +c >c");
    world.refuses(&CaseCommand::AddInstance { item, each: None }, "work/not-found");
    world.done("c", ".c completed");
}

#[test]
fn wcp_14_a_number_that_is_not_allowed_fails_the_firing_and_harms_nothing() {
    let mut world = World::of(
        "data: { n: { type: int, input: true, default: 5 } }\nstart: b\ntasks:\n  b: { handler: h, instances: { count: '{{ n }}', min: 1, max: 3 }, flow: end }\n",
    );
    world.start("started +b >b !b");
    assert_eq!(world.case.control.status, CaseStatus::Open);
}

#[test]
fn wcp_26_and_27_a_firing_is_cancelled_or_completed_as_a_whole() {
    let net = "termination: implicit\nstart: b\ntasks:\n  b: { handler: h, instances: { count: 2 }, flow: c }\n  c: { handler: h }\n";
    let mut world = World::of(net);
    world.start("started +b >b +b +b >b >b");
    world.done("b", ".b");
    world.does(&CaseCommand::CancelWork { item: world.firing("b") }, "#b #b completed");
    let mut world = World::of(net);
    world.start("started +b >b +b +b >b >b");
    world.does(&CaseCommand::CompleteInstances { item: world.firing("b") }, "#b #b .b +c >c");
}

#[test]
fn wcp_34_to_36_a_firing_goes_on_early() {
    let net = |more: &str| {
        format!(
            "termination: implicit\ndata: {{ all: {{ type: list }} }}\nstart: b\ntasks:\n  b: {{ handler: h, instances: {{ count: 3, {more} }}, output: {{ all: '{{{{ results }}}}' }}, flow: c }}\n  c: {{ handler: h }}\n"
        )
    };
    let mut world = World::of(&net("threshold: 2"));
    world.start("started +b >b +b +b +b >b >b >b");
    world.done("b", ".b");
    world.done("b", ".b ^b +c >c");
    let all = world.case.variable(world.net.variable("all").unwrap()).cloned();
    assert_eq!(all, Some(Value::List(vec![Value::Int(1), Value::Int(2)])));
    world.done("c", ".c");
    world.done("b", ".b .b completed");
    let mut world = World::of(&net("threshold: 2, rest: cancel"));
    world.start("started +b >b +b +b +b >b >b >b");
    world.done("b", ".b");
    world.done("b", ".b #b .b +c >c");
    let mut world = World::of(&net("until: 'completed == 1 && active == 2'"));
    world.start("started +b >b +b +b +b >b >b >b");
    world.done("b", ".b ^b +c >c");
}

#[test]
fn wcp_18_a_milestone_is_read_and_not_taken() {
    let mut world = World::of(
        "conditions: { m: { flow: c } }\nstart: a\ntasks:\n  a: { split: and, flow: [{ to: b }, { to: e }] }\n  b: { handler: h, flow: m }\n  c: { role: r, flow: end }\n  e: { handler: h, reads: [m], flow: f }\n  f: { handler: h, flow: end }\nroles: { r: {} }\n",
    );
    let context = Context::new(world.now, ActorId::ENGINE, &world.directory);
    let start = CaseCommand::StartCase { input: [].into() };
    assert!(decide(&world.net, &world.case, &start, &context).is_ok());
    world.start("started +a >a .a +b >b");
    let item = world.leaf("b");
    let decided = world.ask(&CaseCommand::CompleteWork { item, result: Value::Null }).unwrap();
    let started: Vec<_> = decided.iter().filter(|one| matches!(one.event, CaseEvent::WorkStarted { .. })).collect();
    assert_eq!(started.len(), 1, "e starts while m is marked: {decided:?}");
    let m = world.net.condition("m").unwrap();
    assert_eq!(world.case.control.marking.count(FrameId::ROOT, m), 1);
}

#[test]
fn wcp_19_and_25_cancellation_happens_at_completion() {
    let mut world = World::of(
        "conditions: { p: { flow: x } }\nstart: a\ntasks:\n  a: { split: and, flow: [{ to: b }, { to: k }, { to: p }] }\n  b: { handler: h, flow: end }\n  x: { handler: h, trigger: { signal: go }, flow: end }\n  k: { handler: h, cancels: [b, p], flow: d }\n  d: { handler: h, flow: end }\n",
    );
    world.start("started +a >a .a +b >b +k >k +x");
    world.done("k", ".k #b -k +d >d ~x");
    world.done("d", ".d completed");
}

#[test]
fn wcp_22_subnets_run_in_frames_of_their_own_and_may_recurse() {
    let net = |n: i64| {
        format!(
            "data: {{ n: {{ type: int, input: true, default: {n} }}, sum: {{ type: int }} }}\nstart: r\ntasks:\n  r: {{ net: R, params: {{ n: '{{{{ n }}}}' }}, output: {{ sum: '{{{{ result.sum }}}}' }}, flow: end }}\nnets:\n  R:\n    data: {{ n: {{ type: int, input: true }}, sum: {{ type: int }} }}\n    start: s\n    tasks:\n      s: {{ split: xor, flow: [{{ to: base, when: 'n <= 0' }}, {{ to: again, default: true }}] }}\n      base: {{ output: {{ sum: '{{{{ 0 }}}}' }}, flow: end }}\n      again: {{ net: R, params: {{ n: '{{{{ n - 1 }}}}' }}, output: {{ sum: '{{{{ result.sum + n }}}}' }}, flow: end }}\n"
        )
    };
    let mut world = World::of(&net(1));
    world.start(
        "started +r >r (1 +R/s >R/s .R/s +R/again >R/again (2 +R/s >R/s .R/s +R/base >R/base .R/base )2 .R/again )1 .r completed",
    );
    let mut world = World::of(&net(10));
    world.ask(&CaseCommand::StartCase { input: [].into() }).unwrap();
    assert_eq!(world.case.variable(world.net.variable("sum").unwrap()), Some(&Value::Int(55)));
    // Endless recursion fails an item, and the case can be gone on with.
    let mut world = World::of(&net(1_000_000));
    let decided = world.ask(&CaseCommand::StartCase { input: [].into() }).unwrap();
    assert!(matches!(&decided.last().unwrap().event, CaseEvent::WorkFailed { code, .. } if code == "work/depth"));
    assert_eq!((world.case.control.status, world.case.control.frames().len()), (CaseStatus::Open, FRAME_DEPTH_MAX));
    let item = world.firing("r");
    world.ask(&CaseCommand::CancelWork { item }).unwrap();
    assert_eq!(world.case.control.status, CaseStatus::Deadlocked);
}

#[test]
fn wcp_23_and_24_signals_are_lost_or_kept() {
    let net = |persistent: bool| {
        format!(
            "start: a\ntasks:\n  a: {{ handler: h, flow: b }}\n  b: {{ handler: h, trigger: {{ signal: s, persistent: {persistent} }}, flow: end }}\n"
        )
    };
    let mut world = World::of(&net(false));
    world.start("started +a >a");
    world.does(&signal("s"), "lost");
    world.refuses(&signal("t"), "case/unknown-signal");
    world.done("a", ".a +b");
    world.does(&signal("s"), "signal >b");
    let mut world = World::of(&net(true));
    world.start("started +a >a");
    for _ in 0..SIGNALS_MAX {
        world.does(&signal("s"), "kept");
    }
    world.refuses(&signal("s"), "case/signals");
    world.done("a", ".a +b signal >b");
    assert_eq!(world.case.control.signals().len(), SIGNALS_MAX - 1);
}

#[test]
fn wcp_39_and_40_mutexes_exclude() {
    let mut world = World::of(
        "mutexes: [x]\nstart: a\ntasks:\n  a: { split: and, flow: [{ to: b }, { to: c }] }\n  b: { handler: h, mutex: [x], flow: e }\n  c: { handler: h, mutex: [x], flow: e }\n  e: { join: and, flow: end }\n",
    );
    world.start("started +a >a .a +b >b");
    // A mutex comes back also from work that is cancelled.
    let item = world.firing("b");
    world.does(&CaseCommand::CancelWork { item }, "#b +c >c");
    world.done("c", ".c deadlocked");
}

#[test]
fn wcp_41_and_42_weights_merge_and_split_threads() {
    let mut world = World::of(
        "conditions: { q: { flow: m } }\nstart: s\ntasks:\n  s: { flow: [{ to: b, tokens: 3 }] }\n  b: { handler: h, flow: q }\n  m: { takes: { q: 3 }, flow: d }\n  d: { handler: h, flow: end }\n",
    );
    world.start("started +s >s .s +b >b");
    world.done("b", ".b +b >b");
    world.done("b", ".b +b >b");
    world.done("b", ".b +m >m .m +d >d");
    world.done("d", ".d completed");
}

#[test]
fn a_wait_leaves_its_tokens_until_its_time_comes() {
    let mut world = World::of(
        "conditions: { p: { flow: [w, x] } }\nstart: a\ntasks:\n  a: { flow: p }\n  w: { wait: { for: PT5S }, flow: end }\n  x: { handler: h, trigger: { signal: s }, flow: end }\n",
    );
    world.start("started +a >a .a +w @w +x");
    let item = world.firing("w");
    world.refuses(&CaseCommand::TimerFired { item }, "work/too-early");
    world.does(&CaseCommand::SuspendCase { until: None }, "suspended");
    world.now = Time(16 * SECOND);
    world.refuses(&CaseCommand::TimerFired { item }, "case/suspended");
    // A deferred choice: whoever comes first takes the token.
    world.does(&CaseCommand::ResumeCase, "resumed >w .w ~x completed");
}

#[test]
fn suspended_cases_take_results_in_and_begin_nothing() {
    let mut world = World::of("start: a\ntasks:\n  a: { handler: h, flow: b }\n  b: { handler: h, flow: end }\n");
    world.start("started +a >a");
    world.does(&CaseCommand::SuspendCase { until: None }, "suspended");
    world.refuses(&CaseCommand::SuspendCase { until: None }, "case/suspended");
    world.done("a", ".a");
    world.does(&CaseCommand::ResumeCase, "resumed +b >b");
    world.refuses(&CaseCommand::ResumeCase, "case/not-suspended");
    let item = world.firing("b");
    world.does(&CaseCommand::SuspendWork { item, until: None }, "rest:b");
    world.refuses(&CaseCommand::CompleteWork { item, result: Value::Null }, "work/phase");
    world.does(&CaseCommand::ResumeWork { item }, "wake:b");
    world.done("b", ".b completed");
}

#[test]
fn exceptions_are_answered_as_the_net_says() {
    let net = |rules: &str| {
        format!(
            "start: a\ntasks:\n  a: {{ handler: h, exceptions: {{ {rules} }}, flow: b }}\n  b: {{ handler: h, flow: end }}\n  u: {{ handler: h, compensates: true }}\n"
        )
    };
    let raise = |item| CaseCommand::RaiseException {
        item: Some(item),
        kind: ExceptionKind::External,
        name: "fire".to_owned(),
        message: String::new(),
    };
    for (answer, then) in [
        ("continue", "external:continue"),
        ("suspend", "external:suspend rest:a"),
        ("remove", "external:remove #a deadlocked"),
        ("restart", "external:restart #a +a >a"),
        ("complete", "external:complete skip:a +b >b"),
        ("fail", "external:fail !a"),
        ("{ compensate: u }", "external:compensate u #a +u >u"),
        ("{ do: fail, scope: case }", "external:case: fail #a case/exception"),
        ("{ do: suspend, scope: case }", "external:case: suspend suspended"),
    ] {
        let mut world = World::of(&net(&format!("external: {{ fire: {answer} }}")));
        world.start("started +a >a");
        let item = world.firing("a");
        world.does(&raise(item), then);
    }
    let mut world = World::of(&net("abort: complete, timeout: { after: PT5S, do: restart }"));
    world.start("started +a @a >a");
    let item = world.firing("a");
    world.refuses(&raise(item), "case/no-rule");
    world.now = Time(15 * SECOND);
    world.does(&CaseCommand::TimerFired { item }, "late:a timeout:restart #a +a @a >a");
    let item = world.firing("a");
    let fail = CaseCommand::FailWork { item, code: "x".to_owned(), message: String::new() };
    world.does(&fail, "!a abort:complete skip:a +b >b");
    let mut world = World::of(&net("abort: { compensate: u }"));
    world.start("started +a >a");
    let item = world.firing("a");
    let fail = CaseCommand::FailWork { item, code: "x".to_owned(), message: String::new() };
    world.does(&fail, "!a abort:compensate u #a +u >u");
    world.done("u", ".u cancelled");
}

#[test]
fn a_wait_that_failed_has_no_timer_any_more() {
    let mut world = World::of(
        "data: { n: { type: int, default: 0 } }\nstart: w\ntasks:\n  w: { wait: { for: PT5S }, output: { n: '{{ 1 / n }}' }, exceptions: { external: { x: fail } }, flow: end }\n",
    );
    world.start("started +w @w");
    let item = world.firing("w");
    assert_eq!(pending_effects(&world.net, &world.case).count(), 1);
    world.now = Time(20 * SECOND);
    world.does(&CaseCommand::TimerFired { item }, "belated >w !w");
    assert_eq!(pending_effects(&world.net, &world.case).count(), 0);
    world.refuses(&CaseCommand::TimerFired { item }, "work/no-timer");
    world.does(&CaseCommand::SuspendCase { until: None }, "suspended");
    world.does(&CaseCommand::ResumeCase, "resumed");
}

#[test]
fn a_timeout_of_nothing_does_not_restart_its_work_for_ever() {
    let mut world = World::of(
        "start: a\ntasks:\n  a: { handler: h, exceptions: { timeout: { after: PT0S, do: restart } }, flow: end }\n",
    );
    world.start("started +a @a >a");
    let item = world.firing("a");
    world.refuses(&CaseCommand::TimerFired { item }, "work/too-early");
    world.now = Time(world.now.0 + RESTART_AFTER_LEAST);
    world.does(&CaseCommand::TimerFired { item }, "late:a timeout:restart #a +a @a >a");
    let item = world.firing("a");
    world.refuses(&CaseCommand::TimerFired { item }, "work/too-early");
}

#[test]
fn a_timeout_that_cannot_be_computed_fails_the_work() {
    for (work, from, then) in [
        ("handler: h", "enabled", "started +a >a !a"),
        ("handler: h", "started", "started +a >a !a"),
        ("trigger: { signal: s }, handler: h", "enabled", "started +a >a !a"),
        ("handler: h, instances: { count: 2 }", "enabled", "started +a >a !a"),
    ] {
        let mut world = World::of(&format!(
            "data: {{ t: {{ type: string, default: soon }} }}\nstart: a\ntasks:\n  a: {{ {work}, exceptions: {{ timeout: {{ after: '{{{{ t }}}}', from: {from}, do: remove }} }}, flow: end }}\n"
        ));
        let decided = world.ask(&CaseCommand::StartCase { input: [].into() }).unwrap();
        let code = |event: &CaseEvent| match event {
            CaseEvent::WorkFailed { code, .. } => Some(code.clone()),
            _ => None,
        };
        assert_eq!(decided.iter().find_map(|one| code(&one.event)).as_deref(), Some("work/timeout"), "{work} {from}");
        assert_eq!(world.text(&decided), then, "{work} {from}");
    }
}

#[test]
fn a_firing_that_went_on_gives_its_tokens_once_whatever_the_answer() {
    for answer in ["complete", "restart"] {
        let mut world = World::of(&format!(
            "termination: implicit\nstart: b\ntasks:\n  b: {{ handler: h, instances: {{ count: 2, threshold: 1 }}, exceptions: {{ external: {{ fire: {answer} }} }}, flow: c }}\n  c: {{ handler: h }}\n"
        ));
        world.start("started +b >b +b +b >b >b");
        world.done("b", ".b ^b +c >c");
        let item = world.firing("b");
        let raise = CaseCommand::RaiseException {
            item: Some(item),
            kind: ExceptionKind::External,
            name: "fire".to_owned(),
            message: String::new(),
        };
        world.does(&raise, &format!("external:{answer} #b skip:b"));
        world.done("c", ".c completed");
    }
}

#[test]
fn a_join_that_cancelled_as_it_fired_does_not_cancel_again_when_it_is_completed() {
    let mut world = World::of(
        "termination: implicit\nstart: a\ntasks:\n  a: { split: and, flow: [{ to: b, tokens: 2 }, { to: c }] }\n  b: { handler: h, flow: [j, x], split: and }\n  c: { handler: h, flow: j }\n  x: { flow: y }\n  y: { handler: h }\n  j: { join: { of: 1, rest: cancel }, handler: h, cancels: [y], exceptions: { external: { fire: complete } }, flow: d }\n  d: { handler: h }\n",
    );
    world.start("started +a >a .a +b >b +c >c");
    world.done("b", ".b +b >b +j >j +x >x .x +y >y");
    let item = world.firing("j");
    let raise = CaseCommand::RaiseException {
        item: Some(item),
        kind: ExceptionKind::External,
        name: "fire".to_owned(),
        message: String::new(),
    };
    world.does(&raise, "external:complete skip:j +d >d");
}
