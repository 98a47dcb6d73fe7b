//! Handlers that come with the engine, one file each.

mod batch;
mod command;
mod emit;
mod expr;
#[cfg(feature = "http")]
mod http;
mod json;
mod log;
mod secrets;

use crate::handler::{Registered, Registry};

pub(crate) use batch::Batcher;
pub use batch::{BatchHandler, BatchOptions};
pub use command::Command;
#[cfg(feature = "http")]
pub use http::Http;

/// The built-in handlers that every engine has, by name: `expr`, `log` and `emit`. [`Http`] and [`Command`] reach out of the engine: who
/// embeds it registers them.
pub(crate) fn built_in() -> Registry {
    let mut registry = Registry::new();
    registry.insert("expr".to_owned(), Registered::new(expr::Expr));
    registry.insert("log".to_owned(), Registered::new(log::Log));
    registry.insert("emit".to_owned(), Registered::emitting(emit::Emit));
    registry
}
