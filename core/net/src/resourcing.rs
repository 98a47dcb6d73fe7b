//! Resourcing: who may do a manual task, and how it comes to somebody.
//!
//! Work comes to a person in three steps: it is *offered* to some, *allocated* to one, *started*. Each step is the system's
//! or a person's. The terms are those of the workflow resource patterns (Russell, ter Hofstede, Edmond, van der Aalst 2005).

use crate::expression::Guard;
use crate::net::{RoleIx, TaskIx};

/// How a manual task finds who does it.
#[derive(Debug, Clone, PartialEq)]
pub struct Resourcing {
    /// Who says to whom it is offered.
    pub offer: By,
    /// Who says whose it becomes.
    pub allocate: Allocate,
    /// Who says that it begins.
    pub start: By,
    /// Who comes into question at all.
    pub who: Who,
    /// Whoever did, or has, one of these tasks in this case may not do this one, nor the other way round. Ascending.
    pub separate_from: Vec<TaskIx>,
    /// Retain familiar: if somebody did one of these tasks in this case, only they may do this one. Ascending.
    pub same_as: Vec<TaskIx>,
    /// Each of these tasks must have been done in this case by a person, and this one is somebody else's. Ascending.
    pub four_eyes: Vec<TaskIx>,
    /// Keeps those for whom it holds from the work; sees `who` and the case's data.
    pub not_if: Option<Guard>,
    /// Keeps those for whom it does not hold from the work; sees `who` and the case's data.
    pub when: Option<Guard>,
    /// Only who is on duty now.
    pub calendar: bool,
    /// What whoever has the work may do with it beside doing it.
    pub may: Operations,
}

impl Default for Resourcing {
    /// Of `role: NAME` alone: offered to the role by the system, taken by the first, begun by that person.
    fn default() -> Self {
        Resourcing {
            offer: By::System,
            allocate: Allocate::Person,
            start: By::Person,
            who: Who::default(),
            separate_from: Vec::new(),
            same_as: Vec::new(),
            four_eyes: Vec::new(),
            not_if: None,
            when: None,
            calendar: false,
            may: Operations::default(),
        }
    }
}

impl Resourcing {
    /// The one role that alone says who may do it, if nothing has to be looked up when it is offered: then it is offered
    /// to the role as a whole, whoever has it when the work is taken.
    #[must_use]
    pub fn open_role(&self) -> Option<RoleIx> {
        let Who { roles, positions, capabilities, groups, participants } = &self.who;
        let only_role = positions.is_empty() && capabilities.is_empty() && groups.is_empty() && participants.is_empty();
        let only_person = self.offer == By::System && self.allocate == Allocate::Person;
        let no_rule = self.same_as.is_empty()
            && self.four_eyes.is_empty()
            && self.not_if.is_none()
            && self.when.is_none()
            && !self.calendar;

        match roles.as_slice() {
            [role] if only_role && only_person && no_rule => Some(*role),
            _ => None,
        }
    }
}

/// Whose step it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum By {
    /// The engine's, at once. The default for offering.
    #[default]
    System,
    /// Somebody's.
    Person,
}

/// Who says whose the work becomes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Allocate {
    /// The first of those it was offered to who takes it.
    #[default]
    Person,
    /// The engine, by a strategy.
    System(Strategy),
    /// The engine, by a strategy of this name that the embedder registered.
    Own(String),
}

/// Who comes into question: has one of the roles, or positions, or is in one of the groups, or is named; and has all the
/// capabilities. With nothing named but capabilities: everybody who has those.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Who {
    /// Roles, ascending.
    pub roles: Vec<RoleIx>,
    /// Names of positions, sorted.
    pub positions: Vec<String>,
    /// Names of capabilities, sorted, each with the least level that is enough.
    pub capabilities: Vec<(String, u32)>,
    /// Names of groups, sorted; those inside a group count.
    pub groups: Vec<String>,
    /// Names of participants, sorted.
    pub participants: Vec<String>,
}

macro_rules! named {
    ($(#[$doc:meta])* $kind:ident { $($(#[$one:meta])* $name:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $kind {
            $($(#[$one])* $name,)*
        }

        impl $kind {
            /// Every one, in the order of the language's documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in nets, events and output.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The one of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }
    };
}

named! {
    /// How the engine chooses one of several. A tie goes to whom this task was given the longest ago, then to the lower ordinal.
    Strategy {
        /// To whom this task was given the longest ago, or never.
        RoundRobinTime = "round-robin-time",
        /// To whom this task was given the fewest times.
        RoundRobinFrequency = "round-robin-frequency",
        /// Who has the least practice in this task: the declared experience and the times they completed it.
        RoundRobinExperience = "round-robin-experience",
        /// Who has the fewest items that are not begun.
        ShortestQueue = "shortest-queue",
        /// Anybody, by the seed of the decision.
        Random = "random",
        /// Who has the fewest items in all.
        LeastLoaded = "least-loaded",
        /// Who costs least.
        Cheapest = "cheapest",
        /// Who works fastest.
        Fastest = "fastest",
        /// With whom the least goes wrong.
        LeastRisk = "least-risk",
        /// Who is on duty the longest from now; if nobody is, who comes on duty first.
        Calendar = "calendar",
    }
}

named! {
    /// What may be done with work beside doing it.
    Operation {
        /// Give it back to those it was offered to.
        PutBack = "put-back",
        /// Lay it aside and go on later.
        Suspend = "suspend",
        /// Hand it, not begun, to somebody else.
        Delegate = "delegate",
        /// Hand it, begun, to somebody else.
        Reallocate = "reallocate",
        /// End it without doing it.
        Skip = "skip",
        /// Get all work of its task from now on.
        Pile = "pile",
        /// Offer it to who is above.
        Escalate = "escalate",
    }
}

/// A set of [`Operation`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Operations(u8);

impl Default for Operations {
    fn default() -> Self {
        [Operation::PutBack, Operation::Suspend, Operation::Delegate].into_iter().collect()
    }
}

impl Operations {
    /// Whether the operation is one of them.
    #[must_use]
    pub const fn contains(self, operation: Operation) -> bool {
        self.0 & (1 << operation as u8) != 0
    }

    /// Its operations, in the order of [`Operation::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Operation> {
        Operation::ALL.iter().copied().filter(move |operation| self.contains(*operation))
    }
}

impl FromIterator<Operation> for Operations {
    fn from_iter<I: IntoIterator<Item = Operation>>(operations: I) -> Self {
        Operations(operations.into_iter().fold(0, |set, operation| set | 1 << operation as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        assert!(Strategy::ALL.iter().all(|one| Strategy::from_name(one.name()) == Some(*one)));
        assert!(Operation::ALL.iter().all(|one| Operation::from_name(one.name()) == Some(*one)));
        assert_eq!((Strategy::from_name(""), Operation::from_name("Skip")), (None, None));
    }

    #[test]
    fn operations_are_a_set() {
        let default: Vec<_> = Operations::default().iter().map(Operation::name).collect();
        assert_eq!(default, ["put-back", "suspend", "delegate"]);
        let none: Operations = [].into_iter().collect();
        assert_eq!(none.iter().count(), 0);
        let all: Operations = Operation::ALL.iter().copied().collect();
        assert_eq!(all.iter().count(), Operation::ALL.len());
    }
}
