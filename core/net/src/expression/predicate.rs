//! A condition that belongs to no net: a question somebody asks of recorded data, over names that the asker defines.

use actum_model::Value;

use super::compile::{Names, ResultShape, compile};
use super::{EvalError, Guard, Scope, StaticType};
use crate::check::on_large_stack;
use crate::diagnostic::Code;
use crate::kind::ValueKind;
use crate::net::VariableIx;

/// The one name that expressions treat apart.
const RESULT: &str = "result";

/// A compiled CEL condition over names of the asker's choice. The same language, limits and cost as in a net's guards.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicate {
    guard: Guard,
    /// Sorted; an ordinal in the guard is a place in this list.
    names: Vec<String>,
}

/// Why a text is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", .hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default())]
#[non_exhaustive]
pub struct PredicateError {
    /// Stable kind of the mistake.
    pub code: Code,
    /// The byte of the text where it is.
    pub at: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Predicate {
    /// Compiles a condition that may read `names`, each of a kind; of a name that comes twice the first counts.
    ///
    /// # Errors
    /// Every mistake that was found; at least one.
    pub fn compile(text: &str, names: &[(&str, ValueKind)]) -> Result<Self, Vec<PredicateError>> {
        let mut sorted = names.to_vec();
        sorted.sort_by_key(|(name, _)| *name);
        sorted.dedup_by_key(|(name, _)| *name);
        // The parser recurses; what a caller's thread has left of its stack is not known.
        let guard = on_large_stack(|| compile_here(text, &sorted)).unwrap_or_else(|why| {
            let message = format!("the condition could not be read: {why}");
            Err(vec![PredicateError { code: Code::TooLarge, at: 0, message, hint: None }])
        })?;
        Ok(Predicate { guard, names: sorted.into_iter().map(|(name, _)| name.to_owned()).collect() })
    }

    /// The condition's text.
    pub fn source(&self) -> &str {
        self.guard.source()
    }

    /// The names that it reads, ascending: only these need values.
    pub fn reads(&self) -> Vec<&str> {
        let reads = self.guard.reads();
        let result = reads.result.then_some(RESULT);
        let mut names: Vec<&str> = reads.variables.iter().filter_map(|read| self.name(*read)).chain(result).collect();
        names.sort_unstable();
        names
    }

    /// Whether it holds, given values by name; what has none is null.
    ///
    /// # Errors
    /// See [`super::Fault`]. A condition that errors, or is null, is an error: it never means false.
    pub fn holds<'v>(&self, value: &dyn Fn(&str) -> Option<&'v Value>) -> Result<bool, EvalError> {
        self.guard.eval(&Named { predicate: self, value })
    }

    fn name(&self, variable: VariableIx) -> Option<&str> {
        self.names.get(variable.index()).map(String::as_str)
    }
}

fn compile_here(text: &str, names: &[(&str, ValueKind)]) -> Result<Guard, Vec<PredicateError>> {
    let result = match names.binary_search_by_key(&RESULT, |(name, _)| *name) {
        Ok(_) => ResultShape::Open,
        Err(_) => ResultShape::Absent("there is no result of a task here"),
    };
    let names = Names { variables: names, first: VariableIx(0), given: &[], result };
    let found = match compile(text, names) {
        Ok((expression, kind)) if kind.may_be(&[ValueKind::Bool]) => return Ok(Guard::new(expression)),
        Ok((_, kind)) => {
            return Err(vec![PredicateError {
                code: Code::CelType,
                at: 0,
                message: format!("a condition must be true or false; this is {}", StaticType::name(kind)),
                hint: None,
            }]);
        }
        Err(found) => found,
    };
    let in_net = |hint: &String| hint.starts_with("declare it under");
    let error = |finding: super::compile::Finding| PredicateError {
        code: finding.code,
        at: finding.at,
        message: finding.message.replace("there is no case variable", "nothing here is called"),
        hint: match finding.hint {
            Some(hint) if in_net(&hint) => Some(known(names.variables)),
            other => other,
        },
    };
    Err(found.into_iter().map(error).collect())
}

/// What there is to name.
fn known(names: &[(&str, ValueKind)]) -> String {
    let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
    format!("there are: {}", names.join(", "))
}

struct Named<'p, 'f, 'v> {
    predicate: &'p Predicate,
    value: &'f dyn Fn(&str) -> Option<&'v Value>,
}

impl Scope for Named<'_, '_, '_> {
    fn variable(&self, variable: VariableIx) -> Option<&Value> {
        (self.value)(self.predicate.name(variable)?)
    }

    fn result(&self) -> Option<&Value> {
        (self.value)(RESULT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [(&str, ValueKind); 3] =
        [("status", ValueKind::String), ("amount", ValueKind::Int), ("tokens", ValueKind::Map)];

    #[test]
    fn a_condition_reads_what_its_asker_names() {
        let predicate = Predicate::compile("amount > 5 && status == 'open'", &NAMES).unwrap();
        assert_eq!(predicate.reads(), ["amount", "status"]);
        let (amount, status) = (Value::Int(7), Value::String("open".into()));
        let holds = predicate.holds(&|name| match name {
            "amount" => Some(&amount),
            "status" => Some(&status),
            _ => None,
        });
        assert_eq!(holds, Ok(true));
        let unset = Predicate::compile("amount > 5", &NAMES).unwrap().holds(&|_| None);
        assert_eq!(unset.unwrap_err().code(), "eval/type", "nothing means false that is not");
    }

    #[test]
    fn mistakes_are_told() {
        let error = |text: &str| Predicate::compile(text, &NAMES).unwrap_err().remove(0).to_string();
        assert!(error("amont > 5").contains("`amount`"), "{}", error("amont > 5"));
        assert!(error("zzz > 5").contains("there are: amount, status, tokens"), "{}", error("zzz > 5"));
        assert!(error("amount + 1").contains("true or false"));
        assert!(error("amount >").contains("not a CEL expression"));
        assert!(error("result.x").contains("cannot be read here"));
        assert!(error(&"(".repeat(2_000)).contains("nested deeper"));
    }
}
