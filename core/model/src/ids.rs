//! Identifiers: one newtype for each kind of thing, so that they cannot be confused.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A case: one run of a net. The number is also the id of its stream in the log (1 to 2^63-1).
    CaseId(u64)
}
id! {
    /// A work item, numbered from 0 within its case; one firing of a task.
    ItemId(u32)
}
id! {
    /// Who acts: 0 is the engine itself, others are ordinals that the directory introduced.
    ActorId(u32)
}
id! {
    /// Position of an event in its partition's log, from 0.
    Seq(u64)
}
id! {
    /// Ordinal of a task in its net's canonical form.
    TaskIx(u32)
}
id! {
    /// Ordinal of a condition in its net's canonical form.
    ConditionIx(u32)
}
id! {
    /// Ordinal of a case variable in its net's canonical form.
    VariableIx(u32)
}
id! {
    /// Ordinal of a role in its net's canonical form.
    RoleIx(u32)
}
id! {
    /// Ordinal of a subnet in its net's canonical form: 0 is the root.
    SubnetIx(u32)
}
id! {
    /// A frame: one running net of a case. 0 is the root's; those of subnets are numbered from 1 within their case.
    FrameId(u32)
}

macro_rules! ordinal {
    ($($name:ident)*) => {
        $(impl $name {
            /// The place in the net's list.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// The ordinal of a place in the net's list. A net has fewer than 2^32 of anything.
            #[must_use]
            pub const fn of(index: usize) -> Self {
                Self(index as u32)
            }
        })*
    };
}

ordinal! { TaskIx ConditionIx VariableIx RoleIx SubnetIx }

impl SubnetIx {
    /// The net itself, which composite tasks run subnets of.
    pub const ROOT: SubnetIx = SubnetIx(0);
}

impl FrameId {
    /// The frame of the net itself.
    pub const ROOT: FrameId = FrameId(0);
}

impl ActorId {
    /// The engine itself.
    pub const ENGINE: ActorId = ActorId(0);
}

/// A net's identity: the hash of its canonical form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NetHash(pub [u8; 32]);

impl fmt::Display for NetHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for NetHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NetHash({self})")
    }
}
