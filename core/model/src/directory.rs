//! Who may act, and the organisation they are part of. A fold of the directory stream.

use std::collections::{BTreeMap, HashMap};

use crate::{
    Absence, ActorId, ActorSet, Calendar, Figures, Group, NetHash, OrganisationEvent, Position, Seq, SystemEvent,
    TaskIx, Time, Zone,
};

/// Longest chain of groups within groups, and of positions above positions: whatever is deeper is not looked at.
const CHAIN_MAX: usize = 64;

/// Somebody who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Unique name.
    pub name: String,
    /// Roles that the actor has, sorted.
    pub roles: Vec<String>,
    /// Positions that the actor holds, sorted.
    pub positions: Vec<String>,
    /// Groups that the actor is in, beside those that positions bring; sorted.
    pub groups: Vec<String>,
    /// What the actor can do, and how well; sorted by name.
    pub capabilities: Vec<(String, u32)>,
    /// The calendar that the actor keeps; without one, always on duty.
    pub calendar: Option<String>,
    /// When the actor is away.
    pub absences: Vec<Absence>,
    /// What strategies compare.
    pub figures: Figures,
    /// False for who left: their work is on record, and they get no more.
    pub active: bool,
}

impl Actor {
    /// Somebody of whom only name and roles are known.
    #[must_use]
    pub fn new(name: String, roles: Vec<String>) -> Self {
        Actor {
            name,
            roles,
            positions: Vec::new(),
            groups: Vec::new(),
            capabilities: Vec::new(),
            calendar: None,
            absences: Vec::new(),
            figures: Figures::default(),
            active: true,
        }
    }

    /// The level of a capability, if the actor has it.
    #[must_use]
    pub fn level(&self, capability: &str) -> Option<u32> {
        self.capabilities.iter().find(|(name, _)| name == capability).map(|(_, level)| *level)
    }

    /// Away at a time.
    #[must_use]
    pub fn is_absent(&self, now: Time) -> bool {
        self.absences.iter().any(|absence| absence.from <= now && now < absence.until)
    }
}

/// All actors by ordinal and by name, and the organisation. Sets of people are kept as the events come, so that asking
/// who has a role costs no search.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Directory {
    pub(crate) actors: Vec<Actor>,
    pub(crate) by_name: HashMap<String, ActorId>,
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) positions: BTreeMap<String, Position>,
    pub(crate) calendars: BTreeMap<String, Calendar>,
    pub(crate) piles: BTreeMap<(NetHash, TaskIx), ActorId>,
    pub(crate) sets: Sets,
    pub(crate) position: Seq,
    pub(crate) version: u64,
}

/// Who is what: follows from the actors.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sets {
    active: ActorSet,
    roles: BTreeMap<String, ActorSet>,
    positions: BTreeMap<String, ActorSet>,
    groups: BTreeMap<String, ActorSet>,
    capabilities: BTreeMap<String, BTreeMap<u32, ActorSet>>,
    calendars: BTreeMap<String, ActorSet>,
    sometimes_absent: ActorSet,
    /// By ordinal from 1: together, because strategies run through all of them.
    figures: Vec<Figures>,
}

impl Directory {
    /// The name shown for the engine itself.
    pub const ENGINE_NAME: &'static str = "engine";

    /// These actors, ordinals from 1, with the sets that follow from them.
    pub(crate) fn of_actors(actors: Vec<Actor>) -> Self {
        let mut sets = Sets::default();
        let mut by_name = HashMap::with_capacity(actors.len());
        for (index, known) in actors.iter().enumerate() {
            let id = ActorId(index as u32 + 1);
            by_name.insert(known.name.clone(), id);
            if known.active {
                sets.active.insert(id);
            }
            resort(&mut sets.roles, id, &[], &known.roles);
            resort(&mut sets.positions, id, &[], &known.positions);
            resort(&mut sets.groups, id, &[], &known.groups);
            for (name, level) in &known.capabilities {
                sets.capabilities.entry(name.clone()).or_default().entry(*level).or_default().insert(id);
            }
            resort(&mut sets.calendars, id, &[], known.calendar.as_slice());
            if !known.absences.is_empty() {
                sets.sometimes_absent.insert(id);
            }
            sets.figures.push(known.figures);
        }
        Directory { actors, by_name, sets, ..Directory::default() }
    }

    /// The ordinal that the next new actor gets.
    #[must_use]
    pub fn next_id(&self) -> ActorId {
        ActorId(self.actors.len() as u32 + 1)
    }

    /// An actor by ordinal; `None` for the engine and for unknown ordinals.
    #[must_use]
    pub fn actor(&self, id: ActorId) -> Option<&Actor> {
        self.actors.get((id.0 as usize).checked_sub(1)?)
    }

    /// The ordinal of a name.
    #[must_use]
    pub fn id_of(&self, name: &str) -> Option<ActorId> {
        self.by_name.get(name).copied()
    }

    /// A name to show for an ordinal.
    #[must_use]
    pub fn name(&self, id: ActorId) -> &str {
        if id == ActorId::ENGINE { Self::ENGINE_NAME } else { self.actor(id).map_or("unknown", |actor| &actor.name) }
    }

    /// The actor has the role.
    #[must_use]
    pub fn has_role(&self, id: ActorId, role: &str) -> bool {
        self.sets.roles.get(role).is_some_and(|set| set.contains(id))
    }

    /// Actors with their ordinals, in order.
    pub fn iter(&self) -> impl Iterator<Item = (ActorId, &Actor)> {
        self.actors.iter().enumerate().map(|(index, actor)| (ActorId(index as u32 + 1), actor))
    }

    /// Position of the newest event that it has taken in; 0 before the first.
    #[must_use]
    pub fn position(&self) -> Seq {
        self.position
    }

    /// Number of events that it has taken in: what was computed from it holds until this changes.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Who has not left.
    #[must_use]
    pub fn active(&self) -> &ActorSet {
        &self.sets.active
    }

    /// Who has a role.
    #[must_use]
    pub fn with_role(&self, role: &str) -> Option<&ActorSet> {
        self.sets.roles.get(role)
    }

    /// Who holds a position.
    #[must_use]
    pub fn with_position(&self, position: &str) -> Option<&ActorSet> {
        self.sets.positions.get(position)
    }

    /// Who is in a group or a group inside it, also by a position.
    #[must_use]
    pub fn with_group(&self, group: &str) -> ActorSet {
        let mut members = ActorSet::default();
        for (name, set) in &self.sets.groups {
            if self.is_within(name, group) {
                members.unite(set);
            }
        }
        for (name, set) in &self.sets.positions {
            let of = self.positions.get(name).and_then(|position| position.group.as_deref());
            if of.is_some_and(|of| self.is_within(of, group)) {
                members.unite(set);
            }
        }
        members
    }

    /// Who has a capability at a level or above.
    #[must_use]
    pub fn with_capability(&self, capability: &str, level: u32) -> ActorSet {
        let mut able = ActorSet::default();
        let levels = self.sets.capabilities.get(capability);
        levels.into_iter().flat_map(|levels| levels.range(level..)).for_each(|(_, set)| able.unite(set));
        able
    }

    /// Calendars that somebody keeps, with who keeps them. One of a name that is not defined is `None`.
    pub fn kept_calendars(&self) -> impl Iterator<Item = (Option<&Calendar>, &ActorSet)> {
        self.sets.calendars.iter().map(|(name, set)| (self.calendars.get(name), set))
    }

    /// Everybody's figures; the first is of ordinal 1.
    #[must_use]
    pub fn figures(&self) -> &[Figures] {
        &self.sets.figures
    }

    /// Who is away at a time.
    #[must_use]
    pub fn absent(&self, now: Time) -> ActorSet {
        let away = |actor: &ActorId| self.actor(*actor).is_some_and(|actor| actor.is_absent(now));
        self.sets.sometimes_absent.iter().filter(away).collect()
    }

    /// Who is off duty at a time by their calendars. Absences are not counted.
    #[must_use]
    pub fn off_duty(&self, now: Time) -> ActorSet {
        let mut off = ActorSet::default();
        for (calendar, who) in self.kept_calendars() {
            if !calendar.is_some_and(|calendar| calendar.is_on(now)) {
                off.unite(who);
            }
        }
        off
    }

    /// The calendar that somebody keeps.
    #[must_use]
    pub fn calendar_of(&self, actor: ActorId) -> Option<&Calendar> {
        self.calendars.get(self.actor(actor)?.calendar.as_ref()?)
    }

    /// A calendar.
    #[must_use]
    pub fn calendar(&self, name: &str) -> Option<&Calendar> {
        self.calendars.get(name)
    }

    /// Who holds the positions above somebody's, and has not left.
    #[must_use]
    pub fn superiors(&self, actor: ActorId) -> ActorSet {
        let mut above = ActorSet::default();
        for held in self.actor(actor).iter().flat_map(|actor| &actor.positions) {
            // A position that nobody holds is stepped over.
            let mut position = held;
            for _ in 0..CHAIN_MAX {
                let Some(next) = self.positions.get(position).and_then(|position| position.reports_to.as_ref()) else {
                    break;
                };
                let mut holders = self.with_position(next).cloned().unwrap_or_default();
                holders.keep(&self.sets.active);
                holders.remove(actor);
                if !holders.is_empty() {
                    above.unite(&holders);
                    break;
                }
                position = next;
            }
        }
        above
    }

    /// To whom all work of a task goes.
    #[must_use]
    pub fn pile_of(&self, net: NetHash, task: TaskIx) -> Option<ActorId> {
        if self.piles.is_empty() { None } else { self.piles.get(&(net, task)).copied() }
    }

    /// A group.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name)
    }

    /// A position.
    #[must_use]
    pub fn position_named(&self, name: &str) -> Option<&Position> {
        self.positions.get(name)
    }

    /// Takes in an event of the directory stream at its position; others change nothing.
    pub fn apply_at(&mut self, seq: Seq, event: &SystemEvent) {
        let before = self.version;
        self.apply(event);
        if self.version != before {
            self.position = seq;
        }
    }

    /// Takes in an event of the directory stream; others change nothing. Total: any event in any state gives a state.
    pub fn apply(&mut self, event: &SystemEvent) {
        match event {
            SystemEvent::ActorRegistered { actor, name, roles } => {
                self.version += 1;
                if *actor == self.next_id() && actor.0 <= ActorSet::ORDINAL_MAX {
                    self.actors.push(Actor::new(name.clone(), Vec::new()));
                    self.by_name.insert(name.clone(), *actor);
                    self.sets.active.insert(*actor);
                    self.sets.figures.push(Figures::default());
                    self.set_roles(*actor, roles);
                }
            }
            SystemEvent::ActorRolesChanged { actor, roles } => {
                self.version += 1;
                self.set_roles(*actor, roles);
            }
            SystemEvent::Organisation(event) => {
                self.version += 1;
                self.change(event);
            }
            _ => {}
        }
    }

    fn set_roles(&mut self, actor: ActorId, roles: &[String]) {
        let Some(known) = find(&mut self.actors, actor) else { return };
        resort(&mut self.sets.roles, actor, &known.roles, roles);
        known.roles = roles.to_vec();
    }

    fn change(&mut self, event: &OrganisationEvent) {
        let sets = &mut self.sets;
        match event {
            OrganisationEvent::PositionsChanged { actor, positions } => {
                let Some(known) = find(&mut self.actors, *actor) else { return };
                resort(&mut sets.positions, *actor, &known.positions, positions);
                known.positions.clone_from(positions);
            }
            OrganisationEvent::GroupsChanged { actor, groups } => {
                let Some(known) = find(&mut self.actors, *actor) else { return };
                resort(&mut sets.groups, *actor, &known.groups, groups);
                known.groups.clone_from(groups);
            }
            OrganisationEvent::CapabilitiesChanged { actor, capabilities } => {
                let Some(known) = find(&mut self.actors, *actor) else { return };
                for (name, level) in &known.capabilities {
                    leave_level(&mut sets.capabilities, name, *level, *actor);
                }
                for (name, level) in capabilities {
                    sets.capabilities.entry(name.clone()).or_default().entry(*level).or_default().insert(*actor);
                }
                known.capabilities.clone_from(capabilities);
            }
            OrganisationEvent::CalendarAssigned { actor, calendar } => {
                let Some(known) = find(&mut self.actors, *actor) else { return };
                resort(&mut sets.calendars, *actor, known.calendar.as_slice(), calendar.as_slice());
                known.calendar.clone_from(calendar);
            }
            OrganisationEvent::FiguresChanged { actor, figures } => {
                let Some(known) = find(&mut self.actors, *actor) else { return };
                known.figures = *figures;
                sets.figures[actor.0 as usize - 1] = *figures;
            }
            OrganisationEvent::AbsenceAdded { actor, absence } => {
                let Some(known) = find(&mut self.actors, *actor) else { return };
                known.absences.push(absence.clone());
                sets.sometimes_absent.insert(*actor);
            }
            OrganisationEvent::AbsenceRemoved { actor, from, until } => {
                let Some(known) = find(&mut self.actors, *actor) else { return };
                known.absences.retain(|absence| (absence.from, absence.until) != (*from, *until));
                if known.absences.is_empty() {
                    sets.sometimes_absent.remove(*actor);
                }
            }
            OrganisationEvent::ActivityChanged { actor, active } => {
                let Some(known) = find(&mut self.actors, *actor) else { return };
                known.active = *active;
                if *active {
                    sets.active.insert(*actor)
                } else {
                    sets.active.remove(*actor)
                };
            }
            OrganisationEvent::GroupDefined { name, group } => {
                self.groups.insert(name.clone(), group.clone());
            }
            OrganisationEvent::PositionDefined { name, position } => {
                self.positions.insert(name.clone(), position.clone());
            }
            OrganisationEvent::CalendarDefined { name, zone, shifts, closed } => {
                let mut calendar = Calendar { zone: Zone::named(zone), shifts: shifts.clone(), closed: closed.clone() };
                calendar.closed.sort_unstable();
                self.calendars.insert(name.clone(), calendar);
            }
            OrganisationEvent::PileChanged { net, task, actor } => {
                match actor {
                    Some(actor) => self.piles.insert((*net, *task), *actor),
                    None => self.piles.remove(&(*net, *task)),
                };
            }
        }
    }

    /// Whether a group is another, or inside it.
    fn is_within(&self, group: &str, of: &str) -> bool {
        let parent = |name: &&str| self.groups.get(*name).and_then(|group| group.parent.as_deref());
        std::iter::successors(Some(group), parent).take(CHAIN_MAX).any(|name| name == of)
    }
}

fn find(actors: &mut [Actor], id: ActorId) -> Option<&mut Actor> {
    actors.get_mut((id.0 as usize).checked_sub(1)?)
}

/// Moves somebody from the sets of some names to those of others. Sets that nobody is in are dropped.
fn resort(sets: &mut BTreeMap<String, ActorSet>, actor: ActorId, before: &[String], after: &[String]) {
    for name in before {
        if let Some(set) = sets.get_mut(name) {
            set.remove(actor);
            if set.is_empty() {
                sets.remove(name);
            }
        }
    }
    for name in after {
        sets.entry(name.clone()).or_default().insert(actor);
    }
}

fn leave_level(sets: &mut BTreeMap<String, BTreeMap<u32, ActorSet>>, name: &str, level: u32, actor: ActorId) {
    let Some(levels) = sets.get_mut(name) else { return };
    if let Some(set) = levels.get_mut(&level) {
        set.remove(actor);
        if set.is_empty() {
            levels.remove(&level);
        }
    }
    if levels.is_empty() {
        sets.remove(name);
    }
}
