//! The constructs beyond plain nets, in the order of the control-flow patterns: what happens, event by event.

use std::fmt::Write;

use actum_kernel::{
    Context, Decided, FRAME_DEPTH_MAX, RESTART_AFTER_LEAST, SIGNALS_MAX, decide, effects, pending_effects,
};
use actum_model::{
    ActorId, Case, CaseCommand, CaseEvent, CaseId, CaseStatus, Directory, ExceptionKind, FrameId, ItemId, Meta,
    RestEnd, Seq, Time, Value,
};
use actum_net::Net;

const SECOND: u64 = 1_000_000_000;

/// A case that is driven by commands of the engine; what happened is text.
struct World {
    net: Net,
    case: Case,
    directory: Directory,
    seq: u64,
    now: Time,
}

impl World {
    #[track_caller]
    fn of(net: &str) -> Self {
        let net = format!("actum: 1\nnet: test\n{net}");
        let net = actum_net::compile(&net).unwrap_or_else(|found| panic!("{found:#?}")).net;
        World { net, case: Case::unborn(CaseId(1)), directory: Directory::default(), seq: 0, now: Time(10 * SECOND) }
    }

    fn ask(&mut self, command: &CaseCommand) -> Result<Vec<Decided>, actum_model::Rejection> {
        let context = Context::new(self.now, ActorId::ENGINE, &self.directory);
        let decided = decide(&self.net, &self.case, command, &context)?;
        for one in &decided {
            self.seq += 1;
            let (seq, version) = (Seq(self.seq), self.case.version + 1);
            assert!(actum_kernel::fits(&self.net, &one.event), "{one:?}");
            self.case.apply(&Meta { seq, version, time: self.now, actor: one.actor, cause: None }, &one.event);
            let _ = effects(&self.net, &self.case, &one.event);
        }
        Ok(decided)
    }

    #[track_caller]
    fn does(&mut self, command: &CaseCommand, then: &str) {
        let decided = self.ask(command).unwrap_or_else(|rejection| panic!("rejected: {rejection}"));
        assert_eq!(self.text(&decided), then);
    }

    #[track_caller]
    fn refuses(&mut self, command: &CaseCommand, code: &str) {
        let before = self.case.clone();
        assert_eq!(self.ask(command).expect_err("a rejection").code, code);
        assert_eq!(self.case, before, "a rejection must leave the case as it was");
    }

    #[track_caller]
    fn start(&mut self, then: &str) {
        self.does(&CaseCommand::StartCase { input: [].into() }, then);
    }

    /// Completes the first live item of a task that is no firing of several.
    #[track_caller]
    fn done(&mut self, task: &str, then: &str) {
        let item = self.leaf(task);
        self.does(&CaseCommand::CompleteWork { item, result: Value::Int(i64::from(item.0)) }, then);
    }

    #[track_caller]
    fn leaf(&self, task: &str) -> ItemId {
        let task = self.net.task_labelled(task).expect("a task of the net");
        let of_task = |item: &&actum_model::WorkItemState| item.task == task;
        let several = self.net.tasks[task.index()].instances.is_some();
        let found = self.case.control.items.iter().filter(of_task).find(|item| item.instance.is_some() == several);
        found.unwrap_or_else(|| panic!("a live item")).id
    }

    #[track_caller]
    fn firing(&self, task: &str) -> ItemId {
        self.case.control.item_of(self.net.task(task).expect("a task")).expect("a live item").id
    }

    /// One word an event: `+t` enabled, `>t` started, `.t` completed, `!t` failed, `~t` withdrawn, `#t` cancelled, `^t` the case
    /// goes on, `(n` and `)n` a frame begins and ends, `/t` a partial join took note, `-t` tokens were cancelled.
    fn text(&self, decided: &[Decided]) -> String {
        let mut text = String::new();
        for Decided { event, .. } in decided {
            let word = match event {
                CaseEvent::CaseStarted { .. } => "started".to_owned(),
                CaseEvent::CaseCompleted => "completed".to_owned(),
                CaseEvent::CaseCancelled { .. } => "cancelled".to_owned(),
                CaseEvent::CaseDeadlocked => "deadlocked".to_owned(),
                CaseEvent::CaseFailed { code, .. } => code.clone(),
                CaseEvent::CaseSuspended => "suspended".to_owned(),
                CaseEvent::CaseResumed => "resumed".to_owned(),
                CaseEvent::SubnetStarted { frame, .. } => format!("({frame}"),
                CaseEvent::SubnetEnded { frame, completed: true, .. } => format!("){frame}"),
                CaseEvent::SubnetEnded { frame, .. } => format!("){frame}#"),
                CaseEvent::SignalReceived { item: Some(_), .. } => "signal".to_owned(),
                CaseEvent::SignalReceived { kept: true, .. } => "kept".to_owned(),
                CaseEvent::SignalReceived { .. } => "lost".to_owned(),
                CaseEvent::TimerFiredLate { .. } => "belated".to_owned(),
                CaseEvent::CaseForced { .. } => "forced".to_owned(),
                CaseEvent::RestLimited { .. } => "limited".to_owned(),
                CaseEvent::ExceptionRaised { kind, answer, .. } => format!("{}:{answer}", kind.name()),
                CaseEvent::JoinAdvanced { task, arrived, .. } => format!("/{}{}", self.name(*task), arrived.len()),
                CaseEvent::TokensCancelled { task, .. } => format!("-{}", self.name(*task)),
                work => {
                    let mark = match work {
                        CaseEvent::WorkEnabled { .. } => "+",
                        CaseEvent::WorkStarted { .. } => ">",
                        CaseEvent::WorkCompleted { .. } => ".",
                        CaseEvent::WorkFailed { .. } => "!",
                        CaseEvent::WorkWithdrawn { .. } => "~",
                        CaseEvent::WorkCancelled { .. } => "#",
                        CaseEvent::InstancesPassed { .. } => "^",
                        CaseEvent::WorkWaiting { .. } => "@",
                        CaseEvent::WorkTimedOut { .. } => "late:",
                        CaseEvent::WorkSuspended { .. } => "rest:",
                        CaseEvent::WorkResumed { .. } => "wake:",
                        CaseEvent::WorkRetried { .. } => "again:",
                        CaseEvent::WorkSkipped { .. } => "skip:",
                        CaseEvent::WorkForced { .. } => "force:",
                        other => panic!("{other:?}"),
                    };
                    format!("{mark}{}", work.work().map(|(_, task)| self.name(task)).unwrap_or_default())
                }
            };
            write!(text, "{}{word}", if text.is_empty() { "" } else { " " }).unwrap();
        }
        text
    }

    fn name(&self, task: actum_model::TaskIx) -> String {
        self.net.task_label(task)
    }
}

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
