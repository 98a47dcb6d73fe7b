//! Writes the log that the tests read.

use std::collections::BTreeMap;
use std::sync::Arc;

use actum_kernel::{Cause, Context, decide};
use actum_log::{
    Clocks, Draft, EventStore, ExtensionFields, Extensions, FileSigner, FrameSource, Genesis, MemoryStore, Opening,
    Resume, Sealer, Signer, Stage, StageLimits,
};
use actum_model::{
    ActorId, Case, CaseCommand, CaseId, Directory, Event, ItemId, Meta, Seq, SystemEvent, Time, Value, payload,
};
use actum_net::Net;

const NET: &str = "
actum: 1
net: order
data:
  amount: { type: int, input: true, required: true }
  price: { type: decimal, default: '1.50' }
  approved: { type: bool }
roles: { clerk: {} }
start: approve
tasks:
  approve:
    role: clerk
    form: { ok: { type: bool, required: true } }
    output: { approved: '{{ result.ok }}' }
    flow: end
";
const SECOND: u64 = 1_000_000_000;
const SYSTEM: u64 = 1 << 63;

/// A log in memory.
pub(crate) struct Written {
    pub(crate) source: Arc<dyn FrameSource>,
}

struct Writer {
    stage: Stage,
    sealer: Sealer,
    signer: FileSigner,
    store: MemoryStore,
    time: u64,
}

impl Writer {
    fn new() -> Self {
        let signer = FileSigner::from_seed(&[1; 32]);
        let genesis = Genesis::new([2; 16], "example.org/orders", 0, signer.public_key()).unwrap();
        let opening = Opening { boot_id: [3; 16], limits: StageLimits::default() };
        let (stage, sealer) = Resume::at_genesis(&genesis, 0).open(&genesis, opening).unwrap();
        let sealer = sealer.with_secrets(Box::new(|| Ok([4; 32])));
        let store = MemoryStore::new(genesis.to_string());
        Writer { stage, sealer, signer, store, time: 10 * SECOND }
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
        Meta { seq: Seq(pushed.seq), version: pushed.version, time: Time(pushed.time), actor, cause: cause.map(Seq) }
    }

    fn close(&mut self) {
        let clocks = Clocks { wall_ns: self.time as i64, monotonic_ns: 7 };
        let block = self.stage.close(clocks).unwrap();
        let sealed = self.sealer.seal(block, &self.signer).unwrap();
        self.store.commit(&[sealed]).unwrap();
    }

    fn written(self) -> Written {
        Written { source: self.store.source() }
    }
}

/// A case that waits for ana, who then approves; with what comes before.
pub(crate) fn written() -> Written {
    let mut writer = Writer::new();
    let net = actum_net::compile(NET).unwrap().net;
    let opened = SystemEvent::EngineOpened {
        software: "test 1".into(),
        blocks: 0,
        events: 0,
        unacknowledged_blocks: 0,
        dropped_bytes: 0,
        torn_heads: 0,
    };
    let deployed = SystemEvent::NetDeployed { net: net.hash, name: net.name.clone(), canonical: net.canonical.clone() };
    let ana = SystemEvent::ActorRegistered { actor: ActorId(1), name: "ana".into(), roles: vec!["clerk".into()] };
    let mut directory = Directory::default();
    directory.apply(&ana);
    for (stream, event) in [(1, opened), (3, deployed), (4, ana)] {
        writer.push(SYSTEM + stream, ActorId::ENGINE, None, None, &event.into());
    }
    writer.close();

    let mut case = Case::unborn(CaseId(1));
    let input = BTreeMap::from([("amount".to_owned(), Value::Int(42))]);
    let result = Value::Map(BTreeMap::from([("ok".to_owned(), Value::Bool(true))]));
    let item = ItemId(0);
    let commands = [
        (ActorId::ENGINE, CaseCommand::StartCase { input }),
        (ActorId(1), CaseCommand::TakeWork { item }),
        (ActorId(1), CaseCommand::StartWork { item }),
        (ActorId(1), CaseCommand::CompleteWork { item, result }),
    ];
    for (actor, command) in commands {
        carry_out(&mut writer, &net, &mut case, &directory, actor, &command);
        writer.close();
    }
    writer.written()
}

fn carry_out(
    writer: &mut Writer,
    net: &Net,
    case: &mut Case,
    directory: &Directory,
    actor: ActorId,
    command: &CaseCommand,
) {
    let context = Context::new(Time(0), actor, directory);
    let mut seqs = Vec::new();
    for decided in decide(net, case, command, &context).unwrap() {
        let cause = match decided.cause {
            Cause::Request => None,
            Cause::Logged(seq) => Some(seq.0),
            Cause::Staged(index) => Some(seqs[index]),
        };
        let key = matches!(command, CaseCommand::StartCase { .. }) && seqs.is_empty();
        let event = Event::Case(decided.event.clone());
        let meta = writer.push(case.id.0, decided.actor, cause, key.then_some("ORD-1"), &event);
        seqs.push(meta.seq.0);
        case.apply(&meta, &decided.event);
    }
}

/// A log with an event of a kind that nobody knows.
pub(crate) fn with_unknown_payload() -> Written {
    let mut writer = Writer::new();
    let draft = Draft {
        stream: SYSTEM + 1,
        kind: 999,
        schema: 1,
        terminal: false,
        actor: 0,
        cause: None,
        time: 1,
        extensions: Extensions::EMPTY,
        payload: b"?",
    };
    writer.stage.push(&draft).unwrap();
    writer.close();
    writer.written()
}
