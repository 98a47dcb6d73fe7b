//! The organisation: what is known of people beside name and roles, and how it changes.

use crate::{ActorId, Day, NetHash, Shift, SystemEvent, TaskIx, Time};

/// Figures of a person that strategies compare, in thousandths, so that comparing is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Figures {
    /// What an hour of work costs, in thousandths of the organisation's currency.
    pub cost_milli: u64,
    /// Practice that somebody brought along, in thousandths of a completed item.
    pub experience_milli: u64,
    /// How fast somebody works, in thousandths of the usual speed.
    pub speed_milli: u64,
    /// How much goes wrong, in thousandths of all work.
    pub risk_milli: u64,
}

/// A time in which somebody is away.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Absence {
    /// From when.
    pub from: Time,
    /// Until when, not included.
    pub until: Time,
    /// Why, for people.
    pub reason: String,
}

/// A group: an organisational unit, a team.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// The group that it is part of.
    pub parent: Option<String>,
}

/// A position: a place in the organisation, whoever holds it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Position {
    /// The group whose members its holders are.
    pub group: Option<String>,
    /// The position above it: to whose holders work is escalated.
    pub reports_to: Option<String>,
}

/// A change of the organisation: one fact, in the directory's stream. Lists are whole: what is not in them is no more.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum OrganisationEvent {
    /// Somebody's positions changed.
    PositionsChanged {
        /// Who.
        actor: ActorId,
        /// All positions from now on, sorted.
        positions: Vec<String>,
    },
    /// Somebody's groups changed, beside those that positions bring.
    GroupsChanged {
        /// Who.
        actor: ActorId,
        /// All groups from now on, sorted.
        groups: Vec<String>,
    },
    /// What somebody can do changed.
    CapabilitiesChanged {
        /// Who.
        actor: ActorId,
        /// All capabilities from now on with their levels, sorted by name.
        capabilities: Vec<(String, u32)>,
    },
    /// Somebody keeps a calendar, or none.
    CalendarAssigned {
        /// Who.
        actor: ActorId,
        /// Name of the calendar; without one, somebody is always on duty.
        calendar: Option<String>,
    },
    /// Somebody's figures changed.
    FiguresChanged {
        /// Who.
        actor: ActorId,
        /// All of them from now on.
        figures: Figures,
    },
    /// Somebody is away for a time.
    AbsenceAdded {
        /// Who.
        actor: ActorId,
        /// When.
        absence: Absence,
    },
    /// Somebody is not away after all.
    AbsenceRemoved {
        /// Who.
        actor: ActorId,
        /// Begin of the absence.
        from: Time,
        /// Its end.
        until: Time,
    },
    /// Somebody left, or came back.
    ActivityChanged {
        /// Who.
        actor: ActorId,
        /// Whether they are part of the organisation from now on.
        active: bool,
    },
    /// There is a group, or it changed.
    GroupDefined {
        /// Its name.
        name: String,
        /// What it is from now on.
        group: Group,
    },
    /// There is a position, or it changed.
    PositionDefined {
        /// Its name.
        name: String,
        /// What it is from now on.
        position: Position,
    },
    /// There is a calendar, or it changed.
    CalendarDefined {
        /// Its name.
        name: String,
        /// Name of its time zone.
        zone: String,
        /// Its shifts, sorted.
        shifts: Vec<Shift>,
        /// Days without shifts, sorted.
        closed: Vec<Day>,
    },
    /// All work of one task goes to one person from now on, or to whom it would go otherwise.
    PileChanged {
        /// The task's net.
        net: NetHash,
        /// The task.
        task: TaskIx,
        /// To whom; `None` ends it.
        actor: Option<ActorId>,
    },
}

impl From<OrganisationEvent> for SystemEvent {
    fn from(event: OrganisationEvent) -> Self {
        SystemEvent::Organisation(event)
    }
}
