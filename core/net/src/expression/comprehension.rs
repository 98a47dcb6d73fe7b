//! Recognises CEL's standard macros in the comprehensions that the `cel` crate expands them to while it parses.

use cel::common::ast::{ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators};

use super::node::LoopKind;

/// A macro's kind, predicate and what elements become.
type MacroParts<'t> = (LoopKind, Option<&'t IdedExpr>, Option<&'t IdedExpr>);

/// Which macro a comprehension was: its predicate and what elements become. The crate expands macros while it parses.
pub(super) fn macro_of(comprehension: &ComprehensionExpr) -> Option<MacroParts<'_>> {
    let Expr::Call(step) = &comprehension.loop_step.expr else { return None };
    match (&comprehension.accu_init.expr, step.func_name.as_str(), step.args.as_slice()) {
        (Expr::Literal(LiteralValue::Boolean(_)), operators::LOGICAL_AND, [_, predicate]) => {
            Some((LoopKind::All, Some(predicate), None))
        }
        (Expr::Literal(LiteralValue::Boolean(_)), operators::LOGICAL_OR, [_, predicate]) => {
            Some((LoopKind::Exists, Some(predicate), None))
        }
        (Expr::Literal(LiteralValue::Int(_)), operators::CONDITIONAL, [predicate, _, _]) => {
            Some((LoopKind::ExistsOne, Some(predicate), None))
        }
        (Expr::List(_), operators::CONDITIONAL, [predicate, step, _]) => {
            let element = element_of(step)?;
            let same = matches!(&element.expr, Expr::Ident(name) if *name == comprehension.iter_var);
            Some(if same {
                (LoopKind::Filter, Some(predicate), None)
            } else {
                (LoopKind::Map, Some(predicate), Some(element))
            })
        }
        (Expr::List(_), operators::ADD, _) => Some((LoopKind::Map, None, Some(element_of(&comprehension.loop_step)?))),
        _ => None,
    }
}

/// The `x` of `@result + [x]`.
fn element_of(step: &IdedExpr) -> Option<&IdedExpr> {
    let Expr::Call(add) = &step.expr else { return None };
    match add.args.get(1).map(|list| &list.expr) {
        Some(Expr::List(list)) => list.elements.first(),
        _ => None,
    }
}
