//! `run`.
pub(crate) use crate::run::{Args, run};
