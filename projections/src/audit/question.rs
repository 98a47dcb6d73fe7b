//! What one may ask of the audit.

use actum_model::{ActorId, CaseId, ItemId, Seq, Time};

use super::chunk::{Mask, Summary};
use crate::{Fact, Recorded};

/// Streams from here on are the system's.
const SYSTEM: u64 = 1 << 63;

/// An event, without what it says beside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuditRow {
    /// Where.
    pub seq: Seq,
    /// When.
    pub time: Time,
    /// Who.
    pub actor: ActorId,
    /// What: the record's kind; `actum_model::payload::name_of` names it.
    pub kind: u16,
    /// The stream.
    pub stream: u64,
    /// The work item, if it is about one.
    pub item: Option<ItemId>,
}

impl AuditRow {
    pub(super) fn of(recorded: &Recorded<'_>) -> Self {
        let Recorded { stream, kind, meta, fact } = *recorded;
        let item = match fact {
            Fact::Case(of) => of.event.work().map(|(item, _)| item),
            Fact::System(_) => None,
        };
        AuditRow { seq: meta.seq, time: meta.time, actor: meta.actor, kind, stream, item }
    }

    /// The case, if it is about one.
    #[must_use]
    pub fn case(&self) -> Option<CaseId> {
        (self.stream < SYSTEM).then_some(CaseId(self.stream))
    }
}

/// Which events are asked for: those that all of these fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditQuestion {
    /// By this actor.
    pub actor: Option<ActorId>,
    /// About this case.
    pub case: Option<CaseId>,
    /// Of one of these kinds; none: of any.
    pub kinds: Vec<u16>,
    /// At this time or later.
    pub from: Option<Time>,
    /// Before this time.
    pub until: Option<Time>,
    /// At this seq or behind: to go on where the last answer ended.
    pub from_seq: Seq,
    /// So many at most.
    pub limit: usize,
}

impl Default for AuditQuestion {
    /// The first thousand of all events.
    fn default() -> Self {
        AuditQuestion {
            actor: None,
            case: None,
            kinds: Vec::new(),
            from: None,
            until: None,
            from_seq: Seq(0),
            limit: 1_000,
        }
    }
}

impl AuditQuestion {
    pub(super) fn asks_for(&self, row: &AuditRow) -> bool {
        row.seq >= self.from_seq
            && self.actor.is_none_or(|actor| row.actor == actor)
            && self.case.is_none_or(|case| row.case() == Some(case))
            && (self.kinds.is_empty() || self.kinds.contains(&row.kind))
            && self.from.is_none_or(|from| row.time >= from)
            && self.until.is_none_or(|until| row.time < until)
    }

    /// False if there is certainly nothing in such a chunk.
    pub(super) fn may_be_in(&self, chunk: &Summary) -> bool {
        let has = |mask: Mask, value: u64| mask.has(value);
        chunk.last_seq >= self.from_seq
            && self.actor.is_none_or(|actor| has(chunk.actors, u64::from(actor.0)))
            && self.case.is_none_or(|case| has(chunk.streams, case.0))
            && (self.kinds.is_empty() || self.kinds.iter().any(|kind| has(chunk.kinds, u64::from(*kind))))
            && self.from.is_none_or(|from| chunk.last_time >= from)
            && self.until.is_none_or(|until| chunk.first_time < until)
    }
}
