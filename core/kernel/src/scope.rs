//! What an expression sees: the case's data, with what the decision changed on top.

use actum_model::{Case, Change, Value, VariableIx};
use actum_net::Scope;

use crate::draft::latest;

pub(crate) struct CaseScope<'a> {
    pub(crate) case: &'a Case,
    pub(crate) staged: &'a [Change],
    pub(crate) more: &'a [Change],
    pub(crate) result: Option<&'a Value>,
}

impl Scope for CaseScope<'_> {
    fn variable(&self, variable: VariableIx) -> Option<&Value> {
        latest(self.more, variable).or_else(|| latest(self.staged, variable)).or_else(|| self.case.variable(variable))
    }

    fn result(&self) -> Option<&Value> {
        self.result
    }
}
