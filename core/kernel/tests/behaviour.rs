//! What the kernel decides: given a net and what was done so far, when a command comes, then these events happen.

use std::collections::BTreeMap;
use std::fmt::Write;

use actum_kernel::{Context, Decided, decide};
use actum_model::{
    ActorId, Case, CaseCommand, CaseEvent, CaseId, CaseStatus, Decimal, Directory, ItemId, Meta, Rejection, Seq,
    SystemEvent, Time, Value,
};
use actum_net::Net;

const ANA: ActorId = ActorId(1);
const BEN: ActorId = ActorId(2);
const EVE: ActorId = ActorId(3);

/// A case that is driven by commands; what happened is kept as text.
struct World {
    net: Net,
    case: Case,
    directory: Directory,
    seq: u64,
}

impl World {
    fn of(net: &str) -> Self {
        let net = actum_net::compile(net).unwrap_or_else(|found| panic!("{found:#?}")).net;
        let mut directory = Directory::default();
        for (actor, name, roles) in
            [(ANA, "ana", vec!["clerk"]), (BEN, "ben", vec!["clerk", "boss"]), (EVE, "eve", vec![])]
        {
            let roles = roles.into_iter().map(str::to_owned).collect();
            directory.apply(&SystemEvent::ActorRegistered { actor, name: name.to_owned(), roles });
        }
        World { net, case: Case::unborn(CaseId(1)), directory, seq: 10 }
    }

    fn ask(&mut self, actor: ActorId, command: &CaseCommand) -> Result<Vec<Decided>, Rejection> {
        let context = Context::new(Time(5), actor, &self.directory);
        let decided = decide(&self.net, &self.case, command, &context)?;
        for one in &decided {
            self.seq += 1;
            let meta = Meta {
                seq: Seq(self.seq),
                version: self.case.version + 1,
                time: Time(5),
                actor: one.actor,
                cause: None,
            };
            self.case.apply(&meta, &one.event);
        }
        Ok(decided)
    }

    #[track_caller]
    fn does(&mut self, actor: ActorId, command: &CaseCommand, then: &str) {
        let decided = self.ask(actor, command).unwrap_or_else(|rejection| panic!("rejected: {rejection}"));
        assert_eq!(self.text(&decided), then);
    }

    #[track_caller]
    fn refuses(&mut self, actor: ActorId, command: &CaseCommand, code: &str) {
        let before = self.case.clone();
        let rejection = self.ask(actor, command).expect_err("a rejection");
        assert_eq!(rejection.code, code, "{rejection}");
        assert_eq!(self.case, before, "a rejection must leave the case as it was");
    }

    #[track_caller]
    fn start(&mut self, input: &[(&str, Value)], then: &str) {
        let input = input.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.does(ActorId::ENGINE, &CaseCommand::StartCase { input }, then);
    }

    #[track_caller]
    fn complete(&mut self, task: &str, result: Value, then: &str) {
        let item = self.item(task);
        self.does(ActorId::ENGINE, &CaseCommand::CompleteWork { item, result }, then);
    }

    #[track_caller]
    fn item(&self, task: &str) -> ItemId {
        let task = self.net.task(task).expect("a task of the net");
        self.case.control.item_of(task).unwrap_or_else(|| panic!("a live item")).id
    }

    /// One word an event: `+t` enabled, `?t` offered, `=t` allocated, `>t` started, `.t` completed, `!t` failed, `~t`
    /// withdrawn, `#t` cancelled.
    fn text(&self, decided: &[Decided]) -> String {
        let mut text = String::new();
        for Decided { event, .. } in decided {
            let mark = match event {
                CaseEvent::CaseStarted { .. } => "started",
                CaseEvent::CaseCompleted => "completed",
                CaseEvent::CaseCancelled { .. } => "cancelled",
                CaseEvent::CaseDeadlocked => "deadlocked",
                CaseEvent::CaseFailed { code, .. } => code,
                CaseEvent::WorkEnabled { .. } => "+",
                CaseEvent::WorkOffered { .. } => "?",
                CaseEvent::WorkAllocated { .. } => "=",
                CaseEvent::WorkStarted { .. } => ">",
                CaseEvent::WorkCompleted { .. } => ".",
                CaseEvent::WorkFailed { .. } => "!",
                CaseEvent::WorkRetried { .. } => "again ",
                CaseEvent::WorkWithdrawn { .. } => "~",
                CaseEvent::WorkCancelled { .. } => "#",
                other => panic!("{other:?}"),
            };
            let task = event.work().map(|(_, task)| self.net.tasks[task.index()].name.as_str()).unwrap_or_default();
            write!(text, "{}{mark}{task}", if text.is_empty() { "" } else { " " }).unwrap();
        }
        text
    }
}

fn map(entries: &[(&str, Value)]) -> Value {
    Value::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect::<BTreeMap<_, _>>())
}

fn automatic(tasks: &str) -> String {
    format!("actum: 1\nnet: test\n{tasks}")
}

#[test]
fn a_sequence_runs_from_start_to_end() {
    let mut world =
        World::of(&automatic("start: a\ntasks:\n  a: { handler: h, flow: b }\n  b: { handler: h, flow: end }\n"));
    world.start(&[], "started +a >a");
    world.complete("a", Value::Null, ".a +b >b");
    world.complete("b", Value::Null, ".b completed");
    assert_eq!(world.case.control.status, CaseStatus::Completed);
    world.refuses(ActorId::ENGINE, &CaseCommand::CancelCase { reason: String::new() }, "case/ended");
}

#[test]
fn and_split_and_join_synchronise() {
    let net = automatic(
        "start: a\ntasks:\n  a: { split: and, flow: [{ to: b }, { to: c }] }\n  b: { handler: h, flow: d }\n  c: { handler: h, flow: d }\n  d: { join: and, handler: h, flow: end }\n",
    );
    let mut world = World::of(&net);
    world.start(&[], "started +a >a .a +b >b +c >c");
    world.complete("c", Value::Null, ".c");
    world.complete("b", Value::Null, ".b +d >d");
    world.complete("d", Value::Null, ".d completed");
}

#[test]
fn xor_takes_the_first_true_guard_else_the_default() {
    let net = automatic(
        "data: { n: { type: int, input: true } }\nstart: a\ntasks:\n  a: { split: xor, flow: [{ to: b, when: \"n > 10\" }, { to: c, when: \"n > 5\" }, { to: d, default: true }] }\n  b: { handler: h, flow: end }\n  c: { handler: h, flow: end }\n  d: { handler: h, flow: end }\n",
    );
    for (n, then) in [(11, "started +a >a .a +b >b"), (6, "started +a >a .a +c >c"), (5, "started +a >a .a +d >d")] {
        World::of(&net).start(&[("n", Value::Int(n))], then);
    }
}

const OR: &str = "data: { x: { type: bool, input: true }, y: { type: bool, input: true } }\nstart: a\ntasks:\n  a: { split: or, flow: [{ to: b, when: x }, { to: c, when: y }, { to: d, default: true }] }\n  b: { handler: h, flow: j }\n  c: { handler: h, flow: j }\n  d: { handler: h, flow: j }\n  j: { join: or, handler: h, flow: end }\n";

#[test]
fn or_join_waits_for_every_branch_that_was_taken() {
    let mut world = World::of(&automatic(OR));
    world.start(&[("x", Value::Bool(true)), ("y", Value::Bool(true))], "started +a >a .a +b >b +c >c");
    world.complete("b", Value::Null, ".b");
    world.complete("c", Value::Null, ".c +j >j");
    world.complete("j", Value::Null, ".j completed");
}

#[test]
fn or_join_waits_for_nothing_that_cannot_come() {
    let mut world = World::of(&automatic(OR));
    world.start(&[("x", Value::Bool(false)), ("y", Value::Bool(true))], "started +a >a .a +c >c");
    world.complete("c", Value::Null, ".c +j >j");
    let mut world = World::of(&automatic(OR));
    world.start(&[("x", Value::Bool(false)), ("y", Value::Bool(false))], "started +a >a .a +d >d");
    world.complete("d", Value::Null, ".d +j >j");
}

#[test]
fn a_loop_ends_by_its_data() {
    let net = automatic(
        "data: { n: { type: int, default: 0 } }\nstart: try\ntasks:\n  try: { join: xor, handler: h, output: { n: \"{{ n + 1 }}\" }, split: xor, flow: [{ to: try, when: \"n < 3\" }, { to: done, default: true }] }\n  done: { handler: h, flow: end }\n",
    );
    let mut world = World::of(&net);
    world.start(&[], "started +try >try");
    world.complete("try", Value::Null, ".try +try >try");
    world.complete("try", Value::Null, ".try +try >try");
    world.complete("try", Value::Null, ".try +done >done");
    assert_eq!(world.case.variable(world.net.variable("n").unwrap()), Some(&Value::Int(3)));
}

#[test]
fn routing_in_circles_ends_the_case_instead_of_the_engine() {
    let net = automatic(
        "data: { go: { type: bool, input: true } }\nstart: a\ntasks:\n  a: { join: xor, split: xor, flow: [{ to: b, when: go }, { to: end, default: true }] }\n  b: { flow: a }\n",
    );
    let mut world = World::of(&net);
    let input = BTreeMap::from([("go".to_owned(), Value::Bool(true))]);
    let decided = world.ask(ActorId::ENGINE, &CaseCommand::StartCase { input }).unwrap();
    assert!(matches!(&decided.last().unwrap().event, CaseEvent::CaseFailed { code, .. } if code == "case/livelock"));
    assert_eq!(world.case.control.status, CaseStatus::Failed);
}

#[test]
fn a_deferred_choice_is_decided_at_start() {
    let net = "actum: 1\nnet: test\nroles: { clerk: {}, boss: {} }\nconditions: { wait: {} }\nstart: a\ntasks:\n  a: { flow: wait }\n  b: { role: clerk, flow: end }\n  c: { role: boss, flow: end }\n";
    let net =
        net.replace("  b: {", "  b: { ").replace("conditions: { wait: {} }", "conditions: { wait: { flow: [b, c] } }");
    let mut world = World::of(&net);
    world.start(&[], "started +a >a .a +b ?b +c ?c");
    let (b, c) = (world.item("b"), world.item("c"));
    world.does(ANA, &CaseCommand::TakeWork { item: b }, "=b");
    world.does(BEN, &CaseCommand::TakeWork { item: c }, "=c");
    world.does(BEN, &CaseCommand::StartWork { item: c }, ">c ~b");
    world.refuses(ANA, &CaseCommand::StartWork { item: b }, "work/not-found");
    world.does(BEN, &CaseCommand::CompleteWork { item: c, result: map(&[]) }, ".c completed");
}

const APPROVALS: &str = "actum: 1\nnet: test\ndata: { ok: { type: bool } }\nroles: { clerk: {} }\nstart: one\ntasks:\n  one: { role: clerk, form: { yes: { type: bool, required: true } }, output: { ok: \"{{ result.yes }}\" }, flow: two }\n  two: { role: clerk, separate_from: [one], flow: end }\n";

#[test]
fn people_may_do_what_is_theirs_and_nothing_else() {
    let mut world = World::of(APPROVALS);
    world.start(&[], "started +one ?one");
    let item = world.item("one");
    world.refuses(EVE, &CaseCommand::TakeWork { item }, "work/role");
    world.refuses(ANA, &CaseCommand::StartWork { item }, "work/phase");
    world.refuses(ANA, &CaseCommand::OfferWork { item, to: vec![EVE] }, "work/role");
    world.does(ANA, &CaseCommand::OfferWork { item, to: vec![ANA] }, "?one");
    world.refuses(BEN, &CaseCommand::TakeWork { item }, "work/not-offered");
    world.does(ANA, &CaseCommand::TakeWork { item }, "=one");
    world.refuses(BEN, &CaseCommand::StartWork { item }, "work/not-yours");
    world.does(ANA, &CaseCommand::StartWork { item }, ">one");
    for result in
        [Value::Null, map(&[]), map(&[("yes", Value::Int(1))]), map(&[("yes", Value::Bool(true)), ("no", Value::Null)])]
    {
        world.refuses(ANA, &CaseCommand::CompleteWork { item, result }, "work/result-form");
    }
    world.refuses(
        BEN,
        &CaseCommand::CompleteWork { item, result: map(&[("yes", Value::Bool(true))]) },
        "work/not-yours",
    );
    world.does(ANA, &CaseCommand::CompleteWork { item, result: map(&[("yes", Value::Bool(true))]) }, ".one +two ?two");
    world.refuses(ANA, &CaseCommand::CompleteWork { item, result: Value::Null }, "work/not-found");
    let item = world.item("two");
    world.refuses(ANA, &CaseCommand::TakeWork { item }, "work/separation");
    world.does(BEN, &CaseCommand::TakeWork { item }, "=two");
}

#[test]
fn separation_holds_between_items_that_are_both_under_way() {
    let net = "actum: 1\nnet: test\nroles: { clerk: {} }\nstart: a\ntasks:\n  a: { split: and, flow: [{ to: one }, { to: two }] }\n  one: { role: clerk, flow: j }\n  two: { role: clerk, separate_from: [one], flow: j }\n  j: { join: and, flow: end }\n";
    let mut world = World::of(net);
    world.start(&[], "started +a >a .a +one ?one +two ?two");
    let (one, two) = (world.item("one"), world.item("two"));
    world.does(ANA, &CaseCommand::TakeWork { item: two }, "=two");
    world.refuses(ANA, &CaseCommand::TakeWork { item: one }, "work/separation");
    world.does(BEN, &CaseCommand::TakeWork { item: one }, "=one");
}

#[test]
fn failed_work_keeps_its_tokens_and_can_be_retried() {
    let mut world = World::of(&automatic("start: a\ntasks:\n  a: { handler: h, flow: end }\n"));
    world.start(&[], "started +a >a");
    let item = world.item("a");
    world.refuses(ANA, &CaseCommand::FailWork { item, code: "x".into(), message: String::new() }, "work/not-yours");
    world.does(ActorId::ENGINE, &CaseCommand::FailWork { item, code: "x".into(), message: "why".into() }, "!a");
    world.refuses(ActorId::ENGINE, &CaseCommand::CompleteWork { item, result: Value::Null }, "work/phase");
    world.does(ANA, &CaseCommand::RetryWork { item }, "again a");
    assert_eq!(world.case.control.item(item).unwrap().attempt, 2);
    world.complete("a", Value::Null, ".a completed");
}

#[test]
fn a_guard_that_errors_fails_the_item_and_never_means_false() {
    let net = automatic(
        "data: { m: { type: map } }\nstart: a\ntasks:\n  a: { handler: h, output: { m: \"{{ result }}\" }, split: xor, flow: [{ to: b, when: \"m.missing > 1\" }, { to: end, default: true }] }\n  b: { flow: end }\n",
    );
    let mut world = World::of(&net);
    world.start(&[], "started +a >a");
    world.complete("a", map(&[]), "!a");
    assert_eq!(world.case.control.status, CaseStatus::Open);
}

#[test]
fn what_does_not_fit_a_variable_is_refused() {
    let net = automatic(
        "data: { n: { type: int, input: true, required: true } }\nstart: a\ntasks:\n  a: { handler: h, output: { n: \"{{ result }}\" }, flow: end }\n",
    );
    let input = |entries: &[(&str, Value)]| CaseCommand::StartCase {
        input: entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect(),
    };
    let mut world = World::of(&net);
    world.refuses(ANA, &input(&[]), "case/missing-input");
    world.refuses(ANA, &input(&[("n", Value::Bool(true))]), "case/input-type");
    world.refuses(ANA, &input(&[("n", Value::Int(1)), ("x", Value::Int(1))]), "case/unknown-input");
    world.refuses(ANA, &CaseCommand::TakeWork { item: ItemId(0) }, "case/not-found");
    world.start(&[("n", Value::Int(1))], "started +a >a");
    let item = world.item("a");
    for result in [Value::String("x".into()), Value::Double(f64::NAN)] {
        world.refuses(ActorId::ENGINE, &CaseCommand::CompleteWork { item, result }, "work/output");
    }
    world.refuses(ANA, &input(&[("n", Value::Int(1))]), "case/exists");
}

#[test]
fn text_becomes_the_decimal_or_time_that_a_variable_wants() {
    let net = "actum: 1\nnet: test\ndata: { d: { type: decimal, input: true }, t: { type: time } }\nroles: { clerk: {} }\nstart: a\ntasks:\n  a: { role: clerk, form: { when: { type: time } }, output: { t: \"{{ result.when }}\" }, flow: end }\n";
    let mut world = World::of(net);
    world.start(&[("d", Value::String("12.50".into()))], "started +a ?a");
    let decimal = Value::Decimal(Decimal { mantissa: 1250, scale: 2 });
    assert_eq!(world.case.variable(world.net.variable("d").unwrap()), Some(&decimal));
    let item = world.item("a");
    world.does(ANA, &CaseCommand::TakeWork { item }, "=a");
    world.does(ANA, &CaseCommand::StartWork { item }, ">a");
    let when = |text: &str| map(&[("when", Value::String(text.into()))]);
    world.refuses(ANA, &CaseCommand::CompleteWork { item, result: when("tomorrow") }, "work/result-form");
    world.does(ANA, &CaseCommand::CompleteWork { item, result: when("1970-01-01T00:00:01Z") }, ".a completed");
    assert_eq!(world.case.variable(world.net.variable("t").unwrap()), Some(&Value::Time(Time(1_000_000_000))));
}

#[test]
fn a_case_that_can_do_nothing_more_is_deadlocked() {
    // The AND-join waits for both branches of an exclusive choice.
    let net = automatic(
        "data: { x: { type: bool, input: true } }\nstart: a\ntasks:\n  a: { split: xor, flow: [{ to: b, when: x }, { to: c, default: true }] }\n  b: { handler: h, flow: d }\n  c: { handler: h, flow: d }\n  d: { join: and, flow: end }\n",
    );
    let mut world = World::of(&net);
    world.start(&[("x", Value::Bool(true))], "started +a >a .a +b >b");
    world.complete("b", Value::Null, ".b deadlocked");
    world.refuses(ANA, &CaseCommand::RetryWork { item: ItemId(0) }, "case/ended");
    world.does(ANA, &CaseCommand::CancelCase { reason: "stuck".into() }, "cancelled");
}

#[test]
fn cancelling_stops_work_and_takes_offers_back() {
    let net = "actum: 1\nnet: test\nroles: { clerk: {} }\nstart: a\ntasks:\n  a: { split: and, flow: [{ to: one }, { to: two }] }\n  one: { role: clerk, flow: j }\n  two: { handler: h, flow: j }\n  j: { join: and, flow: end }\n";
    let mut world = World::of(net);
    world.start(&[], "started +a >a .a +one ?one +two >two");
    world.does(ANA, &CaseCommand::CancelCase { reason: "changed my mind".into() }, "~one #two cancelled");
    assert!(world.case.control.items.is_empty() && world.case.control.marking.is_empty());
}

#[test]
fn who_is_not_in_the_directory_can_ask_nothing() {
    let mut world = World::of(&automatic("start: a\ntasks:\n  a: { handler: h, flow: end }\n"));
    world.start(&[], "started +a >a");
    let nobody = ActorId(99);
    world.refuses(nobody, &CaseCommand::CancelCase { reason: "why not".to_owned() }, "actor/unknown");
    let failed = CaseCommand::FailWork { item: ItemId(0), code: "no".to_owned(), message: String::new() };
    world.does(ActorId::ENGINE, &failed, "!a");
    world.refuses(nobody, &CaseCommand::RetryWork { item: ItemId(0) }, "actor/unknown");
}

const APART: &str = "roles: { clerk: {} }\nstart: split\ntasks:\n  split: { split: and, flow: [{ to: one }, { to: two }] }\n  one: { role: clerk, flow: both }\n  two: { role: clerk, separate_from: [one], flow: both }\n  both: { join: and, flow: end }\n";

#[test]
fn failed_work_stays_its_owners_and_keeps_duties_apart() {
    let mut world = World::of(&automatic(APART));
    world.start(&[], "started +split >split .split +one ?one +two ?two");
    let (one, two) = (world.item("one"), world.item("two"));
    world.does(ANA, &CaseCommand::TakeWork { item: one }, "=one");
    world.does(ANA, &CaseCommand::StartWork { item: one }, ">one");
    world.does(ANA, &CaseCommand::FailWork { item: one, code: "no".into(), message: String::new() }, "!one");
    world.refuses(BEN, &CaseCommand::RetryWork { item: one }, "work/not-yours");
    world.refuses(ANA, &CaseCommand::TakeWork { item: two }, "work/separation");
    world.does(ActorId::ENGINE, &CaseCommand::RetryWork { item: one }, "again one");
    world.does(ANA, &CaseCommand::CompleteWork { item: one, result: map(&[]) }, ".one");
}

#[test]
fn routing_in_circles_with_large_data_ends_the_case_before_memory_does() {
    let net = automatic(
        "data: { s: { type: string, input: true }, n: { type: int, default: 0 } }\nstart: a\ntasks:\n  a: { join: xor, output: { s: \"{{ s }}\" }, flow: b }\n  b: { split: xor, flow: [{ to: a, when: \"n == 0\" }, { to: end, default: true }] }\n",
    );
    let mut world = World::of(&net);
    let input = BTreeMap::from([("s".to_owned(), Value::String("x".repeat(1 << 20)))]);
    let decided = world.ask(ActorId::ENGINE, &CaseCommand::StartCase { input }).unwrap();
    assert!(decided.len() < 100, "{} events", decided.len());
    let Some(CaseEvent::CaseFailed { code, .. }) = decided.last().map(|one| &one.event) else {
        panic!("a failed case")
    };
    assert_eq!(code, "case/data-limit");
}

/// Six tasks' worth of tokens are needed for what six tokens' worth are there: only looking at every marking tells.
#[test]
fn an_or_join_that_takes_too_long_to_decide_ends_the_case_instead_of_the_engine() {
    const CONDITIONS: usize = 12;
    let mut consumers: Vec<Vec<String>> = vec![Vec::new(); CONDITIONS];
    let mut tasks = String::new();
    for task in 0..40 {
        let (one, step, to) = (task * 7 % CONDITIONS, 1 + task * 5 % 11, task * 11 % CONDITIONS);
        consumers[one].push(format!("t{task}"));
        consumers[(one + step) % CONDITIONS].push(format!("t{task}"));
        writeln!(tasks, "  t{task}: {{ join: and, role: clerk, flow: c{to} }}").unwrap();
    }
    consumers[..6].iter_mut().for_each(|to| to.push("gate".to_owned()));
    consumers[6..].iter_mut().for_each(|to| to.push("key".to_owned()));
    consumers[0].push("key".to_owned());
    let mut net = String::from(
        "actum: 1\nnet: test\nroles: { clerk: {} }\nstart: begin\ntasks:\n  key: { join: and, role: clerk, flow: z }\n  gate: { join: and, role: clerk, flow: j }\n  j: { join: or, role: clerk, flow: end }\n",
    );
    let all: Vec<String> = (0..CONDITIONS).map(|condition| format!("{{ to: c{condition} }}")).collect();
    writeln!(
        net,
        "  begin: {{ split: and, flow: [{}, {{ to: j }}] }}\n{tasks}conditions:\n  z: {{ flow: [gate] }}",
        all.join(", ")
    )
    .unwrap();
    for (condition, to) in consumers.iter().enumerate() {
        writeln!(net, "  c{condition}: {{ flow: [{}] }}", to.join(", ")).unwrap();
    }
    let mut world = World::of(&net);
    let decided = world.ask(ActorId::ENGINE, &CaseCommand::StartCase { input: BTreeMap::new() }).unwrap();
    let Some(CaseEvent::CaseFailed { code, .. }) = decided.last().map(|one| &one.event) else {
        panic!("a failed case")
    };
    assert_eq!(code, "case/or-join-limit");
}
