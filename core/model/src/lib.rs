//! Ids, time, values, events, commands, case state.
mod value;
pub use value::{Decimal, Time, Value};
