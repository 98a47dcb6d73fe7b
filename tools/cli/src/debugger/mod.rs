//! The terminal debugger of `replay`: a case's net, data and events at any point of its past.
//!
//! [`model`] is what is looked at and [`update()`] what a key does to it, both without a terminal; [`draw`] paints it; [`session`] is
//! the only part that has a terminal. Read-only: the story in the model is all there is.

mod breakpoint;
mod draw;
mod key;
mod model;
mod net_pane;
mod panes;
mod session;
#[cfg(test)]
mod tests;
mod theme;
mod update;

pub(crate) use breakpoint::Breakpoint;
pub(crate) use session::{End, run};
