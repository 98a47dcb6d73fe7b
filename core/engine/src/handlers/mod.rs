//! Handlers that come with the engine, one file each.

mod expr;
mod log;

use std::sync::Arc;

use crate::handler::Registry;

/// The built-in handlers by name: `expr` and `log`.
pub(crate) fn built_in() -> Registry {
    let mut registry = Registry::new();
    registry.insert("expr".to_owned(), Arc::new(expr::Expr));
    registry.insert("log".to_owned(), Arc::new(log::Log));
    registry
}
