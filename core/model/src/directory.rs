//! Who may act: the part of the organisation that decisions need. A fold of the directory stream.

use std::collections::HashMap;

use crate::{ActorId, SystemEvent};

/// Somebody who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Unique name.
    pub name: String,
    /// Roles that the actor has, sorted.
    pub roles: Vec<String>,
}

/// All actors by ordinal and by name.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    actors: Vec<Actor>,
    by_name: HashMap<String, ActorId>,
}

impl Directory {
    /// The name shown for the engine itself.
    pub const ENGINE_NAME: &'static str = "engine";

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
        self.actor(id).is_some_and(|actor| actor.roles.iter().any(|has| has == role))
    }

    /// Actors with their ordinals, in order.
    pub fn iter(&self) -> impl Iterator<Item = (ActorId, &Actor)> {
        self.actors.iter().enumerate().map(|(index, actor)| (ActorId(index as u32 + 1), actor))
    }

    /// Takes in an event of the directory stream; others change nothing.
    pub fn apply(&mut self, event: &SystemEvent) {
        match event {
            SystemEvent::ActorRegistered { actor, name, roles } if *actor == self.next_id() => {
                self.actors.push(Actor { name: name.clone(), roles: roles.clone() });
                self.by_name.insert(name.clone(), *actor);
            }
            SystemEvent::ActorRolesChanged { actor, roles } => {
                if let Some(known) = (actor.0 as usize).checked_sub(1).and_then(|index| self.actors.get_mut(index)) {
                    known.roles.clone_from(roles);
                }
            }
            _ => {}
        }
    }
}
