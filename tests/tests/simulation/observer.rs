//! Reads what was stored, block by block, and holds it against what must be true of any log.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use actum::{ActorId, Case, CaseEvent, CaseId, CaseStatus, Meta, NetHash, Seq, Time};
use actum_log::{APPLICATION_KIND_FIRST, MemoryStore, Record, records};
use actum_model::{ConditionIx, Event, SystemEvent, payload};
use actum_net::{Net, Work};

use crate::work::Hands;

/// What the log says.
pub(crate) struct Observer {
    next_seq: u64,
    nets: HashMap<NetHash, Arc<Net>>,
    /// Every case, ended ones too.
    pub(crate) cases: BTreeMap<CaseId, Case>,
    /// Cases by business key.
    pub(crate) keys: BTreeMap<String, CaseId>,
    last_time: u64,
    digest: blake3::Hasher,
    hands: Hands,
}

impl Observer {
    pub(crate) fn new(hands: Hands) -> Self {
        Observer {
            next_seq: 0,
            nets: HashMap::new(),
            cases: BTreeMap::new(),
            keys: BTreeMap::new(),
            last_time: 0,
            digest: blake3::Hasher::new(),
            hands,
        }
    }

    /// Reads what is new.
    pub(crate) fn look(&mut self, store: &MemoryStore) {
        for record in records(store, 0, self.next_seq).unwrap() {
            let (seq, record) = (self.next_seq, record.unwrap());
            let record = record.view();
            assert_eq!(record.header().seq, seq, "no event is missing");
            self.take_in(&record);
            self.next_seq += 1;
        }
    }

    /// Number of events seen.
    pub(crate) fn size(&self) -> u64 {
        self.next_seq
    }

    /// What happened, in one number: events with their payloads, in order.
    pub(crate) fn digest(&self) -> blake3::Hash {
        self.digest.finalize()
    }

    pub(crate) fn open(&self) -> impl Iterator<Item = &Case> {
        self.cases.values().filter(|case| case.control.status == CaseStatus::Open)
    }

    pub(crate) fn net(&self, case: &Case) -> &Net {
        &self.nets[&case.net]
    }

    fn take_in(&mut self, record: &Record<'_>) {
        let header = record.header();
        assert!(header.time >= self.last_time, "event {} is earlier than the one before", header.seq);
        assert!(header.cause.is_none_or(|cause| cause < header.seq), "event {} has a later cause", header.seq);
        self.last_time = header.time;
        if header.kind < APPLICATION_KIND_FIRST {
            return;
        }
        self.digest.update(&header.kind.to_le_bytes()).update(&header.stream.to_le_bytes());
        self.digest.update(&header.time.to_le_bytes()).update(record.payload());
        match payload::decode(header.kind, header.schema, record.payload()).unwrap() {
            Event::System(SystemEvent::NetDeployed { canonical, .. }) => {
                let net = Net::from_canonical(&canonical).unwrap();
                self.nets.insert(net.hash, Arc::new(net));
            }
            Event::System(_) => {}
            Event::Case(event) => self.happen(record, &event),
        }
    }

    fn happen(&mut self, record: &Record<'_>, event: &CaseEvent) {
        let header = record.header();
        let id = CaseId(header.stream);
        if let Some(key) = record.extensions().business_key() {
            assert!(self.keys.insert(key.to_owned(), id).is_none(), "the key {key} started two cases");
        }
        let case = self.cases.entry(id).or_insert_with(|| Case::unborn(id));
        let is_over = matches!(case.control.status, CaseStatus::Completed | CaseStatus::Cancelled | CaseStatus::Failed);
        assert!(!is_over, "case {id} goes on after its end: {event:?}");
        assert_eq!(header.version, case.version + 1, "case {id}");
        let net = match event {
            CaseEvent::CaseStarted { net, .. } => &self.nets[net],
            _ => &self.nets[&case.net],
        };
        assert!(actum_kernel::fits(net, event), "{event:?}");
        no_token_from_nowhere(net, case, event);
        self.hands_agree(net, &self.cases[&id], event);
        let meta = Meta {
            seq: Seq(header.seq),
            version: header.version,
            time: Time(header.time),
            actor: ActorId(header.actor),
            cause: header.cause.map(Seq),
        };
        self.cases.get_mut(&id).expect("it is there").apply(&meta, event);
    }

    /// What is recorded as a handler's result is what the handler did under the key of that very attempt.
    fn hands_agree(&self, net: &Net, case: &Case, event: &CaseEvent) {
        let CaseEvent::WorkCompleted { item, task, result, .. } = event else { return };
        let definition = &net.tasks[task.index()];
        let Some(state) = case.control.item(*item) else { panic!("{item} completes and is not there") };
        let is_call = matches!(definition.work, Work::Automatic { .. })
            && definition.exceptions.is_empty()
            && (definition.instances.is_none() || state.family().is_some());
        if is_call {
            let done = self.hands.result((case.id, *item, state.attempt));
            assert_eq!(done.as_ref(), Some(result), "case {} item {item} attempt {}", case.id, state.attempt);
        }
    }
}

/// Tokens that are taken were there; tokens that are given are given where the task leads.
fn no_token_from_nowhere(net: &Net, case: &Case, event: &CaseEvent) {
    let frame = case.control.frame_of(event);
    let mut wanted: BTreeMap<ConditionIx, u32> = BTreeMap::new();
    for condition in event.consumed() {
        *wanted.entry(*condition).or_default() += 1;
    }
    if let CaseEvent::TokensCancelled { removed, .. } = event {
        wanted.extend(removed.iter().copied());
    }
    for (condition, count) in wanted {
        let there = case.control.marking.count(frame, condition);
        assert!(there >= count, "case {}: {event:?} takes {count} of {there} from {condition:?}", case.id);
    }
    if let CaseEvent::WorkCompleted { task, produced, .. } = event {
        let task = &net.tasks[task.index()];
        let leads = |condition: &ConditionIx| {
            task.outputs.iter().any(|flow| flow.to == *condition)
                || task.releases.contains(condition)
                || task.holds.contains(condition)
        };
        assert!(produced.iter().all(leads), "case {}: {event:?}", case.id);
    }
}
