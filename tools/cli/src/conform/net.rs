//! Nets as Petri nets, whatever file they are in.

use std::collections::HashSet;
use std::path::Path;

use actum_import::{ForeignPetri, SOURCE_BYTES_MAX, is_pnml, pnml};
use actum_replay::petri::{Ending, PetriNet, Place, Transition, of_net};

use crate::export;
use crate::failure::{Exit, Failure, Outcome, small_file};
use crate::output::complain;

/// A net that a log is checked against.
pub(crate) struct Given {
    pub(crate) petri: PetriNet,
    /// Its name, if it is one of ours: the log's cases of nets of this name are meant.
    pub(crate) name: Option<String>,
}

/// Reads a net.
pub(crate) fn net(path: &Path) -> Outcome<Given> {
    let bytes = small_file(path, SOURCE_BYTES_MAX, "a net")?;
    if is_pnml(&bytes) {
        let petri = match pnml(&bytes) {
            Ok(foreign) => of_foreign(path, foreign)?,
            Err(findings) => {
                let name = path.display();
                findings.iter().for_each(|found| complain(&format!("{name}:{found}")));
                return Err(Failure::new(
                    Exit::Failure,
                    format!("{name} is no Petri net that can be read; mend it first"),
                ));
            }
        };
        return Ok(Given { petri, name: None });
    }
    let net = export::compiled(path)?;
    let petri = match of_net(&net) {
        Ok(petri) => petri,
        Err(_) => export::graph_of(&net)?,
    };
    Ok(Given { petri, name: Some(net.name) })
}

fn of_foreign(path: &Path, foreign: ForeignPetri) -> Outcome<PetriNet> {
    let transition = |one: actum_import::ForeignTransition| Transition {
        label: (!one.silent).then(|| one.name.clone()),
        name: one.name,
        consumes: summed(one.consumes),
        reads: Vec::new(),
        resets: one.resets,
        produces: summed(one.produces),
    };
    let transitions: Vec<Transition> = foreign.transitions.into_iter().map(transition).collect();
    let ending = if let Some(last) = foreign.last {
        last
    } else {
        let fed: HashSet<u32> = transitions.iter().flat_map(|one| &one.consumes).map(|(place, _)| *place).collect();
        let sinks: Vec<u32> = (0..foreign.places.len() as u32).filter(|place| !fed.contains(place)).collect();
        let [sink] = sinks[..] else {
            let sentence = format!(
                "{} does not say where a run ends: give it final markings, or a single place that nothing takes from",
                path.display()
            );
            return Err(Failure::new(Exit::Failure, sentence));
        };
        vec![(sink, 1)]
    };
    let places = foreign.places.into_iter().map(|(name, initial)| Place { name, initial }).collect();
    Ok(PetriNet { name: foreign.name, places, transitions, ending: Ending::Exactly(ending) })
}

/// Each place once: two arcs from the same place take two tokens.
fn summed(mut tokens: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    tokens.sort_unstable();
    tokens.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 = kept.1.saturating_add(next.1);
        }
        same
    });
    tokens
}
