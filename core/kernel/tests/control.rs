//! What is cancelled by its task's name, what somebody completes by force, and rests that end by themselves.

mod world;

use actum_kernel::pending_effects;
use actum_model::{CaseCommand, CaseStatus, ItemId, RestEnd, Time, Value};

use world::{SECOND, World};

fn force(item: ItemId, result: Value) -> CaseCommand {
    CaseCommand::ForceWork { item, result, reason: "the bank is down".to_owned() }
}

const FORCED: &str = "data: { v: { type: int, default: 0 } }\nconditions: { p: { flow: [x, y] }, q: { flow: j } }\nstart: a\ntasks:\n  a: { split: and, flow: [{ to: p }, { to: b }] }\n  x: { handler: h, trigger: { signal: go }, output: { v: '{{ result.n }}' }, flow: q }\n  y: { handler: h, trigger: { signal: no }, flow: q }\n  b: { net: R, flow: j }\n  j: { join: and, flow: end }\nnets:\n  R:\n    start: s\n    tasks:\n      s: { handler: h, instances: { count: 2 }, flow: end }\n";

#[test]
fn an_item_is_completed_by_force_in_whichever_phase() {
    let begin = || {
        let mut world = World::of(FORCED);
        world.start("started +a >a .a +b >b (1 +x +y +R/s >R/s +R/s +R/s >R/s >R/s");
        world
    };
    let given = |n: Value| Value::Map([("n".to_owned(), n)].into());
    // Not begun: its tokens are taken, and who waited for them too is withdrawn. What does not fit leaves all as it was.
    let mut world = begin();
    let x = world.leaf("x");
    world.refuses(&force(x, given(Value::Bool(true))), "work/output");
    world.refuses(&force(x, Value::Null), "work/output");
    world.does(&force(x, given(Value::Int(7))), "force:x .x ~y");
    assert_eq!(world.case.variable(world.net.variable("v").unwrap()), Some(&Value::Int(7)));
    world.refuses(&force(x, given(Value::Int(7))), "work/not-found");
    // A subnet with all that runs in it.
    let b = world.firing("b");
    world.does(&force(b, Value::Null), "force:b #R/s #R/s #R/s )1# .b +j >j .j completed");
    // Of several, the list of their results; or one of them.
    let mut world = begin();
    let firing = world.case.control.items.iter().find(|item| world.name(item.task) == "R/s").unwrap().id;
    world.refuses(&force(firing, Value::Int(1)), "work/output");
    world.does(&force(firing, Value::List(vec![])), "force:R/s #R/s #R/s .R/s )1 .b");
    // Failed, and at rest.
    let mut world = begin();
    let one = world.leaf("R/s");
    world.ask(&CaseCommand::FailWork { item: one, code: "no".to_owned(), message: String::new() }).unwrap();
    world.ask(&CaseCommand::SuspendWork { item: one, until: Some(RestEnd::After { ns: SECOND }) }).unwrap();
    assert_eq!(world.case.control.rests().len(), 1);
    world.does(&force(one, Value::Int(1)), "force:R/s .R/s");
    assert!(world.case.control.rests().is_empty());
    // While the case rests, nothing is.
    world.does(&CaseCommand::SuspendCase { until: None }, "suspended");
    let x = world.leaf("x");
    world.refuses(&force(x, given(Value::Int(7))), "case/suspended");
}

#[test]
fn a_case_is_completed_by_force_wherever_it_is() {
    let force = |output: &[(&str, Value)]| CaseCommand::ForceCase {
        output: output.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        reason: "paid by cheque".to_owned(),
    };
    let mut world = World::of(FORCED);
    world.start("started +a >a .a +b >b (1 +x +y +R/s >R/s +R/s +R/s >R/s >R/s");
    world.refuses(&force(&[("w", Value::Null)]), "case/unknown-output");
    world.refuses(&force(&[("v", Value::Bool(true))]), "case/output-type");
    world.does(&CaseCommand::SuspendCase { until: None }, "suspended");
    world.does(&force(&[("v", Value::Int(3))]), "forced #R/s #R/s #R/s )1# #b ~x ~y completed");
    assert_eq!(world.case.control.status, CaseStatus::Completed);
    assert_eq!(world.case.variable(world.net.variable("v").unwrap()), Some(&Value::Int(3)));
    world.refuses(&force(&[]), "case/ended");
    // One that can do nothing more, too.
    let mut world = World::of(
        "start: a\ntasks:\n  a: { split: xor, flow: [{ to: b, when: 'true' }, { to: c, default: true }] }\n  b: { flow: j }\n  c: { flow: j }\n  j: { join: and, flow: end }\n",
    );
    world.start("started +a >a .a +b >b .b deadlocked");
    world.does(&force(&[]), "forced completed");
}

#[test]
fn a_rest_for_a_time_ends_by_itself() {
    let mut world = World::of(FORCED);
    world.start("started +a >a .a +b >b (1 +x +y +R/s >R/s +R/s +R/s >R/s >R/s");
    let at = |time: u64| Some(RestEnd::At(Time(time)));
    world.refuses(&CaseCommand::SuspendCase { until: at(10 * SECOND) }, "case/rest");
    world.does(&CaseCommand::SuspendCase { until: at(12 * SECOND) }, "suspended limited");
    assert_eq!(world.case.control.rest_until(None), Some(Time(12 * SECOND)));
    world.refuses(&CaseCommand::CaseTimerFired, "case/too-early");
    world.now = Time(12 * SECOND);
    world.does(&CaseCommand::CaseTimerFired, "resumed");
    world.refuses(&CaseCommand::CaseTimerFired, "case/no-timer");
    // Whoever resumes it before ends the rest; a rest without end has no timer.
    world.does(&CaseCommand::SuspendCase { until: Some(RestEnd::After { ns: SECOND }) }, "suspended limited");
    world.does(&CaseCommand::ResumeCase, "resumed");
    world.does(&CaseCommand::SuspendCase { until: None }, "suspended");
    world.refuses(&CaseCommand::CaseTimerFired, "case/suspended");
    world.does(&CaseCommand::ResumeCase, "resumed");
    // Missed: it is late, and says so. So does an item.
    world.does(&CaseCommand::SuspendCase { until: Some(RestEnd::After { ns: SECOND }) }, "suspended limited");
    world.now = Time(40 * SECOND);
    world.does(&CaseCommand::CaseTimerFired, "belated resumed");
    let x = world.leaf("x");
    world.refuses(&CaseCommand::SuspendWork { item: x, until: at(SECOND) }, "work/rest");
    world.does(&CaseCommand::SuspendWork { item: x, until: Some(RestEnd::After { ns: SECOND }) }, "rest:x limited");
    world.refuses(&CaseCommand::TimerFired { item: x }, "work/too-early");
    world.now = Time(41 * SECOND);
    world.does(&CaseCommand::TimerFired { item: x }, "wake:x");
    world.does(&CaseCommand::SuspendWork { item: x, until: Some(RestEnd::After { ns: SECOND }) }, "rest:x limited");
    world.now = Time(60 * SECOND);
    world.does(&CaseCommand::TimerFired { item: x }, "belated wake:x");
    let mut asked: Vec<_> = pending_effects(&world.net, &world.case).collect();
    asked.retain(|effect| !matches!(effect, actum_kernel::Effect::Invoke { .. }));
    assert!(asked.is_empty(), "{asked:?}");
}

/// A set that names a task and not its conditions cancels what runs of it. Its tokens stay, so what could begin still can.
#[test]
fn a_cancelled_task_that_has_not_begun_goes_only_with_its_tokens() {
    let net = |set: &str| {
        format!(
            "conditions: {{ p: {{ flow: x }} }}\nstart: a\ntasks:\n  a: {{ split: and, flow: [{{ to: k }}, {{ to: p }}] }}\n  x: {{ handler: h, trigger: {{ signal: go }}, flow: end }}\n  k: {{ handler: h, cancels: [{set}], flow: d }}\n  d: {{ handler: h, flow: end }}\n"
        )
    };
    let mut world = World::of(&net("x"));
    world.start("started +a >a .a +k >k +x");
    world.done("k", ".k +d >d");
    world.does(&CaseCommand::Signal { name: "go".to_owned(), data: Value::Null }, "signal >x");
    // Begun, it is cancelled, and its tokens with it.
    let mut world = World::of(&net("x"));
    world.start("started +a >a .a +k >k +x");
    world.does(&CaseCommand::Signal { name: "go".to_owned(), data: Value::Null }, "signal >x");
    world.done("k", ".k #x +d >d");
    world.done("d", ".d completed");
    // Named with its condition, it goes, before anything else happens.
    let mut world = World::of(&net("x, p"));
    world.start("started +a >a .a +k >k +x");
    world.done("k", ".k -k ~x +d >d");
    world.done("d", ".d completed");
    // One who cancels it themselves takes its tokens too: it does not come again at once.
    let mut world = World::of(&net("x"));
    world.start("started +a >a .a +k >k +x");
    let item = world.leaf("x");
    world.does(&CaseCommand::CancelWork { item }, "~x -x");
    world.done("k", ".k +d >d");
}

/// Cases that began before that was decided are decided as they were then.
#[test]
fn a_case_of_semantics_two_withdraws_a_cancelled_task_as_it_did() {
    let mut world = World::of(
        "conditions: { p: { flow: x } }\nstart: a\ntasks:\n  a: { split: and, flow: [{ to: k }, { to: p }] }\n  x: { handler: h, trigger: { signal: go }, flow: end }\n  k: { handler: h, cancels: [x], flow: d }\n  d: { handler: h, flow: end }\n",
    );
    world.start("started +a >a .a +k >k +x");
    world.case.semantics = 2;
    world.done("k", ".k ~x +d >d");
}
