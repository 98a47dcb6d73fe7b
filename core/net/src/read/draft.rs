//! The draft: a net as it was written, every part with its place, shorthands resolved, nothing looked up yet.

use super::{NetPoliciesDraft, PolicyDraft, ResourcesDraft};
use crate::exception::TimeoutFrom;
use crate::instances::InstanceRest;
use crate::kind::ValueKind;
use crate::net::{Join, Split};
use crate::source::{Node, Span};

/// A name, and where it stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) version: Option<String>,
    pub(crate) roles: Vec<RoleDraft>,
    /// The root, then the others; never empty.
    pub(crate) subnets: Vec<SubnetDraft>,
    pub(crate) exceptions: Vec<ExceptionDraft>,
    pub(crate) policies: NetPoliciesDraft,
    pub(crate) starts: Vec<super::StartDraft>,
    pub(crate) play: PlayDraft,
}

/// The root net or a subnet.
#[derive(Debug, Default)]
pub(crate) struct SubnetDraft {
    pub(crate) name: Name,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) variables: Vec<VariableDraft>,
    pub(crate) conditions: Vec<ConditionDraft>,
    pub(crate) mutexes: Vec<Name>,
    pub(crate) tasks: Vec<TaskDraft>,
    pub(crate) start: Vec<Name>,
    /// Implicit termination.
    pub(crate) implicit: bool,
}

#[derive(Debug)]
pub(crate) struct VariableDraft {
    pub(crate) name: Name,
    pub(crate) kind: ValueKind,
    pub(crate) input: bool,
    pub(crate) required: bool,
    pub(crate) default: Option<Node>,
    pub(crate) description: Option<String>,
}

#[derive(Debug)]
pub(crate) struct RoleDraft {
    pub(crate) name: Name,
    pub(crate) title: Option<String>,
}

#[derive(Debug)]
pub(crate) struct ConditionDraft {
    pub(crate) name: Name,
    pub(crate) title: Option<String>,
    /// May be empty for a condition that is only read.
    pub(crate) flow: Vec<Name>,
}

#[derive(Debug, Default)]
pub(crate) struct TaskDraft {
    pub(crate) name: Name,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) join: Option<JoinDraft>,
    pub(crate) split: Option<Split>,
    pub(crate) takes: Vec<(Name, u32)>,
    pub(crate) reads: Vec<Name>,
    pub(crate) mutex: Vec<Name>,
    pub(crate) enter: Vec<Name>,
    pub(crate) leave: Vec<Name>,
    pub(crate) cancels: Vec<Name>,
    pub(crate) trigger: Option<TriggerDraft>,
    pub(crate) instances: Option<InstancesDraft>,
    /// Where the key stands, if it is set.
    pub(crate) compensates: Option<Span>,
    pub(crate) compensation: Option<Name>,
    pub(crate) savepoint: Option<Name>,
    pub(crate) receive: Option<super::ReceiveDraft>,
    pub(crate) exceptions: Vec<ExceptionDraft>,
    /// The outermost first.
    pub(crate) policies: Vec<PolicyDraft>,
    pub(crate) handler: Option<Name>,
    pub(crate) params: Option<Part>,
    pub(crate) net: Option<Name>,
    pub(crate) wait: Option<WaitDraft>,
    pub(crate) role: Option<Name>,
    pub(crate) resources: Option<ResourcesDraft>,
    pub(crate) separate_from: Option<(Span, Vec<Name>)>,
    pub(crate) input: Option<Part>,
    pub(crate) form: Option<(Span, Vec<FieldDraft>)>,
    pub(crate) output: Vec<(Name, Node)>,
    pub(crate) flow: Vec<FlowDraft>,
}

impl TaskDraft {
    /// Whether people do it.
    pub(crate) fn is_manual(&self) -> bool {
        self.role.is_some() || self.resources.is_some()
    }

    /// Whether nobody does anything: it only routes.
    pub(crate) fn is_routing(&self) -> bool {
        !self.is_manual()
            && self.handler.is_none()
            && self.net.is_none()
            && self.wait.is_none()
            && self.receive.is_none()
    }

    /// The roles it names.
    pub(crate) fn roles(&self) -> impl Iterator<Item = &Name> {
        self.role.iter().chain(self.resources.iter().flat_map(ResourcesDraft::roles))
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct JoinDraft {
    pub(crate) join: Join,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) struct TriggerDraft {
    pub(crate) signal: Name,
    pub(crate) persistent: bool,
    pub(crate) key: Span,
}

#[derive(Debug)]
pub(crate) struct InstancesDraft {
    pub(crate) key: Span,
    pub(crate) count: Option<Node>,
    pub(crate) each: Option<Node>,
    pub(crate) min: Option<(u32, Span)>,
    pub(crate) max: Option<(u32, Span)>,
    pub(crate) add: bool,
    pub(crate) threshold: Option<(u32, Span)>,
    pub(crate) until: Option<Name>,
    pub(crate) rest: InstanceRest,
}

#[derive(Debug)]
pub(crate) struct WaitDraft {
    pub(crate) key: Span,
    pub(crate) length: Option<Node>,
    pub(crate) until: Option<Node>,
    pub(crate) calendar: Option<Name>,
    pub(crate) cron: Option<Name>,
    pub(crate) zone: Option<Name>,
}

/// One rule of `exceptions`.
#[derive(Debug)]
pub(crate) struct ExceptionDraft {
    pub(crate) trigger: TriggerOfException,
    /// Where its key stands.
    pub(crate) key: Span,
    pub(crate) answer: AnswerDraft,
    /// Whether it says `scope: case`.
    pub(crate) of_case: bool,
    /// Where the answer stands.
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) enum TriggerOfException {
    Abort,
    Timeout { limit: WaitDraft, from: TimeoutFrom },
    Unavailable,
    Violation { when: Name },
    External { name: Name },
}

#[derive(Debug, Clone)]
pub(crate) enum AnswerDraft {
    Continue,
    Suspend,
    Remove,
    Restart,
    Complete,
    Fail,
    Compensate(Name),
    Escalate,
    Signal(Name),
    Undo,
    GoBack(Name),
}

/// A map of templates, and the place of the key that holds it.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) key: Span,
    pub(crate) node: Node,
}

#[derive(Debug)]
pub(crate) struct FieldDraft {
    pub(crate) name: Name,
    pub(crate) title: Option<String>,
    pub(crate) kind: ValueKind,
    pub(crate) required: bool,
}

#[derive(Debug)]
pub(crate) struct FlowDraft {
    pub(crate) to: Name,
    pub(crate) tokens: u32,
    pub(crate) when: Option<Name>,
    pub(crate) default: bool,
    pub(crate) span: Span,
}

#[derive(Debug, Default)]
pub(crate) struct PlayDraft {
    pub(crate) participants: Vec<(Name, Vec<String>)>,
    pub(crate) tasks: Vec<TaskPlayDraft>,
    pub(crate) signals: Vec<(Name, (u32, u32))>,
}

#[derive(Debug)]
pub(crate) struct TaskPlayDraft {
    pub(crate) name: Name,
    pub(crate) minutes: (u32, u32),
    pub(crate) results: Vec<(u32, Node)>,
}
