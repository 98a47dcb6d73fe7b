//! Reads what was stored, event by event, and holds it against the invariants.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use actum::projections::RecordedEvent;
use actum::{ActorId, Case, CaseId, CaseStatus, Meta, NetHash, Seq, Time};
use actum_log::{APPLICATION_KIND_FIRST, MemoryStore, Record, records};
use actum_model::{CaseEvent, Event, MessageEvent, SystemEvent, payload};
use actum_net::Net;

use crate::invariant::{self, Broken, Fact, Happened, Held, Invariant, hold};
use crate::work::Hands;

/// Events that are shown of what went wrong.
const LINES: usize = 30;

/// What the log says.
pub(crate) struct Observer {
    next_seq: u64,
    nets: HashMap<NetHash, Arc<Net>>,
    /// Every case, ended ones too.
    pub(crate) cases: BTreeMap<CaseId, Case>,
    /// Cases by business key.
    pub(crate) keys: BTreeMap<String, CaseId>,
    /// Messages by where they were published, with their ids.
    pub(crate) messages: BTreeMap<Seq, Option<String>>,
    /// All events but the log's own.
    pub(crate) log: Vec<RecordedEvent>,
    /// When each case got its newest event.
    digest: blake3::Hasher,
    invariants: Vec<Box<dyn Invariant>>,
}

impl Observer {
    pub(crate) fn new(hands: &Hands) -> Self {
        Observer {
            next_seq: 0,
            nets: HashMap::new(),
            cases: BTreeMap::new(),
            keys: BTreeMap::new(),
            messages: BTreeMap::new(),
            log: Vec::new(),
            digest: blake3::Hasher::new(),
            invariants: invariant::all(hands),
        }
    }

    /// Reads what is new.
    pub(crate) fn look(&mut self, store: &MemoryStore) -> Held {
        for record in records(store, 0, self.next_seq).expect("the store is read") {
            let (seq, record) = (self.next_seq, record.expect("a record is read"));
            let record = record.view();
            hold("order", record.header().seq == seq, || format!("event {seq} is missing"))?;
            self.next_seq += 1;
            if let Some(event) = self.read(&record) {
                self.take_in(event)?;
            }
        }
        Ok(())
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
        self.net_of(case.net)
    }

    pub(crate) fn net_of(&self, net: NetHash) -> &Net {
        &self.nets[&net]
    }

    /// The newest events of the case that a broken invariant is about.
    pub(crate) fn told(&self, broken: &Broken) -> String {
        let named =
            broken.how.split_once("case ").or_else(|| broken.how.split_once("CaseId(")).map_or("", |(_, rest)| rest);
        let digits: String = named.chars().take_while(char::is_ascii_digit).collect();
        let case = digits.parse().unwrap_or(u64::MAX);
        let of_case: Vec<&RecordedEvent> = self.log.iter().filter(|event| event.stream == case).collect();
        let line = |event: &&RecordedEvent| {
            let RecordedEvent { meta, event, .. } = event;
            format!(
                "{} at {} by {} because {:?}: {event:?}\n",
                meta.seq,
                meta.time,
                meta.actor,
                meta.cause.map(|seq| seq.0)
            )
        };
        of_case[of_case.len().saturating_sub(LINES)..].iter().map(line).collect()
    }

    fn read(&mut self, record: &Record<'_>) -> Option<RecordedEvent> {
        let header = record.header();
        if header.kind < APPLICATION_KIND_FIRST {
            return None;
        }
        self.digest.update(&header.kind.to_le_bytes()).update(&header.stream.to_le_bytes());
        self.digest.update(&header.time.to_le_bytes()).update(record.payload());
        let event = payload::decode(header.kind, header.schema, record.payload()).expect("a payload decodes");
        let meta = Meta {
            seq: Seq(header.seq),
            version: header.version,
            time: Time(header.time),
            actor: ActorId(header.actor),
            cause: header.cause.map(Seq),
        };
        let key = record.extensions().business_key().map(Into::into);
        let (stream, kind) = (header.stream, header.kind);
        Some(RecordedEvent { stream, kind, meta, net: NetHash::default(), key, waits: false, event })
    }

    /// Takes in the next event, as it was read or as somebody changed it.
    pub(crate) fn take_in(&mut self, mut recorded: RecordedEvent) -> Held {
        match &recorded.event {
            Event::System(event) => self.system(&recorded.meta, event)?,
            Event::Case(event) => {
                let net = self.happen(&recorded, event)?;
                recorded.waits = actum_kernel::waits(&net, event);
                recorded.net = net.hash;
            }
        }
        self.log.push(recorded);
        Ok(())
    }

    fn system(&mut self, meta: &Meta, event: &SystemEvent) -> Held {
        match event {
            SystemEvent::NetDeployed { canonical, .. } => {
                let net = Net::from_canonical(canonical).expect("a net is read");
                self.nets.insert(net.hash, Arc::new(net));
            }
            SystemEvent::Message(MessageEvent::Published { id, .. }) => {
                drop(self.messages.insert(meta.seq, id.clone()));
            }
            _ => {}
        }
        let happened = Happened { meta, fact: Fact::System(event) };
        self.invariants.iter_mut().try_for_each(|invariant| invariant.take(&happened))
    }

    fn happen(&mut self, recorded: &RecordedEvent, event: &CaseEvent) -> Result<Arc<Net>, Broken> {
        let (meta, id) = (&recorded.meta, CaseId(recorded.stream));
        if let Some(key) = &recorded.key {
            let known = self.keys.insert(key.to_string(), id);
            hold("starts", known.is_none(), || format!("the key {key} started two cases"))?;
        }
        let case = self.cases.entry(id).or_insert_with(|| Case::unborn(id));
        let net = match event {
            CaseEvent::CaseStarted { net, .. } => self.nets.get(net),
            _ => self.nets.get(&case.net),
        };
        let Some(net) = net.cloned() else {
            return Err(Broken { invariant: "order", how: format!("case {id} begins with {event:?}") });
        };
        let happened = Happened { meta, fact: Fact::Case { case, net: &net, event } };
        self.invariants.iter_mut().try_for_each(|invariant| invariant.take(&happened))?;
        case.apply(meta, event);
        self.invariants.iter_mut().try_for_each(|invariant| invariant.after(case))?;
        Ok(net)
    }
}
