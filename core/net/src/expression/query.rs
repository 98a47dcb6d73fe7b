//! An expression that belongs to no net, over names of the asker's choice, which the asker finds by ordinal: for many
//! evaluations of few expressions.

use actum_model::Value;

use super::compile::{Names, ResultShape, compile};
use super::predicate::PredicateError;
use super::{EvalError, Guard, Scope, StaticType};
use crate::check::on_large_stack;
use crate::diagnostic::Code;
use crate::kind::ValueKind;
use crate::net::VariableIx;

/// The one name that expressions treat apart: its value is [`Scope::result`].
const RESULT: &str = "result";

/// A compiled CEL expression over names of the asker's choice. The same language, limits and cost as in a net.
#[derive(Debug, Clone, PartialEq)]
pub struct Query(Guard);

impl Query {
    /// Compiles an expression that may read `names`, ascending and each once. [`Scope::variable`] is asked for the place in
    /// that list.
    ///
    /// # Errors
    /// Every mistake that was found; at least one.
    pub fn value(text: &str, names: &[(&str, ValueKind)]) -> Result<Self, Vec<PredicateError>> {
        compile_apart(text, names).map(|(query, _)| query)
    }

    /// As [`Query::value`], of an expression that is true or false.
    ///
    /// # Errors
    /// As there; also when it cannot be true or false.
    pub fn condition(text: &str, names: &[(&str, ValueKind)]) -> Result<Self, Vec<PredicateError>> {
        let (query, kind) = compile_apart(text, names)?;
        if kind.may_be(&[ValueKind::Bool]) {
            return Ok(query);
        }
        let message = format!("a condition must be true or false; this is {}", StaticType::name(kind));
        Err(vec![PredicateError { code: Code::CelType, at: 0, message, hint: None }])
    }

    /// The expression's text.
    pub fn source(&self) -> &str {
        self.0.source()
    }

    /// Whether it may look at the name at this place of the list.
    pub fn reads(&self, place: usize) -> bool {
        self.0.reads().variables.contains(&VariableIx::of(place))
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// See [`super::Fault`]. A condition that errors, or is null, is an error: it never means false.
    pub fn holds(&self, scope: &dyn Scope) -> Result<bool, EvalError> {
        self.0.eval(scope)
    }

    /// Its value.
    ///
    /// # Errors
    /// See [`super::Fault`].
    pub fn eval(&self, scope: &dyn Scope) -> Result<Value, EvalError> {
        self.0.0.eval(scope)
    }
}

/// The parser recurses; what a caller's thread has left of its stack is not known.
fn compile_apart(text: &str, names: &[(&str, ValueKind)]) -> Result<(Query, StaticType), Vec<PredicateError>> {
    debug_assert!(names.is_sorted_by_key(|(name, _)| *name), "names are found by bisection");
    on_large_stack(|| compile_here(text, names)).unwrap_or_else(|why| {
        let message = format!("the expression could not be read: {why}");
        Err(vec![PredicateError { code: Code::TooLarge, at: 0, message, hint: None }])
    })
}

fn compile_here(text: &str, names: &[(&str, ValueKind)]) -> Result<(Query, StaticType), Vec<PredicateError>> {
    let result = match names.binary_search_by_key(&RESULT, |(name, _)| *name) {
        Ok(_) => ResultShape::Open,
        Err(_) => ResultShape::Absent("there is no result of a task here"),
    };
    let in_net = |hint: &String| hint.starts_with("declare it under");
    let error = |finding: super::compile::Finding| PredicateError {
        code: finding.code,
        at: finding.at,
        message: finding.message.replace("there is no case variable", "nothing here is called"),
        hint: match finding.hint {
            Some(hint) if in_net(&hint) => Some(known(names)),
            other => other,
        },
    };
    compile(text, Names { variables: names, first: VariableIx(0), given: &[], result })
        .map(|(expression, kind)| (Query(Guard::new(expression)), kind))
        .map_err(|found| found.into_iter().map(error).collect())
}

/// What there is to name.
fn known(names: &[(&str, ValueKind)]) -> String {
    let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
    format!("there are: {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [(&str, ValueKind); 3] =
        [("amount", ValueKind::Int), ("result", ValueKind::Any), ("status", ValueKind::String)];

    struct Asked(Value, Value);

    impl Scope for Asked {
        fn variable(&self, variable: VariableIx) -> Option<&Value> {
            (variable.index() == 0).then_some(&self.0)
        }

        fn result(&self) -> Option<&Value> {
            Some(&self.1)
        }
    }

    #[test]
    fn names_are_found_by_their_place() {
        let query = Query::value("amount + result", &NAMES).unwrap();
        assert!(query.reads(0) && !query.reads(2));
        assert_eq!(query.eval(&Asked(Value::Int(3), Value::Int(4))), Ok(Value::Int(7)));
        let query = Query::condition("status == null && amount > 2", &NAMES).unwrap();
        assert_eq!(query.holds(&Asked(Value::Int(3), Value::Null)), Ok(true));
    }

    #[test]
    fn mistakes_are_told() {
        let error = |text: &str| Query::condition(text, &NAMES).unwrap_err().remove(0).to_string();
        assert!(error("amont > 5").contains("did you mean `amount`"), "{}", error("amont > 5"));
        assert!(error("zzz > 5").contains("there are: amount, result, status"), "{}", error("zzz > 5"));
        assert!(error("amount + 1").contains("true or false"));
        assert!(error(&"(".repeat(2_000)).contains("nested deeper"));
    }
}
