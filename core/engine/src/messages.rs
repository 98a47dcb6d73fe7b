//! Messages: who waits for which name and key, what is kept for those who will, and what was sent already.
//!
//! A fold of the log: of the correlation stream (what was published and dropped) and of cases (who waits, who received). What is
//! still to be delivered is worked out from it, so a crash between the publishing and a delivery loses nothing and delivers
//! nothing twice: a case's event names the message that it received.

mod saved;

pub(crate) use saved::{decode, encode};

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use actum_model::{Awaited, Case, CaseEvent, CaseId, ItemId, MessageEvent, NetHash, Seq, Time, Value};

/// Messages that are kept at the same time, and bytes of their data, about.
const KEPT_MAX: usize = 100_000;
const KEPT_BYTES_MAX: usize = 256 << 20;
/// Ids that are remembered to know a message that comes twice: the newest so many.
const IDS_MAX: usize = 1_000_000;

type About = (Box<str>, Box<str>);

/// The correlation table.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    /// Who waits, by name and key. Both come from outside: their hash is seeded.
    waiting: HashMap<About, BTreeSet<(CaseId, ItemId)>>,
    kept: BTreeMap<Seq, Kept>,
    by_about: HashMap<About, BTreeSet<Seq>>,
    ids: HashMap<Box<str>, Seq>,
    /// The same ids, oldest first.
    ids_in_order: VecDeque<Box<str>>,
    expiry: BTreeSet<(Time, Seq)>,
    /// Messages for which somebody may be found.
    to_match: BTreeSet<Seq>,
    kept_bytes: usize,
}

/// What a message says.
#[derive(Debug, PartialEq)]
pub(crate) struct Letter {
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) data: Value,
    pub(crate) to_all: bool,
    pub(crate) keep_until: Option<Time>,
}

/// A message that is kept.
#[derive(Debug, Clone, PartialEq)]
struct Kept {
    letter: Arc<Letter>,
    /// Cases that received it.
    received: BTreeSet<CaseId>,
    /// Nets of which it started a case, or could not.
    started: BTreeSet<NetHash>,
}

impl Letter {
    /// Bytes that it takes, about.
    fn bytes(&self) -> usize {
        self.name.len() + self.key.len() + actum_model::cbor::to_vec(&self.data).len()
    }
}

impl Messages {
    /// Takes in an event of the correlation stream.
    pub(crate) fn apply(&mut self, seq: Seq, event: &MessageEvent) {
        match event {
            MessageEvent::Published { name, key, id, data, to_all, keep_until, pending } => {
                if let Some(id) = id {
                    self.remember(id, seq);
                }
                if *pending {
                    let (name, key, data) = (name.clone(), key.clone(), data.clone());
                    let letter = Letter { name, key, data, to_all: *to_all, keep_until: *keep_until };
                    let (letter, received, started) = (Arc::new(letter), BTreeSet::new(), BTreeSet::new());
                    self.keep(seq, Kept { letter, received, started });
                }
            }
            MessageEvent::Dropped { message, .. } => self.drop(*message),
            _ => {}
        }
    }

    /// Takes in what an event changed in a case: `before` is what it waited for.
    pub(crate) fn apply_case(&mut self, case: &Case, before: &[Arc<Awaited>], event: &CaseEvent) {
        let after = case.control.awaited();
        if !(before.is_empty() && after.is_empty()) {
            for gone in before.iter().filter(|one| !after.contains(one)) {
                self.leave(case.id, gone);
            }
            for new in after.iter().filter(|one| !before.contains(one)) {
                self.wait(case.id, new);
            }
        }
        match event {
            CaseEvent::MessageReceived { message, .. } => self.received(*message, |kept| {
                kept.received.insert(case.id);
            }),
            CaseEvent::CaseTriggered { message: Some(message), .. } => self.received(*message, |kept| {
                kept.started.insert(case.net);
            }),
            CaseEvent::CaseResumed | CaseEvent::WorkResumed { .. } => self.look_again(case),
            _ => {}
        }
    }

    /// Puts on the list what a case waits for; of a case that was not folded here.
    pub(crate) fn watch(&mut self, case: &Case) {
        case.control.awaited().iter().for_each(|awaited| self.wait(case.id, awaited));
    }

    /// A start could not be made of a message.
    pub(crate) fn refused(&mut self, message: Seq, net: NetHash) {
        self.received(message, |kept| {
            kept.started.insert(net);
        });
    }

    /// Cases of this case's messages may be found now.
    fn look_again(&mut self, case: &Case) {
        for awaited in case.control.awaited() {
            let about = about(&awaited.name, &awaited.key);
            self.to_match.extend(self.by_about.get(&about).into_iter().flatten());
        }
    }

    fn wait(&mut self, case: CaseId, awaited: &Awaited) {
        let about = about(&awaited.name, &awaited.key);
        self.to_match.extend(self.by_about.get(&about).into_iter().flatten());
        self.waiting.entry(about).or_default().insert((case, awaited.item));
    }

    fn leave(&mut self, case: CaseId, awaited: &Awaited) {
        let about = about(&awaited.name, &awaited.key);
        if let Some(waiting) = self.waiting.get_mut(&about) {
            waiting.remove(&(case, awaited.item));
            if waiting.is_empty() {
                self.waiting.remove(&about);
            }
        }
    }

    fn remember(&mut self, id: &str, seq: Seq) {
        if self.ids.insert(id.into(), seq).is_none() {
            self.ids_in_order.push_back(id.into());
        }
        if self.ids_in_order.len() > IDS_MAX
            && let Some(oldest) = self.ids_in_order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    fn keep(&mut self, seq: Seq, kept: Kept) {
        let letter = &kept.letter;
        self.by_about.entry(about(&letter.name, &letter.key)).or_default().insert(seq);
        self.expiry.extend(letter.keep_until.map(|until| (until, seq)));
        self.to_match.insert(seq);
        self.kept_bytes += letter.bytes();
        self.kept.insert(seq, kept);
    }

    fn drop(&mut self, seq: Seq) {
        let Some(Kept { letter, .. }) = self.kept.remove(&seq) else { return };
        self.kept_bytes -= letter.bytes();
        let about = about(&letter.name, &letter.key);
        if let Some(seqs) = self.by_about.get_mut(&about) {
            seqs.remove(&seq);
            if seqs.is_empty() {
                self.by_about.remove(&about);
            }
        }
        if let Some(until) = letter.keep_until {
            self.expiry.remove(&(until, seq));
        }
        self.to_match.remove(&seq);
    }

    fn received(&mut self, seq: Seq, note: impl FnOnce(&mut Kept)) {
        let Some(kept) = self.kept.get_mut(&seq) else { return };
        note(kept);
        if !kept.letter.to_all {
            self.drop(seq);
        }
    }

    /// The message that was published with an id.
    pub(crate) fn of_id(&self, id: &str) -> Option<Seq> {
        self.ids.get(id).copied()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.kept.len() >= KEPT_MAX || self.kept_bytes >= KEPT_BYTES_MAX
    }

    pub(crate) fn waits_for(&self, name: &str, key: &str) -> bool {
        self.waiting.contains_key(&about(name, key))
    }

    /// Who waits for a message and has not received it, in order, from `after` on.
    pub(crate) fn next_waiting(&self, seq: Seq, after: Option<(CaseId, ItemId)>) -> Option<(CaseId, ItemId)> {
        let kept = self.kept.get(&seq)?;
        let waiting = self.waiting.get(&about(&kept.letter.name, &kept.letter.key))?;
        let mut later = waiting.iter().filter(|one| after.is_none_or(|after| **one > after));
        later.find(|(case, _)| !kept.received.contains(case)).copied()
    }

    /// A message for which somebody may be found.
    pub(crate) fn next_to_match(&self) -> Option<(Seq, Arc<Letter>)> {
        let seq = *self.to_match.first()?;
        self.kept.get(&seq).map(|kept| (seq, kept.letter.clone()))
    }

    /// A net was started by a message, or could not be.
    pub(crate) fn has_started(&self, seq: Seq, net: NetHash) -> bool {
        self.kept.get(&seq).is_some_and(|kept| kept.started.contains(&net))
    }

    /// Nobody more is found for a message now.
    pub(crate) fn matched(&mut self, seq: Seq) {
        self.to_match.remove(&seq);
    }

    /// Looks for those who are meant by a kept message of this name: a net can be started by it now.
    pub(crate) fn look_for(&mut self, name: &str) {
        let of_name = self.kept.iter().filter(|(_, kept)| kept.letter.name == name);
        self.to_match.extend(of_name.map(|(seq, _)| *seq));
    }

    pub(crate) fn has_to_match(&self) -> bool {
        !self.to_match.is_empty()
    }

    /// When the next message is no longer kept.
    pub(crate) fn next_expiry(&self) -> Option<(Time, Seq)> {
        self.expiry.first().copied()
    }
}

fn about(name: &str, key: &str) -> About {
    (name.into(), key.into())
}
