//! The rules of lawfulness, by code.

use std::fmt;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// A rule that an event can break. Its code is stable; `LAW.md` explains each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Law {
            $($(#[$doc])* $name,)*
        }

        impl Law {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code, such as `law/tokens`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }
        }
    };
}

rules! {
    /// An event is earlier than the one before it, or a timer fired before its time.
    Time = "law/time",
    /// What is given as the cause of an event cannot have caused it.
    Cause = "law/cause",
    /// Versions of a stream do not count up by one, or an event is in a stream of another kind.
    Order = "law/order",
    /// A case runs a net that was not deployed, a net is not what its hash says, or an event speaks of what its net does not have.
    Net = "law/net",
    /// The case is not in a state in which this can happen.
    Status = "law/status",
    /// The work item is not there, is another task's, or not in a phase in which this can happen to it.
    Phase = "law/phase",
    /// Tokens were taken that the net does not let it take then, or were not there.
    Tokens = "law/tokens",
    /// Tokens were given where the net does not lead, or where a guard says no.
    Branch = "law/branch",
    /// Variables were set to what does not follow from the data.
    Data = "law/data",
    /// Somebody acted who may not.
    Who = "law/who",
    /// An allocation does not follow from what is recorded about it.
    Allocation = "law/allocation",
    /// Something that had to happen before this did not.
    Owed = "law/owed",
    /// The directory cannot change like this.
    Directory = "law/directory",
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A rule that is broken, and how, in a sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken(pub(super) Law, pub(super) String);

/// Whether an event is lawful as far as a group of rules looks.
pub(super) type Judged = Result<(), Broken>;

/// An error unless it holds.
pub(super) fn must(holds: bool, law: Law, why: impl FnOnce() -> String) -> Judged {
    if holds { Ok(()) } else { Err(Broken(law, why())) }
}
