//! Nets with people: the examples, with whoever may do anything doing anything.

use std::collections::BTreeMap;

use actum_model::{
    ActorId, Case, CaseCommand, Directory, ExceptionKind, ItemId, OrganisationEvent, Phase, Seq, SystemEvent, Time,
    Value,
};
use actum_net::{Net, ValueKind, Work};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::{History, STEP};

const EXAMPLES: [&str; 4] = ["incident-response", "insurance-claim", "loan-approval", "order-fulfilment"];

/// People of whom the odd ones have all roles, the even ones the first; the net's organisation is theirs.
const PEOPLE: u32 = 6;

pub(super) fn net(example: usize) -> Net {
    let path = format!("{}/../tools/examples/{}.yaml", env!("CARGO_MANIFEST_DIR"), EXAMPLES[example % EXAMPLES.len()]);
    let text = std::fs::read_to_string(&path).expect("the example is there");
    actum_net::compile(&text).expect("it may run").net
}

/// A net whose people stand under every rule of the language.
pub(super) fn office() -> Net {
    let text = "
actum: 1
net: office
data: { n: { type: int, input: true, default: 1 }, who_first: { type: string } }
roles: { clerk: {}, boss: {} }
start: draft
tasks:
  draft: { role: clerk, join: xor, form: { n: { type: int } }, output: { n: '{{ result.n }}' }, flow: check }
  check: { resources: { who: { roles: [clerk] }, allocate: { by: round-robin-time }, four_eyes: [draft], may: [put-back, delegate, reallocate, skip, suspend] }, flow: sign }
  sign: { resources: { who: { roles: [boss] }, allocate: { by: random }, start: system, not_if: 'who.load > 3', may: [put-back, skip] }, flow: file }
  file: { resources: { who: { roles: [clerk] }, same_as: [draft], allocate: { by: least-loaded } }, flow: post }
  post: { resources: { who: { roles: [clerk, boss] }, separate_from: [sign], when: 'who.queue < 9' }, split: xor, flow: [{ to: end, when: n < 4 }, { to: draft, default: true }] }
";
    actum_net::compile(text).unwrap_or_else(|error| panic!("{error:?}")).net
}

pub(super) fn organisation(net: &Net) -> Directory {
    let mut directory = Directory::default();
    let mut seq = 0;
    let mut change = |event: SystemEvent| {
        directory.apply_at(Seq(seq), &event);
        seq += 1;
    };
    for number in 1..=PEOPLE {
        let roles = net.roles.iter().map(|role| role.name.clone());
        let roles: Vec<String> = if number % 2 == 1 { roles.collect() } else { roles.take(1).collect() };
        let (actor, name) = (ActorId(number), format!("p{number}"));
        change(SystemEvent::ActorRegistered { actor, name, roles });
        for task in &net.tasks {
            let Work::Manual { resourcing, .. } = &task.work else { continue };
            let (positions, groups) = (resourcing.who.positions.clone(), resourcing.who.groups.clone());
            let mut capabilities = resourcing.who.capabilities.clone();
            capabilities.sort();
            if !positions.is_empty() {
                change(OrganisationEvent::PositionsChanged { actor, positions }.into());
            }
            if !groups.is_empty() {
                change(OrganisationEvent::GroupsChanged { actor, groups }.into());
            }
            if !capabilities.is_empty() {
                change(OrganisationEvent::CapabilitiesChanged { actor, capabilities }.into());
            }
        }
    }
    directory
}

pub(super) fn inputs(net: &Net, seed: i64) -> BTreeMap<String, Value> {
    let inputs = net.variables.iter().take(net.subnets[0].variables.end as usize).filter(|variable| variable.input);
    inputs.map(|variable| (variable.name.clone(), value(variable.kind, seed))).collect()
}

fn value(kind: ValueKind, seed: i64) -> Value {
    let tries = [
        Value::Int(seed * 700),
        Value::Bool(seed % 2 == 0),
        Value::Double(1.5 * seed as f64),
        Value::String("a".repeat(seed as usize % 4 + 1)),
        Value::Decimal(actum_model::Decimal { mantissa: seed * 100_000, scale: 2 }),
        Value::Time(Time(seed as u64 * STEP * 20)),
        Value::List(vec![Value::Int(seed)]),
        Value::Map(BTreeMap::new()),
        Value::Bytes(vec![1]),
    ];
    tries.into_iter().find_map(|value| kind.admit(value).ok()).unwrap_or(Value::Null)
}

/// A command that is likely to be possible, by who is likely to be allowed it.
pub(super) fn command(net: &Net, case: &Case, (kind, pick, seed): (u8, u8, i64)) -> (CaseCommand, ActorId) {
    let items = &case.control.items;
    let anybody = ActorId(u32::from(pick) % PEOPLE + 1);
    let Some(state) = items.get(usize::from(pick) % items.len().max(1)) else {
        return (CaseCommand::TimerFired { item: ItemId(0) }, ActorId::ENGINE);
    };
    let (item, task) = (state.id, &net.tasks[state.task.index()]);
    let owner = state.resource.unwrap_or(anybody);
    let result = match &task.work {
        Work::Manual { form, .. } => {
            Value::Map(form.iter().map(|field| (field.name.clone(), value(field.kind, seed))).collect())
        }
        _ => Value::Map(BTreeMap::from([("ok".to_owned(), Value::Bool(seed % 2 == 0))])),
    };
    let is_manual = matches!(task.work, Work::Manual { .. });
    let doer = if is_manual { owner } else { ActorId::ENGINE };
    match kind {
        0..14 => match state.phase {
            Phase::Offered => (CaseCommand::TakeWork { item }, anybody),
            Phase::Allocated => (CaseCommand::StartWork { item }, owner),
            Phase::Started => (CaseCommand::CompleteWork { item, result }, doer),
            Phase::Suspended => (CaseCommand::ResumeWork { item }, ActorId::ENGINE),
            Phase::Failed => (CaseCommand::RetryWork { item }, ActorId::ENGINE),
            _ => (CaseCommand::TimerFired { item }, ActorId::ENGINE),
        },
        14 => (CaseCommand::FailWork { item, code: "no".to_owned(), message: String::new() }, doer),
        15 => (CaseCommand::PutBackWork { item }, owner),
        16 => (CaseCommand::DelegateWork { item, to: anybody }, owner),
        17 => (CaseCommand::ReallocateWork { item, to: anybody, keep_state: seed % 2 == 0 }, owner),
        18 => (CaseCommand::SkipWork { item }, owner),
        19 => (CaseCommand::SuspendWork { item, until: None }, owner),
        20 => (CaseCommand::EscalateWork { item, reason: String::new() }, owner),
        21 => (CaseCommand::OfferWork { item, to: vec![anybody] }, ActorId::ENGINE),
        22 => (CaseCommand::TimerFired { item }, ActorId::ENGINE),
        23 => (CaseCommand::PileWork { item, on: true }, owner),
        24 => {
            let message = String::new();
            (
                CaseCommand::RaiseException {
                    item: Some(item),
                    kind: ExceptionKind::External,
                    name: "x".to_owned(),
                    message,
                },
                owner,
            )
        }
        _ => (CaseCommand::CancelWork { item }, ActorId::ENGINE),
    }
}

/// What happens when those commands are given.
pub(super) fn played(net: Net, orders: &[(u8, u8, i64)], seed: i64) -> Option<History> {
    let directory = organisation(&net);
    let mut history = History::new(net, directory);
    let input = inputs(&history.net, seed);
    if !history.command(&CaseCommand::StartCase { input }, ActorId::ENGINE, Time(1)) {
        return None;
    }
    for (step, order) in orders.iter().enumerate() {
        let (command, actor) = command(&history.net, &history.case, *order);
        history.command(&command, actor, Time((step as u64 + 1) * STEP * 40));
    }
    Some(history)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 2_000, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    /// The same with people, who do what they may and try what they may not.
    #[test]
    fn what_people_are_let_do_is_lawful(
        example in 0..5_usize,
        seed in 1..9_i64,
        orders in prop::collection::vec((0..26_u8, any::<u8>(), 0..7_i64), 1..60),
    ) {
        let net = if example == 4 { office() } else { net(example) };
        let history = played(net, &orders, seed);
        prop_assume!(history.is_some());
        let Some(history) = history else { return Ok(()) };
        let (lawful, _, broken) = history.judge();
        prop_assert!(broken.is_none(), "{broken:?}\n{}", history.described(lawful));
    }
}
