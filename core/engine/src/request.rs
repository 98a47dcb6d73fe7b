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
use crate::timers::Timer;
use crate::upkeep::{Upkeep, Upkept};

/// An answer that waits for durability.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, CommandError>>;

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
        reply: Reply<Started>,
    },
    Command {
        case: CaseId,
        actor: ActorId,
        command: CaseCommand,
        reply: Reply<()>,
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
        reply: Reply<()>,
    },
    Register {
        name: String,
        roles: Vec<String>,
        reply: Reply<ActorId>,
    },
    Upkeep {
        task: Upkeep,
        reply: Reply<Upkept>,
    },
    /// Make the directory say what an organisation says. Answered by how many changes were made, and how many are left.
    Organise {
        organisation: Arc<Organisation>,
        reply: Reply<(usize, usize)>,
    },
    ChangeOrganisation {
        change: OrganisationEvent,
        reply: Reply<()>,
    },
    Look {
        case: CaseId,
        reply: Reply<Option<Box<Case>>>,
    },
    /// Which timers fire next.
    Timers {
        limit: usize,
        reply: Reply<Vec<Timer>>,
    },
    Close,
}

/// A request, and that it is going on.
pub(crate) struct Request {
    pub(crate) ask: Ask,
    pub(crate) ongoing: Ongoing,
}

/// An answer with what it answers.
pub(crate) enum Answer {
    Started(Reply<Started>, Result<Started, CommandError>),
    Done(Reply<()>, Result<(), CommandError>),
    Actor(Reply<ActorId>, Result<ActorId, CommandError>),
    Changes(Reply<(usize, usize)>, Result<(usize, usize), CommandError>),
    Upkept(Reply<Upkept>, Result<Upkept, CommandError>),
    Case(Reply<Option<Box<Case>>>, Result<Option<Box<Case>>, CommandError>),
    Timers(Reply<Vec<Timer>>, Result<Vec<Timer>, CommandError>),
    /// Nobody asked: a handler's result, or a timer.
    Nobody,
}

impl Answer {
    /// Tells who asked; whoever no longer listens is not told.
    pub(crate) fn send(self) {
        match self {
            Answer::Started(reply, answer) => drop(reply.send(answer)),
            Answer::Done(reply, answer) => drop(reply.send(answer)),
            Answer::Actor(reply, answer) => drop(reply.send(answer)),
            Answer::Changes(reply, answer) => drop(reply.send(answer)),
            Answer::Upkept(reply, answer) => drop(reply.send(answer)),
            Answer::Case(reply, answer) => drop(reply.send(answer)),
            Answer::Timers(reply, answer) => drop(reply.send(answer)),
            Answer::Nobody => {}
        }
    }

    /// The same question, answered by an error instead.
    pub(crate) fn fail(self, error: CommandError) -> Answer {
        match self {
            Answer::Started(reply, _) => Answer::Started(reply, Err(error)),
            Answer::Done(reply, _) => Answer::Done(reply, Err(error)),
            Answer::Actor(reply, _) => Answer::Actor(reply, Err(error)),
            Answer::Changes(reply, _) => Answer::Changes(reply, Err(error)),
            Answer::Upkept(reply, _) => Answer::Upkept(reply, Err(error)),
            Answer::Case(reply, _) => Answer::Case(reply, Err(error)),
            Answer::Timers(reply, _) => Answer::Timers(reply, Err(error)),
            Answer::Nobody => Answer::Nobody,
        }
    }
}

/// An event for the projections.
pub(crate) enum Update {
    Case { case: CaseId, net: NetHash, key: Option<Box<str>>, waits: bool, meta: Meta, event: CaseEvent },
    System { seq: Seq, event: SystemEvent },
    Net(Arc<Net>),
}

/// Something to be done, and that it is going on.
pub(crate) struct Invocation {
    pub(crate) net: Arc<Net>,
    pub(crate) effect: Effect,
    pub(crate) ongoing: Ongoing,
}

/// What may leave once a block is durable.
#[derive(Default)]
pub(crate) struct Release {
    pub(crate) updates: Vec<Update>,
    pub(crate) answers: Vec<(Answer, Ongoing)>,
    pub(crate) invocations: Vec<Invocation>,
}

impl Release {
    pub(crate) fn is_empty(&self) -> bool {
        self.updates.is_empty() && self.answers.is_empty() && self.invocations.is_empty()
    }
}
