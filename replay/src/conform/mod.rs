//! Whether a log follows a net: how well each trace fits, and where it first leaves the net.
//!
//! A trace is the activities of a case in their order. `check` plays the token game of a [`PetriNet`](crate::petri::PetriNet) along it, through every
//! silent transition; where that ends, the *first deviation* is: the event that nothing allows, and what was possible instead.
//! Of a trace that deviates, an optimal *alignment* says how far it is from the net: the fewest events to leave out and
//! activities to put in (W. van der Aalst, A. Adriansyah, B. van Dongen, "Replaying history on process models for conformance
//! checking and performance analysis", WIREs Data Mining and Knowledge Discovery 2(2), 2012). Fitness is 1 less that number
//! over what it would be at worst: all events left out and the shortest run of the net put in.
//!
//! Both searches have limits; beyond them a trace is *undecided*, which is never taken for fitting.

mod align;
mod check;
mod game;

pub use check::{Checker, Conformance, Deviation, TraceFit};

/// Most markings that the searches for one trace may visit.
pub const MARKINGS_MAX: usize = 300_000;
