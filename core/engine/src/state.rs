//! What a partition decides from: open cases (of which some rest), nets, directory, business keys. A fold of the log.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use actum_kernel::resource::Glance;
use actum_model::{
    CaseEvent, CaseId, CaseStatus, Directory, Event, Meta, NetHash, SavedEvent, Seq, StartEvent, SystemEvent, Time,
};
use actum_net::{Net, StartBy};
use rustc_hash::FxHashMap;

use crate::messages::Messages;
use crate::passive::{Form, OpenCases, may_rest};
use crate::policy::Breakers;
use crate::resources::Resources;
use crate::shards::Seat;
use crate::starts::Starts;

/// Files of saved state that are kept: should the newest be damaged, there is one more.
pub(crate) const SAVED_KEPT: usize = 2;

/// A partition's deciding state.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) cases: OpenCases,
    pub(crate) nets: FxHashMap<NetHash, Arc<Net>>,
    /// The newest net of each name.
    pub(crate) newest: FxHashMap<String, NetHash>,
    pub(crate) directory: Directory,
    /// Of handlers.
    pub(crate) breakers: Breakers,
    /// What strategies know of people.
    pub(crate) resources: Resources,
    /// Which case was started with a key, by net name. Keys come from outside: their hash is seeded, so that nobody can
    /// choose ones that collide.
    pub(crate) keys: FxHashMap<String, HashMap<Box<str>, CaseId>>,
    pub(crate) last_case: u64,
    /// Who waits for which message, and what is kept for those who will.
    pub(crate) messages: Messages,
    /// When cases are due to start by the clock.
    pub(crate) starts: Starts,
    /// Cases that are deadlocked. They are kept, as they can be cancelled.
    pub(crate) deadlocked: usize,
    /// Payload types that the log describes already.
    pub(crate) described: HashSet<(u16, u16)>,
    /// The newest files of saved state that the log names, oldest first: sizes and hashes.
    pub(crate) saved: Vec<(u64, [u8; 32])>,
    /// Which partition this is.
    pub(crate) seat: Seat,
    /// The newest event of partition 0 that this one was told.
    pub(crate) told: Option<Seq>,
}

/// Why a log's events do not make a state.
#[derive(Debug, thiserror::Error)]
#[error("the net {net} in the log does not compile: {reason}")]
pub(crate) struct BadNet {
    net: NetHash,
    reason: String,
}

impl State {
    /// Takes in an event that is in the log, or is about to be.
    pub(crate) fn apply(&mut self, stream: u64, key: Option<&str>, meta: &Meta, event: &Event) -> Result<(), BadNet> {
        match event {
            Event::Case(event) => {
                self.apply_case(CaseId(stream), key, meta, event);
                Ok(())
            }
            Event::System(event) => self.apply_system(meta, event),
        }
    }

    pub(crate) fn apply_case(&mut self, id: CaseId, key: Option<&str>, meta: &Meta, event: &CaseEvent) {
        if let CaseEvent::CaseStarted { net, .. } = event {
            self.last_case = self.last_case.max(id.0);
            if let (Some(key), Some(net)) = (key, self.nets.get(net)) {
                self.keys.entry(net.name.clone()).or_default().insert(key.into(), id);
            }
        }
        let case = self.cases.begin(id);
        let before = Glance::at(&case.control, event);
        let was_deadlocked = case.control.status == CaseStatus::Deadlocked;
        let awaited = case.control.awaited().to_vec();
        if self.breakers.is_watching()
            && let (Some((item, _)), Some(net)) = (event.work(), self.nets.get(&case.net))
        {
            // What somebody gave by force says nothing of the handler.
            let item = case.control.item(item).filter(|item| item.resource.is_none());
            self.breakers.observe(net, event, item.map(|item| item.phase));
        }
        case.apply(meta, event);
        self.messages.apply_case(case, &awaited, event);
        if matches!(event, CaseEvent::CaseTriggered { .. })
            && let Some(net) = self.nets.get(&case.net)
        {
            self.starts.apply_case(event, net);
        }
        match case.control.status {
            CaseStatus::Deadlocked if !was_deadlocked => self.deadlocked += 1,
            CaseStatus::Deadlocked => {}
            _ if was_deadlocked => self.deadlocked -= 1,
            _ => {}
        }
        self.resources.apply(case.net, &before, &case.control, meta, event);
        if event.is_terminal() {
            self.cases.remove(id);
        }
    }

    fn apply_system(&mut self, meta: &Meta, event: &SystemEvent) -> Result<(), BadNet> {
        match event {
            SystemEvent::NetDeployed { net, canonical, .. } if !self.nets.contains_key(net) => {
                let compiled =
                    Net::from_canonical(canonical).map_err(|error| BadNet { net: *net, reason: error.to_string() })?;
                if compiled.hash != *net {
                    return Err(BadNet { net: *net, reason: format!("its hash is {}", compiled.hash) });
                }
                self.add_net(Arc::new(compiled), meta.time);
            }
            SystemEvent::SchemaDescribed { kind, schema, .. } => {
                self.described.insert((*kind, *schema));
            }
            SystemEvent::Saved(SavedEvent::Saved { size, hash, .. }) => {
                if self.saved.len() == SAVED_KEPT {
                    self.saved.remove(0);
                }
                self.saved.push((*size, *hash));
            }
            other => self.take_in(meta.seq, other),
        }
        Ok(())
    }

    /// Takes in an event of the system that is no net and no schema.
    pub(crate) fn take_in(&mut self, seq: Seq, event: &SystemEvent) {
        match event {
            SystemEvent::Message(event) => self.messages.apply(seq, event),
            SystemEvent::Start(event) => {
                if let StartEvent::Refused { net, message: Some(message), .. } = event {
                    self.messages.refused(*message, *net);
                }
                let (StartEvent::Skipped { net, .. } | StartEvent::Refused { net, .. }) = event else { return };
                self.starts.apply(event, self.nets.get(net));
            }
            SystemEvent::Breaker(event) => self.breakers.apply(event),
            other => self.directory.apply_at(seq, other),
        }
    }

    /// A net may be run from a time on.
    pub(crate) fn add_net(&mut self, net: Arc<Net>, since: Time) {
        self.starts.deployed(&net, since);
        for start in &net.starts {
            if let StartBy::Message { name, .. } = &start.by {
                self.messages.look_for(name);
            }
        }
        self.breakers.add_net(&net);
        self.newest.insert(net.name.clone(), net.hash);
        self.nets.insert(net.hash, net);
    }

    pub(crate) fn case_of_key(&self, net: &Net, key: &str) -> Option<CaseId> {
        self.keys.get(&net.name)?.get(key).copied()
    }

    /// The id that the next case gets.
    pub(crate) fn next_case(&self) -> CaseId {
        self.seat.next_case(self.last_case)
    }

    /// The status of a case that is not open any more, as far as numbers tell.
    pub(crate) fn was_started(&self, case: CaseId) -> bool {
        (1..=self.last_case).contains(&case.0) && self.seat.has(case)
    }

    /// Lets cases rest, if more are in memory than should be.
    pub(crate) fn rest(&mut self, form: Form) {
        let State { cases, nets, .. } = self;
        cases.rest(form, |case| nets.get(&case.net).is_some_and(|net| may_rest(net, case)));
    }

    pub(crate) fn open_cases(&self) -> usize {
        self.cases.len() - self.deadlocked
    }
}
