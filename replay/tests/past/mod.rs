//! Writes logs with many cases, and remembers what every case was after each of its events.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::collections::BTreeMap;
use std::sync::Arc;

use actum_kernel::{Cause, Context, decide};
use actum_log::{
    Clocks, Draft, EventStore, ExtensionFields, FileSigner, FrameSource, Genesis, MemoryStore, Opening, Resume, Sealer,
    Signer, Stage, StageLimits,
};
use actum_model::{
    ActorId, Case, CaseCommand, CaseId, CaseStatus, Directory, Event, Meta, Phase, Seq, SystemEvent, Time, Value,
    payload,
};
use actum_net::Net;
use actum_replay::timeline::{Story, stories};
use actum_replay::{CaseRef, Events, ReplayError};

/// Somebody proposes, somebody else decides; what is small is paid at once, what is large is looked at again.
pub(crate) const NET: &str = "
actum: 1
net: claim
data:
  amount: { type: int, input: true, required: true }
  approved: { type: bool }
  total: { type: int }
  again: { type: bool }
  rounds: { type: int, default: 0 }
roles: { clerk: {}, boss: {} }
start: assess
tasks:
  assess:
    role: clerk
    join: xor
    form: { ok: { type: bool, required: true } }
    output: { approved: '{{ result.ok }}', rounds: '{{ rounds + 1 }}' }
    split: xor
    flow:
      - { to: pay, when: 'approved && amount <= 100' }
      - { to: review, when: 'approved' }
      - { to: reject, default: true }
  review:
    role: boss
    form: { again: { type: bool, required: true } }
    output: { again: '{{ result.again }}' }
    split: xor
    flow:
      - { to: assess, when: 'again' }
      - { to: pay, default: true }
  pay: { join: xor, output: { total: '{{ amount * 2 }}' }, flow: end }
  reject: { flow: end }
";

pub(crate) const ANA: ActorId = ActorId(1);
pub(crate) const BEN: ActorId = ActorId(2);
const SECOND: u64 = 1_000_000_000;
const SYSTEM: u64 = 1 << 63;

/// A log under construction.
pub(crate) struct Writer {
    stage: Stage,
    sealer: Sealer,
    signer: FileSigner,
    store: MemoryStore,
    directory: Directory,
    net: Net,
    time: u64,
    cases: BTreeMap<CaseId, Case>,
    /// State of a case after an event, by seq.
    pub(crate) states: Vec<(Seq, Case)>,
    pub(crate) end: u64,
}

impl Writer {
    pub(crate) fn new(net: &str) -> Self {
        let signer = FileSigner::from_seed(&[1; 32]);
        let genesis = Genesis::new([2; 16], "example.org/claims", 0, signer.public_key()).unwrap();
        let opening = Opening { boot_id: [3; 16], limits: StageLimits::default() };
        let (stage, sealer) = Resume::at_genesis(&genesis, 0).open(&genesis, opening).unwrap();
        let sealer = sealer.with_secrets(Box::new(|| Ok([4; 32])));
        let store = MemoryStore::new(genesis.to_string());
        let (directory, net) = (Directory::default(), actum_net::compile(net).unwrap().net);
        let (cases, states) = (BTreeMap::new(), Vec::new());
        let mut writer = Writer { stage, sealer, signer, store, directory, net, time: 0, cases, states, end: 0 };
        let (hash, name) = (writer.net.hash, writer.net.name.clone());
        let canonical = writer.net.canonical.clone();
        writer.system(3, SystemEvent::NetDeployed { net: hash, name, canonical });
        for (actor, name, role) in [(ANA, "ana", "clerk"), (BEN, "ben", "boss")] {
            writer.system(4, SystemEvent::ActorRegistered { actor, name: name.into(), roles: vec![role.into()] });
        }
        writer
    }

    fn system(&mut self, stream: u64, event: SystemEvent) {
        self.directory.apply(&event);
        self.push(SYSTEM + stream, ActorId::ENGINE, None, None, &event.into());
    }

    fn push(&mut self, stream: u64, actor: ActorId, cause: Option<u64>, key: Option<&str>, event: &Event) -> Meta {
        self.time += SECOND;
        let encoded = payload::encode(event);
        let terminal = matches!(event, Event::Case(event) if event.is_terminal());
        let extensions = ExtensionFields { business_key: key, ..ExtensionFields::default() }.encode().unwrap();
        let draft = Draft {
            stream,
            kind: encoded.kind,
            schema: encoded.schema,
            terminal,
            actor: actor.0,
            cause,
            time: self.time,
            extensions: extensions.as_ref(),
            payload: &encoded.bytes,
        };
        let pushed = self.stage.push(&draft).unwrap();
        self.end = pushed.seq + 1;
        Meta { seq: Seq(pushed.seq), version: pushed.version, time: Time(pushed.time), actor, cause: cause.map(Seq) }
    }

    /// Ends a block.
    pub(crate) fn close(&mut self) {
        let clocks = Clocks { wall_ns: self.time as i64, monotonic_ns: 7 };
        let Some(block) = self.stage.close(clocks) else { return };
        let sealed = self.sealer.seal(block, &self.signer).unwrap();
        self.store.commit(&[sealed]).unwrap();
    }

    pub(crate) fn case(&self, case: CaseId) -> &Case {
        &self.cases[&case]
    }

    /// Carries out a command, if it is possible.
    pub(crate) fn ask(&mut self, case: CaseId, actor: ActorId, command: &CaseCommand) -> bool {
        let mut state = self.cases.remove(&case).unwrap_or_else(|| Case::unborn(case));
        let decided = decide(&self.net, &state, command, &Context::new(Time(self.time), actor, &self.directory));
        let mut seqs: Vec<u64> = Vec::new();
        let is_start = matches!(command, CaseCommand::StartCase { .. });
        let key = format!("CLM-{case}");
        for decided in decided.iter().flatten() {
            let cause = match decided.cause {
                Cause::Request => None,
                Cause::Logged(seq) => Some(seq.0),
                Cause::Staged(index) => Some(seqs[index]),
            };
            let key = (is_start && seqs.is_empty()).then_some(key.as_str());
            let meta = self.push(case.0, decided.actor, cause, key, &Event::Case(decided.event.clone()));
            seqs.push(meta.seq.0);
            state.apply(&meta, &decided.event);
            self.states.push((meta.seq, state.clone()));
        }
        self.cases.insert(case, state);
        decided.is_ok()
    }

    pub(crate) fn start(&mut self, case: CaseId, amount: i64) {
        let input = BTreeMap::from([("amount".to_owned(), Value::Int(amount))]);
        assert!(self.ask(case, ActorId::ENGINE, &CaseCommand::StartCase { input }));
    }

    /// The next step of a case's only item, by who may do it; false when nothing is to be done.
    pub(crate) fn step(&mut self, case: CaseId, answer: bool) -> bool {
        let Some(item) = self.cases[&case].control.items.first().cloned() else { return false };
        let task = self.net.tasks[item.task.index()].name.clone();
        let actor = if task == "review" { BEN } else { ANA };
        let field = if task == "review" { "again" } else { "ok" };
        let result = Value::Map(BTreeMap::from([(field.to_owned(), Value::Bool(answer))]));
        let item_id = item.id;
        self.ask(
            case,
            actor,
            &match item.phase {
                Phase::Offered => CaseCommand::TakeWork { item: item_id },
                Phase::Allocated => CaseCommand::StartWork { item: item_id },
                _ => CaseCommand::CompleteWork { item: item_id, result },
            },
        )
    }

    pub(crate) fn is_open(&self, case: CaseId) -> bool {
        self.cases[&case].control.status == CaseStatus::Open
    }

    pub(crate) fn source(mut self) -> Arc<dyn FrameSource> {
        self.close();
        self.store.source()
    }
}

/// Cases that take turns in an order that a seed gives, each with its own amount; some stay open.
pub(crate) fn many(cases: u64, steps: u64, mut seed: u64) -> (Arc<dyn FrameSource>, Vec<(Seq, Case)>, u64) {
    let mut writer = Writer::new(NET);
    for _ in 0..steps {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let random = seed >> 33;
        let case = CaseId(1 + random % cases);
        if !writer.cases.contains_key(&case) {
            writer.start(case, (random % 200) as i64);
        }
        writer.step(case, !random.is_multiple_of(3));
        if random.is_multiple_of(17) {
            writer.close();
        }
    }
    let (states, end) = (writer.states.clone(), writer.end);
    (writer.source(), states, end)
}

/// Case 1: large, approved, looked at again once, approved again and paid. Case 2: small, paid at once.
pub(crate) fn two() -> Arc<dyn FrameSource> {
    let mut writer = Writer::new(NET);
    let (one, other) = (CaseId(1), CaseId(2));
    writer.start(one, 500);
    writer.start(other, 50);
    for answer in [true, true, true, true, true, true, true, true, true, false, false, false] {
        writer.step(one, answer);
        writer.step(other, true);
        writer.close();
    }
    assert!(!writer.is_open(one) && !writer.is_open(other));
    writer.source()
}

pub(crate) fn story_of(source: &dyn FrameSource, case: &str) -> Result<Story, ReplayError> {
    let wanted: CaseRef = case.parse().unwrap();
    let mut events: Events<_> = actum_replay::events(source)?;
    Ok(stories(&mut events, &[wanted])?.remove(0))
}
