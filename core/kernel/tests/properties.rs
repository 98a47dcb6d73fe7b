//! What holds for every net and every sequence of commands.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fmt::Write;

use actum_kernel::{Context, decide};
use actum_model::{
    ActorId, Case, CaseCommand, CaseEvent, CaseId, CaseStatus, Change, ConditionIx, Control, Directory, Event, FrameId,
    Instance, ItemId, Meta, NetHash, Phase, RoleIx, Seq, SubnetIx, SystemEvent, TaskIx, Time, Value, VariableIx,
    WorkItemState, payload,
};
use actum_net::{Join, Net, Split, Work};
use proptest::prelude::*;

/// Tokens beyond which the reference gives up looking for more.
const TOKENS_MAX: u32 = 7;
const STATES_MAX: usize = 30_000;

/// A task as it is drawn: how it works, joins, splits, and where else it leads.
#[derive(Debug, Clone)]
struct Drawn {
    work: u8,
    join: u8,
    split: u8,
    /// A task, or beyond them a condition, or beyond these the end.
    more: Vec<usize>,
}

const CONDITIONS: usize = 2;

fn drawn() -> impl Strategy<Value = (Vec<Drawn>, Vec<Vec<usize>>)> {
    let task = (0..4_u8, 0..3_u8, 0..3_u8, prop::collection::vec(0..10_usize, 0..3))
        .prop_map(|(work, join, split, more)| Drawn { work, join, split, more });
    (prop::collection::vec(task, 2..7), prop::collection::vec(prop::collection::vec(0..10_usize, 1..3), CONDITIONS))
}

/// A net file: a chain from start to end, and whatever else was drawn. `None` when it may not run.
fn net((tasks, conditions): &(Vec<Drawn>, Vec<Vec<usize>>)) -> Option<Net> {
    const KINDS: [&str; 3] = ["and", "xor", "or"];
    let count = tasks.len();
    let name = |target: usize| match target % (count + CONDITIONS + 1) {
        task if task < count => format!("t{task}"),
        end if end == count + CONDITIONS => "end".to_owned(),
        condition => format!("c{}", condition - count),
    };
    let mut used = HashSet::new();
    let roles = if tasks.iter().any(|task| task.work > 1) { "roles: { clerk: {} }\n" } else { "" };
    let mut text = format!(
        "actum: 1\nnet: drawn\ndata: {{ v: {{ type: int, input: true, default: 0 }} }}\n{roles}start: t0\ntasks:\n"
    );
    for (index, task) in tasks.iter().enumerate() {
        let mut targets = vec![if index + 1 == count { "end".to_owned() } else { format!("t{}", index + 1) }];
        for target in task.more.iter().map(|more| name(*more)) {
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        used.extend(targets.iter().cloned());
        let many = targets.len() > 1;
        let flows: Vec<String> = targets
            .iter()
            .enumerate()
            .map(|(flow, target)| match task.split {
                0 => format!("{{ to: {target} }}"),
                _ if !many => format!("{{ to: {target} }}"),
                _ if flow + 1 == targets.len() => format!("{{ to: {target}, default: true }}"),
                _ => format!("{{ to: {target}, when: \"v % {} == 0\" }}", flow + 2),
            })
            .collect();
        let work = match task.work {
            0 => "handler: h, output: { v: \"{{ result }}\" }, ".to_owned(),
            1 => String::new(),
            2 if index > 0 && tasks[index - 1].work > 1 => format!(
                "role: clerk, separate_from: [t{}], form: {{ v: {{ type: int }} }}, output: {{ v: \"{{{{ result.v }}}}\" }}, ",
                index - 1
            ),
            _ => "role: clerk, ".to_owned(),
        };
        let split = if many { format!("split: {}, ", KINDS[usize::from(task.split)]) } else { String::new() };
        writeln!(
            text,
            "  t{index}: {{ {work}join: {}, {split}flow: [{}] }}",
            KINDS[usize::from(task.join)],
            flows.join(", ")
        )
        .ok()?;
    }
    let conditions: Vec<String> = (0..CONDITIONS)
        .filter(|condition| used.contains(&format!("c{condition}")))
        .map(|condition| {
            let mut to: Vec<String> = conditions[condition].iter().map(|task| format!("t{}", task % count)).collect();
            to.dedup();
            format!("  c{condition}: {{ flow: [{}] }}\n", to.join(", "))
        })
        .collect();
    if !conditions.is_empty() {
        write!(text, "conditions:\n{}", conditions.concat()).ok()?;
    }
    // An AND-join that waits for what only comes after it makes a net that may not run.
    let without_and = text.replace("join: and", "join: or");
    [text, without_and].iter().find_map(|text| actum_net::compile(text).ok()).map(|checked| checked.net)
}

/// A command as it is drawn.
type Order = (u8, u8, u8, i64);

fn order() -> impl Strategy<Value = Order> {
    (0..12_u8, any::<u8>(), 0..5_u8, -1..6_i64)
}

fn command(net: &Net, case: &Case, (kind, item, actor, v): Order) -> (ActorId, CaseCommand) {
    let items = &case.control.items;
    let live = if items.is_empty() { None } else { Some(&items[usize::from(item) % items.len()]) };
    let item = live.map_or(ItemId(u32::from(item)), |live| live.id);
    let work = live.map(|live| &net.tasks[live.task.index()].work);
    let result = match work {
        Some(Work::Manual { form, .. }) if !form.is_empty() => {
            Value::Map(BTreeMap::from([("v".to_owned(), Value::Int(v))]))
        }
        Some(Work::Manual { .. }) => Value::Map(BTreeMap::new()),
        _ => Value::Int(v),
    };
    // Mostly who may; sometimes anybody.
    let actor = match live {
        Some(live) if kind < 8 && actor > 0 => live.resource.unwrap_or(match work {
            Some(Work::Manual { .. }) => ActorId(1 + u32::from(actor) % 2),
            _ => ActorId::ENGINE,
        }),
        _ => ActorId(u32::from(actor)),
    };
    let next = match (kind, live.map(|live| live.phase)) {
        (0..8, Some(Phase::Offered)) => CaseCommand::TakeWork { item },
        (0..8, Some(Phase::Allocated)) | (11, _) => CaseCommand::StartWork { item },
        (0..8, Some(Phase::Started)) if v < 0 => {
            CaseCommand::FailWork { item, code: "no".to_owned(), message: String::new() }
        }
        (0..8, Some(Phase::Failed)) | (8, _) => CaseCommand::RetryWork { item },
        (9, _) => CaseCommand::OfferWork { item, to: vec![actor] },
        (10, _) if v == 5 => CaseCommand::CancelCase { reason: "enough".to_owned() },
        _ => CaseCommand::CompleteWork { item, result },
    };
    (actor, next)
}

fn directory() -> Directory {
    let mut directory = Directory::default();
    for (actor, roles) in [(1, vec!["clerk"]), (2, vec!["clerk"]), (3, vec![])] {
        let roles = roles.into_iter().map(str::to_owned).collect();
        directory.apply(&SystemEvent::ActorRegistered { actor: ActorId(actor), name: format!("p{actor}"), roles });
    }
    directory
}

fn meta(seq: u64, version: u64, actor: ActorId) -> Meta {
    Meta { seq: Seq(seq), version, time: Time(seq), actor, cause: None }
}

/// One event on its way into a state that it must fit.
fn lawful(net: &Net, control: &Control, event: &CaseEvent) -> Result<(), TestCaseError> {
    prop_assert!(!ended(control.status), "{event:?} after the end");
    if let Some((item, task)) = event.work()
        && !matches!(event, CaseEvent::WorkEnabled { .. })
    {
        prop_assert_eq!(control.item(item).map(|item| item.task), Some(task));
    }
    match event {
        CaseEvent::CaseStarted { .. } => prop_assert_eq!(control.status, CaseStatus::Unborn),
        CaseEvent::WorkEnabled { item, task, .. } => {
            prop_assert_eq!(*item, control.next_item);
            prop_assert!(control.item_of(*task).is_none(), "a task has one live item");
        }
        CaseEvent::WorkStarted { task, consumed, .. } => {
            let task = &net.tasks[task.index()];
            for condition in consumed {
                prop_assert!(task.inputs.contains(condition) && control.marking.count(FrameId::ROOT, *condition) > 0);
            }
            match task.join {
                Join::And => prop_assert_eq!(consumed, &task.inputs),
                Join::Xor => prop_assert_eq!(consumed.len(), 1),
                _ => prop_assert!(!consumed.is_empty()),
            }
        }
        CaseEvent::WorkCompleted { item, task, produced, .. } => {
            prop_assert_eq!(control.item(*item).map(|item| item.phase), Some(Phase::Started));
            let outputs: Vec<ConditionIx> = net.tasks[task.index()].outputs.iter().map(|flow| flow.to).collect();
            prop_assert!(produced.iter().all(|condition| outputs.contains(condition)) && !produced.is_empty());
            match net.tasks[task.index()].split {
                Split::And => prop_assert_eq!(produced, &outputs),
                Split::Xor => prop_assert_eq!(produced.len(), 1),
                _ => prop_assert!(produced.len() <= outputs.len()),
            }
        }
        _ => {}
    }
    Ok(())
}

fn ended(status: CaseStatus) -> bool {
    matches!(status, CaseStatus::Completed | CaseStatus::Cancelled | CaseStatus::Failed)
}

/// Everything that can begin has begun or is offered; nothing else is.
fn settled(net: &Net, control: &Control) -> Result<(), TestCaseError> {
    if ended(control.status) {
        prop_assert!(control.items.is_empty() && control.marking.is_empty());
        return Ok(());
    }
    prop_assert_eq!(control.status == CaseStatus::Deadlocked, control.items.is_empty());
    for (index, definition) in net.tasks.iter().enumerate() {
        let task = TaskIx::of(index);
        let item = control.item_of(task);
        if item.is_some_and(WorkItemState::holds_tokens) {
            continue;
        }
        let marked = |condition: &&ConditionIx| control.marking.count(FrameId::ROOT, **condition) > 0;
        let enabled = match definition.join {
            Join::And => Some(definition.inputs.iter().all(|input| marked(&input))),
            Join::Xor => Some(definition.inputs.iter().any(|input| marked(&input))),
            _ if !definition.inputs.iter().any(|input| marked(&input)) => Some(false),
            _ => more_can_come(net, control, task).map(|more| !more),
        };
        if let Some(enabled) = enabled {
            prop_assert_eq!(item.is_some(), enabled, "{} in {:?}", definition.name, control);
        }
        if item.is_some() {
            prop_assert!(matches!(definition.work, Work::Manual { .. }), "what needs no people begins at once");
        }
    }
    Ok(())
}

/// The reference for OR-joins: forwards, marking by marking. `None` when there are too many to say.
fn more_can_come(net: &Net, control: &Control, join: TaskIx) -> Option<bool> {
    type State = (Vec<u32>, Vec<bool>);
    let inputs = &net.tasks[join.index()].inputs;
    let first: State = (
        (0..net.conditions.len()).map(|index| control.marking.count(FrameId::ROOT, ConditionIx::of(index))).collect(),
        (0..net.tasks.len())
            .map(|task| control.item_of(TaskIx::of(task)).is_some_and(WorkItemState::holds_tokens))
            .collect(),
    );
    let begun: Vec<usize> = inputs.iter().map(|input| input.index()).filter(|input| first.0[*input] > 0).collect();
    let more = |marking: &[u32]| {
        begun.iter().all(|input| marking[*input] > 0)
            && inputs.iter().map(|input| input.index()).any(|input| !begun.contains(&input) && marking[input] > 0)
    };
    let mut seen: HashSet<State> = HashSet::from([first.clone()]);
    let mut open = VecDeque::from([first]);
    let mut all = true;
    while let Some((marking, busy)) = open.pop_front() {
        if more(&marking) {
            return Some(true);
        }
        let mut next: Vec<State> = Vec::new();
        for (index, task) in net.tasks.iter().enumerate() {
            if busy[index] {
                let outputs: Vec<usize> = task.outputs.iter().map(|flow| flow.to.index()).collect();
                let ways: Vec<Vec<usize>> = match task.split {
                    Split::And => vec![outputs],
                    Split::Xor => outputs.into_iter().map(|output| vec![output]).collect(),
                    // Every choice but none.
                    _ => (1..1_usize << outputs.len())
                        .map(|set| (0..outputs.len()).filter(|at| set >> at & 1 == 1).map(|at| outputs[at]).collect())
                        .collect(),
                };
                for way in ways {
                    let (mut marking, mut busy) = (marking.clone(), busy.clone());
                    busy[index] = false;
                    way.into_iter().for_each(|condition| marking[condition] += 1);
                    next.push((marking, busy));
                }
            } else if TaskIx::of(index) != join {
                let ways: Vec<Vec<usize>> = match task.join {
                    Join::And => vec![task.inputs.iter().map(|input| input.index()).collect()],
                    _ => task.inputs.iter().map(|input| vec![input.index()]).collect(),
                };
                for way in ways.into_iter().filter(|way| way.iter().all(|input| marking[*input] > 0)) {
                    let (mut marking, mut busy) = (marking.clone(), busy.clone());
                    busy[index] = true;
                    way.into_iter().for_each(|condition| marking[condition] -= 1);
                    next.push((marking, busy));
                }
            }
        }
        for state in next {
            if state.0.iter().sum::<u32>() > TOKENS_MAX || seen.len() > STATES_MAX {
                all = false;
            } else if seen.insert(state.clone()) {
                open.push_back(state);
            }
        }
    }
    all.then_some(false)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<u64>().prop_map(|nanos| Value::Time(Time(nanos))),
        ".{0,6}".prop_map(Value::String),
        prop::collection::vec(any::<u8>(), 0..6).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::btree_map(".{0,4}", inner, 0..4).prop_map(Value::Map),
        ]
    })
}

/// Any event of frames, instances, cancellation, signals and rest.
fn construct() -> impl Strategy<Value = CaseEvent> {
    let number = || prop_oneof![0..4_u32, Just(u32::MAX)];
    let frame = || (0..3_u32).prop_map(FrameId);
    let item = move || number().prop_map(ItemId);
    let task = move || number().prop_map(TaskIx);
    let conditions = move || prop::collection::vec(number().prop_map(ConditionIx), 0..4);
    prop_oneof![
        Just(CaseEvent::CaseSuspended),
        Just(CaseEvent::CaseResumed),
        (frame(), number(), item(), conditions()).prop_map(|(frame, subnet, item, produced)| {
            CaseEvent::SubnetStarted { frame, subnet: SubnetIx(subnet), item, changes: vec![], produced }
        }),
        (frame(), item(), any::<bool>()).prop_map(|(frame, item, completed)| CaseEvent::SubnetEnded {
            frame,
            item,
            completed
        }),
        (frame(), task(), conditions(), conditions())
            .prop_map(|(frame, task, absorbed, arrived)| CaseEvent::JoinAdvanced { frame, task, absorbed, arrived }),
        (frame(), task(), prop::collection::vec((number().prop_map(ConditionIx), number()), 0..3))
            .prop_map(|(frame, task, removed)| CaseEvent::TokensCancelled { frame, task, removed }),
        (any::<bool>(), prop::option::of(item())).prop_map(|(kept, item)| CaseEvent::SignalReceived {
            name: "s".to_owned(),
            data: Value::Null,
            kept,
            item
        }),
        (item(), task(), conditions()).prop_map(|(item, task, produced)| CaseEvent::InstancesPassed {
            item,
            task,
            result: Value::Null,
            changes: vec![],
            produced
        }),
        (item(), task()).prop_map(|(item, task)| CaseEvent::WorkSuspended { item, task }),
        (item(), task()).prop_map(|(item, task)| CaseEvent::WorkResumed { item, task }),
        (item(), task()).prop_map(|(item, task)| CaseEvent::WorkTimedOut { item, task }),
        (item(), task(), conditions(), conditions()).prop_map(|(item, task, consumed, produced)| {
            CaseEvent::WorkSkipped { item, task, consumed, changes: vec![], produced }
        }),
        (item(), task()).prop_map(|(item, task)| CaseEvent::WorkPutBack { item, task }),
        (item(), task(), number(), any::<bool>()).prop_map(|(item, task, to, keep_state)| CaseEvent::WorkDelegated {
            item,
            task,
            to: ActorId(to),
            keep_state
        }),
        (item(), task(), any::<u64>()).prop_map(|(item, task, until)| CaseEvent::WorkWaiting {
            item,
            task,
            until: Time(until)
        }),
    ]
}

/// Any event at all, in small numbers so that they meet.
fn event() -> impl Strategy<Value = CaseEvent> {
    let number = || prop_oneof![0..4_u32, Just(u32::MAX)];
    let item = move || number().prop_map(ItemId);
    let task = move || number().prop_map(TaskIx);
    let conditions = move || prop::collection::vec(number().prop_map(ConditionIx), 0..4);
    let changes = move || {
        let change = (number(), value()).prop_map(|(variable, value)| Change { variable: VariableIx(variable), value });
        prop::collection::vec(change, 0..3)
    };
    prop_oneof![
        (changes(), conditions()).prop_map(|(changes, produced)| CaseEvent::CaseStarted {
            net: NetHash([1; 32]),
            semantics: 1,
            changes,
            produced
        }),
        Just(CaseEvent::CaseCompleted),
        ".{0,5}".prop_map(|reason| CaseEvent::CaseCancelled { reason }),
        Just(CaseEvent::CaseDeadlocked),
        (".{0,5}", ".{0,5}").prop_map(|(code, message)| CaseEvent::CaseFailed { code, message }),
        (item(), task(), 0..3_u32, prop::option::of((0..3_u32, number(), prop::option::of(value())))).prop_map(
            |(item, task, frame, instance)| CaseEvent::WorkEnabled {
                item,
                task,
                frame: FrameId(frame),
                instance: instance.map(|(family, index, each)| Box::new(Instance {
                    family: ItemId(family),
                    index,
                    each
                })),
            }
        ),
        (item(), task(), number(), prop::collection::vec(number().prop_map(ActorId), 0..3))
            .prop_map(|(item, task, role, to)| CaseEvent::WorkOffered { item, task, role: Some(RoleIx(role)), to }),
        (item(), task(), number()).prop_map(|(item, task, to)| CaseEvent::WorkAllocated {
            item,
            task,
            to: ActorId(to)
        }),
        (item(), task(), conditions()).prop_map(|(item, task, consumed)| CaseEvent::WorkStarted {
            item,
            task,
            consumed
        }),
        (item(), task(), value(), changes(), conditions()).prop_map(|(item, task, result, changes, produced)| {
            CaseEvent::WorkCompleted { item, task, result, changes, produced }
        }),
        (item(), task(), ".{0,5}").prop_map(|(item, task, code)| CaseEvent::WorkFailed {
            item,
            task,
            code,
            message: String::new()
        }),
        (item(), task(), number()).prop_map(|(item, task, attempt)| CaseEvent::WorkRetried { item, task, attempt }),
        (item(), task()).prop_map(|(item, task)| CaseEvent::WorkWithdrawn { item, task }),
        (item(), task(), conditions()).prop_map(|(item, task, produced)| CaseEvent::WorkCancelled {
            item,
            task,
            produced
        }),
        construct(),
    ]
}

/// Decides and applies; checks what must hold of every decision.
fn ask(
    net: &Net,
    case: &mut Case,
    directory: &Directory,
    seq: &mut u64,
    actor: ActorId,
    command: &CaseCommand,
) -> Result<(), TestCaseError> {
    let context = Context::new(Time(1), actor, directory);
    let before = case.clone();
    let decided = decide(net, case, command, &context);
    prop_assert_eq!(&decide(net, case, command, &context), &decided, "a decision depends on its arguments only");
    prop_assert_eq!(&before, &*case);
    let Ok(decided) = decided else { return Ok(()) };
    prop_assert!(!decided.is_empty());
    for one in decided {
        lawful(net, &case.control, &one.event)?;
        let stored = payload::encode_case(&one.event);
        let read = payload::decode(stored.kind, stored.schema, &stored.bytes);
        prop_assert_eq!(read, Ok(Event::Case(one.event.clone())));
        *seq += 1;
        let version = case.version + 1;
        case.apply(&meta(*seq, version, one.actor), &one.event);
    }
    settled(net, &case.control)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 5_000, max_global_rejects: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn any_net_under_any_commands_moves_lawfully(drawn in drawn(), orders in prop::collection::vec(order(), 1..40)) {
        let net = net(&drawn);
        prop_assume!(net.is_some());
        let Some(net) = net else { return Ok(()) };
        let directory = directory();
        let (mut case, mut seq) = (Case::unborn(CaseId(1)), 0);
        let start = CaseCommand::StartCase { input: BTreeMap::new() };
        ask(&net, &mut case, &directory, &mut seq, ActorId::ENGINE, &start)?;
        for order in orders {
            let (actor, command) = command(&net, &case, order);
            ask(&net, &mut case, &directory, &mut seq, actor, &command)?;
        }
    }

    #[test]
    fn any_events_in_any_order_give_a_state_that_any_command_can_be_asked_of(
        drawn in drawn(),
        events in prop::collection::vec((event(), 0..4_u32), 0..30),
        orders in prop::collection::vec((0..18_u8, 0..5_u32, 0..4_u32), 1..10),
    ) {
        let net = net(&drawn);
        prop_assume!(net.is_some());
        let Some(net) = net else { return Ok(()) };
        let directory = directory();
        let mut case = Case::unborn(CaseId(1));
        for (index, (event, actor)) in events.iter().enumerate() {
            case.apply(&meta(index as u64, index as u64, ActorId(*actor)), event);
            prop_assert!(case.control.items.is_sorted_by_key(|item| item.id));
            let stored = payload::encode_case(event);
            prop_assert_eq!(payload::decode(stored.kind, stored.schema, &stored.bytes), Ok(Event::Case(event.clone())));
        }
        for (kind, item, actor) in orders {
            let item = if item == 4 { ItemId(u32::MAX) } else { ItemId(item) };
            let command = match kind {
                0 => CaseCommand::StartCase { input: BTreeMap::new() },
                1 => CaseCommand::CancelCase { reason: String::new() },
                2 => CaseCommand::OfferWork { item, to: vec![ActorId(actor)] },
                3 => CaseCommand::TakeWork { item },
                4 => CaseCommand::StartWork { item },
                5 => CaseCommand::FailWork { item, code: String::new(), message: String::new() },
                6 => CaseCommand::RetryWork { item },
                7 => CaseCommand::CompleteWork { item, result: Value::Int(1) },
                9 => CaseCommand::CancelWork { item },
                10 => CaseCommand::ResumeWork { item },
                11 => CaseCommand::SuspendWork { item, until: None },
                12 => CaseCommand::ResumeCase,
                13 => CaseCommand::TimerFired { item },
                14 => CaseCommand::AddInstance { item, each: None },
                15 => CaseCommand::CompleteInstances { item },
                16 => CaseCommand::PutBackWork { item },
                17 => CaseCommand::SkipWork { item },
                _ => CaseCommand::CompleteWork { item, result: Value::Map(BTreeMap::new()) },
            };
            let context = Context::new(Time(1), ActorId(actor), &directory);
            // Whatever the answer: no panic.
            decide(&net, &case, &command, &context).ok();
            actum_kernel::pending_effects(&net, &case).count();
        }
    }
}
