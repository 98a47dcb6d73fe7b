//! The compiled net: plain data, in ordinals, that the kernel runs.
//!
//! Ordinals are stored in events for ever. They are a function of the canonical form (see [`Net::canonical`]):
//! variables, roles and tasks are numbered in the byte order of their names; conditions are `start`, `end`, the explicit
//! ones in the byte order of their names, the mutexes likewise, then the implicit ones by (producing task, consuming task).
//! A net with subnets has one numbering for all: first what is the root's, then what is each subnet's, by the subnets' names.

use std::ops::Range;

use actum_model::Value;

use crate::exception::ExceptionRule;
use crate::expression::{Guard, Template};
use crate::instances::Instances;
use crate::kind::ValueKind;
use crate::play::Play;
use crate::policy::{NetPolicies, Policies};
use crate::resourcing::Resourcing;
use crate::start::Start;
use crate::wait::Wait;

// The ordinals and the hash are the model's: events speak in them.
pub use actum_model::{ConditionIx, NetHash, RoleIx, SubnetIx, TaskIx, VariableIx};

/// A checked net, ready to run. Only [`crate::compile`] and [`Net::from_canonical`] make one.
///
/// Two nets with the same [`hash`](Self::hash) are equal.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Net {
    /// The net's identity.
    pub hash: NetHash,
    /// The name under which cases are started.
    pub name: String,
    /// The author's label of this version.
    pub version: Option<String>,
    /// A name for people.
    pub title: Option<String>,
    /// What the net is for.
    pub description: Option<String>,
    /// The root, then the subnets by name: never empty, and ordinal 0 is the root.
    pub subnets: Vec<Subnet>,
    /// The variables of every subnet in turn, each subnet's sorted by name.
    pub variables: Vec<Variable>,
    /// Roles, sorted by name.
    pub roles: Vec<Role>,
    /// Conditions (places) of every subnet in turn: its start, its end, explicit ones, mutexes, implicit ones.
    pub conditions: Vec<Condition>,
    /// Tasks (transitions) of every subnet in turn, each subnet's sorted by name.
    pub tasks: Vec<Task>,
    /// How cases start, by name. Without any: by hand.
    pub starts: Vec<Start>,
    /// Where a new case's token lies. Always ordinal 0.
    pub start: ConditionIx,
    /// The condition whose token ends the case. Always ordinal 1.
    pub end: ConditionIx,
    /// Limits of its handlers' calls as a whole.
    pub policies: NetPolicies,
    /// How simulated people behave.
    pub play: Play,
    /// The canonical form: deterministic JSON bytes, from which [`Net::from_canonical`] makes this very net.
    pub canonical: Vec<u8>,
}

impl Net {
    /// The root's task of that name.
    pub fn task(&self, name: &str) -> Option<TaskIx> {
        self.task_in(SubnetIx::ROOT, name)
    }

    /// A subnet's task of that name.
    pub fn task_in(&self, subnet: SubnetIx, name: &str) -> Option<TaskIx> {
        let range = &self.subnets.get(subnet.index())?.tasks;
        let found = part(&self.tasks, range).binary_search_by(|task| task.name.as_str().cmp(name)).ok()?;
        Some(TaskIx(range.start + TaskIx::of(found).0))
    }

    /// The root's variable (a case variable) of that name.
    pub fn variable(&self, name: &str) -> Option<VariableIx> {
        self.variable_in(SubnetIx::ROOT, name)
    }

    /// A subnet's variable of that name.
    pub fn variable_in(&self, subnet: SubnetIx, name: &str) -> Option<VariableIx> {
        let range = &self.subnets.get(subnet.index())?.variables;
        let found = part(&self.variables, range).binary_search_by(|variable| variable.name.as_str().cmp(name)).ok()?;
        Some(VariableIx(range.start + VariableIx::of(found).0))
    }

    /// The role of that name.
    pub fn role(&self, name: &str) -> Option<RoleIx> {
        self.roles.binary_search_by(|role| role.name.as_str().cmp(name)).ok().map(RoleIx::of)
    }

    /// The root's condition of that name; an implicit one is called `from->to`.
    pub fn condition(&self, name: &str) -> Option<ConditionIx> {
        self.condition_in(SubnetIx::ROOT, name)
    }

    /// A subnet's condition of that name; an implicit one is called `from->to`.
    pub fn condition_in(&self, subnet: SubnetIx, name: &str) -> Option<ConditionIx> {
        let range = &self.subnets.get(subnet.index())?.conditions;
        let found = part(&self.conditions, range).iter().position(|condition| condition.name == name)?;
        Some(ConditionIx(range.start + ConditionIx::of(found).0))
    }

    /// The subnet of that name; the root is not asked.
    pub fn subnet(&self, name: &str) -> Option<SubnetIx> {
        let found = self.subnets.get(1..)?.binary_search_by(|subnet| subnet.name.as_str().cmp(name)).ok()?;
        Some(SubnetIx::of(found + 1))
    }

    /// The task of that label: the inverse of [`Self::task_label`].
    pub fn task_labelled(&self, label: &str) -> Option<TaskIx> {
        match label.split_once('/') {
            Some((subnet, task)) => self.task_in(self.subnet(subnet)?, task),
            None => self.task(label),
        }
    }

    /// What people call the task: its name in the root, `subnet/task` elsewhere. Empty for an ordinal the net does not have.
    pub fn task_label(&self, task: TaskIx) -> String {
        let Some(task) = self.tasks.get(task.index()) else { return String::new() };
        match self.subnets.get(task.subnet.index()) {
            Some(subnet) if task.subnet != SubnetIx::ROOT => format!("{}/{}", subnet.name, task.name),
            _ => task.name.clone(),
        }
    }
}

/// A subnet's part of one of the net's lists.
fn part<'l, T>(list: &'l [T], range: &Range<u32>) -> &'l [T] {
    list.get(range.start as usize..range.end as usize).unwrap_or_default()
}

/// The root net, or one that composite tasks run. Each has its own conditions, tasks and variables.
#[derive(Debug, Clone, PartialEq)]
pub struct Subnet {
    /// The author's name; the root's is the net's.
    pub name: String,
    /// A name for people.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Where a new frame's token lies.
    pub start: ConditionIx,
    /// The condition whose token ends the frame; never marked under implicit termination.
    pub end: ConditionIx,
    /// Whether it ends when nothing is marked (mutexes aside), enabled or running, rather than by a token in `end`.
    pub implicit_termination: bool,
    /// Conditions that hold one token from the beginning, ascending.
    pub mutexes: Vec<ConditionIx>,
    /// Its part of [`Net::variables`].
    pub variables: Range<u32>,
    /// Its part of [`Net::conditions`].
    pub conditions: Range<u32>,
    /// Its part of [`Net::tasks`].
    pub tasks: Range<u32>,
    /// What is done about exceptions of the case; always empty but for the root.
    pub exceptions: Vec<ExceptionRule>,
}

/// A variable of the case (the root's) or of a running subnet.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// A CEL identifier.
    pub name: String,
    /// Whose it is.
    pub subnet: SubnetIx,
    /// What it may hold (besides null, which means "not set").
    pub kind: ValueKind,
    /// Whether whoever starts a case may give it.
    pub input: bool,
    /// Whether whoever starts a case must give it.
    pub required: bool,
    /// Its value in a new case that was not given one; always of `kind`.
    pub default: Option<Value>,
    /// What it means.
    pub description: Option<String>,
}

/// A role: who may do a manual task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The name that the directory knows.
    pub name: String,
    /// A name for people.
    pub title: Option<String>,
}

/// A condition (a place, in Petri net terms): holds tokens between tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `start`, `end`, the author's name, or `from->to` for an implicit one.
    pub name: String,
    /// Whose it is.
    pub subnet: SubnetIx,
    /// Whether it stands for a flow drawn from task to task.
    pub implicit: bool,
    /// Whether it holds one token from the beginning, which tasks hold while they run.
    pub mutex: bool,
    /// A name for people.
    pub title: Option<String>,
    /// The tasks that may put a token here, ascending; those that release a mutex too.
    pub producers: Vec<TaskIx>,
    /// The tasks that may take a token from here, ascending; those that hold a mutex too. More than one: a deferred choice.
    pub consumers: Vec<TaskIx>,
    /// The tasks that read it, ascending: they start only while it is marked, and take nothing.
    pub readers: Vec<TaskIx>,
}

/// When a task may start, given its input conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Join {
    /// All inputs hold a token; one is taken from each.
    And,
    /// Any input holds a token; one is taken from one of them. Also the join of a task with a single input.
    Xor,
    /// Some input holds a token and no further token can reach an empty one; one is taken from each that has one.
    Or,
    /// A token arrived on some of the inputs since the last reset; once all arrived, it is reset.
    Partial {
        /// On how many distinct inputs; at least 1, at most all.
        of: u32,
        /// What becomes of the tokens that come after it fired.
        rest: Rest,
    },
}

/// What a partial join does with the tokens that come after it fired, until it is reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Rest {
    /// Tokens on the inputs are swallowed.
    #[default]
    Absorb,
    /// A second token on an input that arrived waits for the reset; first ones on the others are swallowed.
    Block,
    /// It cancels its cancellation set as it fires, and is reset at once.
    Cancel,
}

/// Which flows get a token when a task completes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Split {
    /// All of them. Also the split of a task with a single flow.
    And,
    /// The first whose guard holds, else the default.
    Xor,
    /// Every one whose guard holds; if there is none, the default.
    Or,
}

/// A task (a transition, in Petri net terms).
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The author's name.
    pub name: String,
    /// Whose it is.
    pub subnet: SubnetIx,
    /// A name for people.
    pub title: Option<String>,
    /// What the task is for.
    pub description: Option<String>,
    /// When it may start.
    pub join: Join,
    /// Which flows get a token when it completes.
    pub split: Split,
    /// Its input conditions, ascending, each once; without mutexes. Empty only for a task that compensates.
    pub inputs: Vec<ConditionIx>,
    /// Inputs of which more than one token is taken at once, ascending, and how many (2 to [`crate::TOKENS_MAX`]).
    pub takes: Vec<(ConditionIx, u32)>,
    /// Conditions that must be marked when it starts, ascending; nothing is taken from them.
    pub reads: Vec<ConditionIx>,
    /// Mutexes that it takes when it starts, ascending.
    pub holds: Vec<ConditionIx>,
    /// Mutexes that it gives back when it completes, ascending.
    pub releases: Vec<ConditionIx>,
    /// Its outgoing flows, in the author's order, each condition once. Empty only under implicit termination, and for a
    /// task that compensates.
    pub outputs: Vec<Flow>,
    /// What it cancels on completion (with a join that cancels the rest: as it fires).
    pub cancels: Region,
    /// How many times its work is done side by side, if not once.
    pub instances: Option<Instances>,
    /// The signal it waits for once it is enabled.
    pub trigger: Option<Trigger>,
    /// Whether it runs only to make up for another task: it has no inputs and no flows.
    pub compensates: bool,
    /// The task that undoes its work.
    pub compensation: Option<TaskIx>,
    /// The savepoint that is reached when it completes; of tasks of the root only.
    pub savepoint: Option<String>,
    /// What is done about exceptions of its items, at most one rule of each trigger.
    pub exceptions: Vec<ExceptionRule>,
    /// What is done when its work fails, takes long or is too much at once; only of automatic work.
    pub policies: Option<Box<Policies>>,
    /// What is to be done.
    pub work: Work,
    /// Which of its subnet's variables change on completion, ascending by variable. Every value is computed from the
    /// data before any of them is set. With instances: computed when the task goes on.
    pub output: Vec<(VariableIx, Template)>,
}

/// Conditions and tasks of one subnet: a cancellation set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Region {
    /// Whose tokens are removed, ascending.
    pub conditions: Vec<ConditionIx>,
    /// Whose items are withdrawn or cancelled, ascending.
    pub tasks: Vec<TaskIx>,
}

impl Region {
    /// Whether nothing is cancelled.
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty() && self.tasks.is_empty()
    }
}

/// A signal from the environment that a task waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The signal's name.
    pub signal: String,
    /// Whether a signal that comes before anybody waits is kept.
    pub persistent: bool,
}

/// A flow out of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// The condition that gets the token.
    pub to: ConditionIx,
    /// How many tokens it gets: 1 to [`crate::TOKENS_MAX`].
    pub tokens: u32,
    /// When; always there on flows of an XOR or OR split that are not the default, never elsewhere.
    pub guard: Option<Guard>,
    /// Whether it is taken when no guard holds. At most one per task, and then the last.
    pub default: bool,
}

/// What a task does.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a net has few tasks, and all its cases share them")]
#[non_exhaustive]
pub enum Work {
    /// Nothing: it only routes (and may set variables).
    Routing,
    /// A handler does it.
    Automatic {
        /// The name under which the embedder registered the handler.
        handler: String,
        /// The handler's input, always a map.
        params: Template,
    },
    /// A person does it.
    Manual {
        /// Who may, if a role alone says it; else `resourcing` does.
        role: Option<RoleIx>,
        /// Whoever did one of these tasks in this case may not do this one. Ascending.
        separate_from: Vec<TaskIx>,
        /// What the person gives back, sorted by name.
        form: Vec<Field>,
        /// What the person sees, always a map.
        input: Template,
        /// How it is handed out, beyond the role.
        resourcing: Resourcing,
    },
    /// A subnet does it: a frame of its own runs.
    Composite {
        /// Which; never the root.
        subnet: SubnetIx,
        /// Values of the subnet's input variables, over the data of the task's own subnet. Always a map.
        params: Template,
    },
    /// Nobody: it completes when the time comes.
    Wait(Wait),
    /// Nobody: it completes when a message comes, with what comes with it.
    Receive {
        /// The message's name.
        message: String,
        /// What it must be about (see [`crate::key_text`]); without: a message with an empty key.
        key: Option<Template>,
    },
}

/// A field of a manual task's form.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// A CEL identifier: `result.NAME` in the output mapping and in guards.
    pub name: String,
    /// A name for people.
    pub title: Option<String>,
    /// What it may hold.
    pub kind: ValueKind,
    /// Whether it must be given (and not null).
    pub required: bool,
}
