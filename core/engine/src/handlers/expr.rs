//! `expr`: computes. Its result is its parameters after their templates were filled in.

use actum_model::Value;
use async_trait::async_trait;

use crate::handler::{Call, Handler, HandlerError};

pub(super) struct Expr;

#[async_trait]
impl Handler for Expr {
    async fn handle(&self, call: Call) -> Result<Value, HandlerError> {
        Ok(call.input)
    }

    fn is_instant(&self) -> bool {
        true
    }
}
