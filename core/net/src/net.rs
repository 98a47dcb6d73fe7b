//! The compiled net: plain data, in ordinals, that the kernel runs.
//!
//! Ordinals are stored in events for ever. They are a function of the canonical form (see [`Net::canonical`]):
//! variables, roles and tasks are numbered in the byte order of their names; conditions are `start`, `end`, the explicit
//! ones in the byte order of their names, then the implicit ones by (producing task, consuming task).

use actum_model::Value;

use crate::expression::{Guard, Template};
use crate::kind::ValueKind;

// The ordinals and the hash are the model's: events speak in them.
pub use actum_model::{ConditionIx, NetHash, RoleIx, TaskIx, VariableIx};

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
    /// Case variables, sorted by name.
    pub variables: Vec<Variable>,
    /// Roles, sorted by name.
    pub roles: Vec<Role>,
    /// Conditions (places): [`Net::start`], [`Net::end`], explicit ones, implicit ones.
    pub conditions: Vec<Condition>,
    /// Tasks (transitions), sorted by name.
    pub tasks: Vec<Task>,
    /// Where a new case's token lies. Always ordinal 0.
    pub start: ConditionIx,
    /// The condition whose token ends the case. Always ordinal 1.
    pub end: ConditionIx,
    /// How simulated people behave.
    pub play: Play,
    /// The canonical form: deterministic JSON bytes, from which [`Net::from_canonical`] makes this very net.
    pub canonical: Vec<u8>,
}

impl Net {
    /// The task of that name.
    pub fn task(&self, name: &str) -> Option<TaskIx> {
        self.tasks.binary_search_by(|task| task.name.as_str().cmp(name)).ok().map(TaskIx::of)
    }

    /// The case variable of that name.
    pub fn variable(&self, name: &str) -> Option<VariableIx> {
        self.variables.binary_search_by(|variable| variable.name.as_str().cmp(name)).ok().map(VariableIx::of)
    }

    /// The role of that name.
    pub fn role(&self, name: &str) -> Option<RoleIx> {
        self.roles.binary_search_by(|role| role.name.as_str().cmp(name)).ok().map(RoleIx::of)
    }

    /// The condition of that name; an implicit one is called `from->to`.
    pub fn condition(&self, name: &str) -> Option<ConditionIx> {
        self.conditions.iter().position(|condition| condition.name == name).map(ConditionIx::of)
    }
}

/// A case variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// A CEL identifier.
    pub name: String,
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
    /// Whether it stands for a flow drawn from task to task.
    pub implicit: bool,
    /// A name for people.
    pub title: Option<String>,
    /// The tasks that may put a token here, ascending.
    pub producers: Vec<TaskIx>,
    /// The tasks that may take a token from here, ascending. More than one: a deferred choice.
    pub consumers: Vec<TaskIx>,
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
    /// A name for people.
    pub title: Option<String>,
    /// What the task is for.
    pub description: Option<String>,
    /// When it may start.
    pub join: Join,
    /// Which flows get a token when it completes.
    pub split: Split,
    /// Its input conditions, ascending, each once.
    pub inputs: Vec<ConditionIx>,
    /// Its outgoing flows, in the author's order, each condition once; never empty.
    pub outputs: Vec<Flow>,
    /// What is to be done.
    pub work: Work,
    /// Which case variables change on completion, ascending by variable. Every value is computed from the
    /// data before any of them is set.
    pub output: Vec<(VariableIx, Template)>,
}

/// A flow out of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// The condition that gets the token.
    pub to: ConditionIx,
    /// When; always there on flows of an XOR or OR split that are not the default, never elsewhere.
    pub guard: Option<Guard>,
    /// Whether it is taken when no guard holds. At most one per task, and then the last.
    pub default: bool,
}

/// What a task does.
#[derive(Debug, Clone, PartialEq)]
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
        /// Who may.
        role: RoleIx,
        /// Whoever did one of these tasks in this case may not do this one. Ascending.
        separate_from: Vec<TaskIx>,
        /// What the person gives back, sorted by name.
        form: Vec<Field>,
        /// What the person sees, always a map.
        input: Template,
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

/// How simulated people behave: only for simulated runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Play {
    /// Who has which role, ascending by role.
    pub participants: Vec<(RoleIx, Vec<String>)>,
    /// What people give back, ascending by task.
    pub tasks: Vec<TaskPlay>,
}

/// How simulated people do one manual task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskPlay {
    /// Which task.
    pub task: TaskIx,
    /// Shortest and longest time it takes, in minutes.
    pub minutes: (u32, u32),
    /// What comes back, chosen by weight; never empty.
    pub results: Vec<PlayResult>,
}

/// One result a simulated person may give.
#[derive(Debug, Clone, PartialEq)]
pub struct PlayResult {
    /// How often, relative to the other results; at least 1.
    pub weight: u32,
    /// What is given: a map that fits the task's form.
    pub result: Value,
}
