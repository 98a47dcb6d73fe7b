//! Who holds what.

use std::collections::BTreeMap;

use actum_model::{ActorId, Case, ItemId, Phase};

/// The live work of each actor in a case, ascending: item and phase. Offers to one person alone are not held.
pub type Holdings = BTreeMap<ActorId, Vec<(ItemId, Phase)>>;

/// Who holds what in a case. What handlers do is the engine's and nobody's.
pub(crate) fn holdings(case: &Case) -> Holdings {
    let mut holdings = Holdings::new();
    for item in &case.control.items {
        if let Some(actor) = item.resource.filter(|actor| *actor != ActorId::ENGINE) {
            holdings.entry(actor).or_default().push((item.id, item.phase));
        }
    }
    holdings
}
