//! What a case waits for, how much is left, and how long it may take.

use actum_kernel::{Context, Need, NoEstimate, decide, progress, tasks_done, time_left, waiting};
use actum_model::{ActorId, Case, CaseCommand, CaseId, Directory, ItemId, Meta, RestEnd, Seq, TaskIx, Time, Value};
use actum_net::Net;

const SECOND: u64 = 1_000_000_000;

const NET: &str = "
actum: 1
net: status
data: { n: { type: int, default: 0 } }
roles: { clerk: {} }
start: a
tasks:
  a: { split: and, flow: [b, c, d, e] }
  b: { handler: h, flow: f }
  c: { role: clerk, flow: f }
  d: { receive: { message: paid, key: '{{ string(n) }}' }, flow: f }
  e: { wait: { for: PT1H }, flow: f }
  f: { join: and, split: xor, flow: [{ to: g, when: n > 1 }, { to: end, default: true }] }
  g: { handler: h, flow: end }
";

fn ask(net: &Net, case: &mut Case, command: &CaseCommand) {
    let directory = Directory::default();
    let decided = decide(net, case, command, &Context::new(Time(SECOND), ActorId::ENGINE, &directory)).unwrap();
    for one in decided {
        let version = case.version + 1;
        let meta = Meta { seq: Seq(version), version, time: Time(SECOND), actor: one.actor, cause: None };
        case.apply(&meta, &one.event);
    }
}

fn begun(source: &str) -> (Net, Case) {
    let net = actum_net::compile(source).unwrap_or_else(|found| panic!("{found:#?}")).net;
    let mut case = Case::unborn(CaseId(1));
    ask(&net, &mut case, &CaseCommand::StartCase { input: [].into() });
    (net, case)
}

fn item(net: &Net, case: &Case, task: &str) -> ItemId {
    case.control.item_of(net.task(task).unwrap()).unwrap().id
}

fn need(net: &Net, case: &Case, task: &str) -> Need {
    let task = net.task(task).unwrap();
    waiting(net, case).into_iter().find(|one| one.task == task).unwrap().needs
}

#[test]
fn each_item_says_what_it_waits_for() {
    let (net, mut case) = begun(NET);
    let at = Time(SECOND + 3_600 * SECOND);
    assert_eq!(waiting(&net, &case).len(), 4);
    assert_eq!(need(&net, &case, "b"), Need::Handler { name: "h".to_owned(), attempt: 1 });
    assert_eq!(need(&net, &case, "c"), Need::Taking { role: net.role("clerk"), of: vec![] });
    assert_eq!(need(&net, &case, "d"), Need::Message { name: "paid".to_owned(), key: "0".to_owned() });
    assert_eq!(need(&net, &case, "e"), Need::Timer { at });
    let b = item(&net, &case, "b");
    ask(&net, &mut case, &CaseCommand::FailWork { item: b, code: "no".to_owned(), message: String::new() });
    assert_eq!(need(&net, &case, "b"), Need::Decision);
    let c = item(&net, &case, "c");
    ask(&net, &mut case, &CaseCommand::SuspendWork { item: c, until: Some(RestEnd::At(at)) });
    assert_eq!(need(&net, &case, "c"), Need::Rest { until: Some(at) });
}

#[test]
fn progress_counts_what_can_still_come_at_most() {
    let (net, mut case) = begun(NET);
    let of = |case: &Case| {
        let one = progress(&net, case);
        (one.enabled, one.running, one.left_most)
    };
    assert_eq!(of(&case), (3, 1, Some(5)), "four of them, and g; a and f only route");
    let b = item(&net, &case, "b");
    ask(&net, &mut case, &CaseCommand::CompleteWork { item: b, result: Value::Null });
    assert_eq!(of(&case), (3, 0, Some(4)));
    let completed = ["a", "b", "b"].map(|task| net.task(task).unwrap());
    assert_eq!(tasks_done(&net, &case, completed.into_iter()), 1);
    let (net, case) = begun(
        "actum: 1\nnet: loops\nstart: a\ntasks:\n  a: { join: xor, handler: h, split: xor, flow: [{ to: a, when: 'false' }, { to: end, default: true }] }\n",
    );
    assert_eq!(progress(&net, &case).left_most, None);
    assert_eq!(time_left(&net, &case, Time(SECOND), &|_| Some(1)), Err(NoEstimate::Loops));
}

#[test]
fn the_longest_way_says_how_long_it_may_take() {
    let (net, mut case) = begun(NET);
    let known = |task: TaskIx| match net.tasks[task.index()].name.as_str() {
        "b" => Some(7 * SECOND),
        "g" => Some(11 * SECOND),
        _ => Some(SECOND),
    };
    // The hour of e, then g.
    assert_eq!(time_left(&net, &case, Time(SECOND), &known), Ok(3_611 * SECOND));
    let e = item(&net, &case, "e");
    ask(&net, &mut case, &CaseCommand::CancelWork { item: e });
    assert_eq!(time_left(&net, &case, Time(SECOND), &known), Ok(18 * SECOND), "b, then g");
    let g = net.task("g").unwrap();
    let unseen = |task: TaskIx| known(task).filter(|_| task != g);
    assert_eq!(time_left(&net, &case, Time(SECOND), &unseen), Err(NoEstimate::Unseen(g)));
    ask(&net, &mut case, &CaseCommand::SuspendCase { until: Some(RestEnd::After { ns: 5 * SECOND }) });
    assert_eq!(time_left(&net, &case, Time(SECOND), &known), Ok(23 * SECOND));
    ask(&net, &mut case, &CaseCommand::ResumeCase);
    let b = item(&net, &case, "b");
    ask(&net, &mut case, &CaseCommand::FailWork { item: b, code: "no".to_owned(), message: String::new() });
    assert_eq!(time_left(&net, &case, Time(SECOND), &known), Err(NoEstimate::Stands(b)));
    ask(&net, &mut case, &CaseCommand::SuspendCase { until: None });
    assert_eq!(time_left(&net, &case, Time(SECOND), &known), Err(NoEstimate::Rests));
    ask(&net, &mut case, &CaseCommand::CancelCase { reason: String::new() });
    assert_eq!(time_left(&net, &case, Time(SECOND), &known), Err(NoEstimate::Over));
}
