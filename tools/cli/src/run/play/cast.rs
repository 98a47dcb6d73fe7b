//! Who plays along: the people that nets name, registered with the engine.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use actum::{ActorId, CommandError, Engine, Net, NetHash};
use actum_model::RoleIx;

use super::super::start::rest;

/// People made up for a role for which the net names nobody.
const STAND_INS: usize = 3;

/// People by net and role, in the net's order.
#[derive(Debug, Default)]
pub(super) struct Cast(HashMap<(NetHash, RoleIx), Vec<ActorId>>);

impl Cast {
    /// Registers the people of some nets. Roles that somebody has already are kept.
    pub(super) async fn register(engine: &Engine, nets: Vec<Arc<Net>>) -> Result<Self, CommandError> {
        let mut roles: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for net in &nets {
            for (index, role) in net.roles.iter().enumerate() {
                for name in names(engine, net, RoleIx::of(index)) {
                    roles.entry(name).or_default().insert(role.name.clone());
                }
            }
        }
        let mut people = HashMap::new();
        for (name, mut roles) in roles {
            roles.extend(engine.actor(&name).into_iter().flat_map(|(_, has)| has));
            let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
            let actor = register(engine, &name, &roles).await?;
            people.insert(name, actor);
        }
        let mut cast = Cast::default();
        for net in &nets {
            for role in (0..net.roles.len()).map(RoleIx::of) {
                let mut actors: Vec<ActorId> =
                    names(engine, net, role).iter().filter_map(|name| people.get(name).copied()).collect();
                if actors.is_empty() {
                    actors = engine.actors_with_role(&net.roles[role.index()].name);
                }
                cast.0.insert((net.hash, role), actors);
            }
        }
        Ok(cast)
    }

    /// Those who have a role.
    pub(super) fn people(&self, net: NetHash, role: RoleIx) -> &[ActorId] {
        self.0.get(&(net, role)).map_or(&[], Vec::as_slice)
    }
}

/// Whom the net names for a role. Nobody is made up for one that somebody in the organisation has.
fn names(engine: &Engine, net: &Net, role: RoleIx) -> Vec<String> {
    let named = net.play.participants.iter().find(|(of, people)| *of == role && !people.is_empty());
    match named {
        Some((_, people)) => people.clone(),
        None if !engine.actors_with_role(&net.roles[role.index()].name).is_empty() => Vec::new(),
        None => (1..=STAND_INS).map(|number| format!("{}-{number}", net.roles[role.index()].name)).collect(),
    }
}

async fn register(engine: &Engine, name: &str, roles: &[&str]) -> Result<ActorId, CommandError> {
    loop {
        match engine.register(name, roles).await {
            Err(CommandError::Busy { retry_after_ms }) => rest(retry_after_ms).await,
            other => return other,
        }
    }
}
