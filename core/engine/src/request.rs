//! What is asked of a partition, and what it lets go of once it is durable.

use std::collections::BTreeMap;
use std::sync::Arc;

use actum_kernel::Effect;
use actum_model::{
    ActorId, Case, CaseCommand, CaseEvent, CaseId, Meta, NetHash, OrganisationEvent, Seq, SystemEvent, Value,
};
use actum_net::{Net, Organisation};
use tokio::sync::oneshot;

use crate::activity::Ongoing;
use crate::error::CommandError;
use crate::policy::{BreakerState, CallRow, Signal};
use crate::send::{Message, Sent};
use crate::shards::Told;
use crate::timers::Timer;
use crate::upkeep::{Upkeep, Upkept};

/// To who waits for an answer.
pub(crate) type Reply = oneshot::Sender<Result<Outcome, CommandError>>;

/// A case, started now or before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// Its id.
    pub case: CaseId,
    /// False if the business key had started it before; then nothing happened now.
    pub is_new: bool,
}

pub(crate) enum Ask {
    StartCase {
        net: NetHash,
        key: Option<String>,
        input: BTreeMap<String, Value>,
        actor: ActorId,
    },
    Command {
        case: CaseId,
        actor: ActorId,
        command: CaseCommand,
    },
    /// What a handler gave back.
    Result {
        case: CaseId,
        /// Which attempt it is the result of.
        attempt: u32,
        command: CaseCommand,
    },
    Deploy {
        net: Arc<Net>,
    },
    Register {
        name: String,
        roles: Vec<String>,
    },
    Upkeep {
        task: Upkeep,
    },
    /// Make the directory say what an organisation says. Answered by how many changes were made, and how many are left.
    Organise {
        organisation: Arc<Organisation>,
    },
    ChangeOrganisation {
        change: OrganisationEvent,
    },
    Look {
        case: CaseId,
    },
    Message {
        message: Box<Message>,
        actor: ActorId,
    },
    /// Which timers fire next.
    Timers {
        limit: usize,
    },
    /// Names saved state.
    Saved {
        event: SystemEvent,
    },
    /// Which calls are under way, or wait: of a case, or all.
    Calls {
        case: Option<CaseId>,
    },
    /// How the breakers stand.
    Breakers,
    /// What partition 0 decided for all.
    Told(Box<Told>),
    Close,
}

impl Ask {
    /// Name of what is asked, and the case it is about: for who watches the engine.
    pub(crate) fn told(&self) -> (&'static str, Option<CaseId>) {
        match self {
            Ask::StartCase { .. } => ("start_case", None),
            Ask::Command { case, command, .. } | Ask::Result { case, command, .. } => (command.name(), Some(*case)),
            Ask::Deploy { .. } => ("deploy", None),
            Ask::Register { .. } => ("register", None),
            Ask::Upkeep { .. } => ("upkeep", None),
            Ask::Organise { .. } => ("organise", None),
            Ask::ChangeOrganisation { .. } => ("change_organisation", None),
            Ask::Look { case } => ("look", Some(*case)),
            Ask::Message { .. } => ("publish", None),
            Ask::Timers { .. } => ("timers", None),
            Ask::Saved { .. } => ("name_saved_state", None),
            Ask::Calls { case } => ("calls", *case),
            Ask::Breakers => ("breakers", None),
            Ask::Told(_) => ("told", None),
            Ask::Close => ("close", None),
        }
    }
}

/// A request: what is asked, who waits for the answer, and that it is going on.
pub(crate) struct Request {
    pub(crate) ask: Ask,
    /// `None` when nobody waits.
    pub(crate) reply: Option<Reply>,
    pub(crate) ongoing: Ongoing,
}

/// Makes the enum of answers, each from and into its type.
macro_rules! outcomes {
    ($($(#[$doc:meta])* $name:ident($type:ty),)*) => {
        /// What came of a request.
        pub(crate) enum Outcome {
            $($(#[$doc])* $name($type),)*
        }

        $(
            impl From<$type> for Outcome {
                fn from(outcome: $type) -> Self {
                    Outcome::$name(outcome)
                }
            }

            impl TryFrom<Outcome> for $type {
                type Error = ();

                fn try_from(outcome: Outcome) -> Result<Self, ()> {
                    if let Outcome::$name(outcome) = outcome { Ok(outcome) } else { Err(()) }
                }
            }
        )*
    };
}

outcomes! {
    Done(()),
    Started(Started),
    Actor(ActorId),
    /// Changes of the organisation: made, and left.
    Changes((usize, usize)),
    Upkept(Upkept),
    Case(Option<Box<Case>>),
    Timers(Vec<Timer>),
    Calls(Vec<CallRow>),
    Breakers(Vec<(String, BreakerState)>),
    Sent(Sent),
}

/// An outcome for who asked.
pub(crate) struct Answer {
    pub(crate) reply: Option<Reply>,
    pub(crate) outcome: Result<Outcome, CommandError>,
}

impl Answer {
    /// Nobody asked: a handler's result, or a timer.
    pub(crate) const NOBODY: Answer = Answer { reply: None, outcome: Ok(Outcome::Done(())) };

    /// Tells who asked; whoever no longer listens is not told.
    pub(crate) fn send(self) {
        if let Some(reply) = self.reply {
            reply.send(self.outcome).ok();
        }
    }
}

/// An event for the projections.
pub(crate) enum Update {
    Case { case: CaseId, net: NetHash, key: Option<Box<str>>, waits: bool, kind: u16, meta: Meta, event: CaseEvent },
    System { stream: u64, kind: u16, meta: Meta, event: SystemEvent },
    Net(Arc<Net>),
}

impl Update {
    /// Where the event is, if it is one.
    pub(crate) fn seq(&self) -> Option<Seq> {
        match self {
            Update::Case { meta, .. } | Update::System { meta, .. } => Some(meta.seq),
            Update::Net(_) => None,
        }
    }
}

/// Something to be done, and that it is going on.
pub(crate) struct Invocation {
    pub(crate) net: Arc<Net>,
    pub(crate) effect: Effect,
    pub(crate) ongoing: Ongoing,
    /// What the call hears by; without one, it cannot be cancelled.
    pub(crate) signal: Option<Arc<Signal>>,
}

/// What may leave once a block is durable.
#[derive(Default)]
pub(crate) struct Release {
    pub(crate) updates: Vec<Update>,
    pub(crate) answers: Vec<(Answer, Ongoing)>,
    pub(crate) invocations: Vec<Invocation>,
    /// Calls that nobody waits for any more.
    pub(crate) cancelled: Vec<Arc<Signal>>,
}

impl Release {
    pub(crate) fn is_empty(&self) -> bool {
        self.updates.is_empty() && self.answers.is_empty() && self.invocations.is_empty() && self.cancelled.is_empty()
    }
}
