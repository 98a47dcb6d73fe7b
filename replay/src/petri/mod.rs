//! Petri nets: what nets are to those who check logs against them.
//!
//! A place/transition net with weights, read arcs and reset arcs (Dufourd, Finkel, Schnoebelen, "Reset nets between decidability
//! and undecidability", 1998). [`of_net()`] makes one of a net's tasks, [`of_space()`] one of its reachable states,
//! [`write_pnml`] writes one down. Only the order in which tasks are done is in it: no data, no people, no time.

mod of_net;
mod of_space;
mod pnml;

pub use of_net::{NotPlain, of_net};
pub use of_space::{SpaceLimit, of_space};
pub use pnml::write_pnml;

/// Most places of a net that is made of another.
pub const PLACES_MAX: usize = 400_000;
/// Most transitions of a net that is made of another.
pub const TRANSITIONS_MAX: usize = 1_000_000;

/// A place and a number of tokens.
pub type Tokens = (u32, u32);

/// A Petri net with its initial and final markings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PetriNet {
    /// Its name.
    pub name: String,
    /// Places, by number.
    pub places: Vec<Place>,
    /// Transitions.
    pub transitions: Vec<Transition>,
    /// Where a run ends.
    pub ending: Ending,
}

/// A place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// For people.
    pub name: String,
    /// Tokens at the beginning.
    pub initial: u32,
}

/// A transition. Firing takes `consumes`, needs a token in each of `reads`, empties `resets`, and gives `produces`, in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transition {
    /// For people.
    pub name: String,
    /// The activity that a log shows when it fires; `None`: it is silent.
    pub label: Option<String>,
    /// Tokens that it takes.
    pub consumes: Vec<Tokens>,
    /// Places that must hold a token.
    pub reads: Vec<u32>,
    /// Places that lose all tokens.
    pub resets: Vec<u32>,
    /// Tokens that it gives.
    pub produces: Vec<Tokens>,
}

/// Where a run of a Petri net ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// With exactly these tokens, ascending by place; more may be possible.
    Exactly(Vec<Tokens>),
    /// As soon as one of these places, ascending, holds a token; then nothing more can happen.
    Marked(Vec<u32>),
}

impl Default for Ending {
    fn default() -> Self {
        Ending::Exactly(Vec::new())
    }
}
