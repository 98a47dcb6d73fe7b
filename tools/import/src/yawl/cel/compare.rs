//! Comparisons and arithmetic: the declared types decide, as there is no typed data in YAWL's own queries.

use super::super::query::{Arithmetic, Comparison};
use super::super::shape::{Kind, Shape};
use super::super::value::{double, is_decimal, is_time};
use super::term::{Is, Level, Literal, Term, quoted};
use super::{Frame, Made, refuse, refuse_with, symbol};
use crate::finding::Code;

/// A single value, ready for an operator.
pub(super) struct Operand<'t> {
    pub(super) term: &'t Term,
    /// `None`: not known.
    pub(super) kind: Option<Kind>,
}

pub(super) fn operand(term: &Term) -> Made<Operand<'_>> {
    let kind = match &term.is {
        Is::Atom(kind) => *kind,
        Is::TextOf(shape) | Is::Element(_, shape) => match shape {
            Shape::Scalar(kind) => Some(*kind),
            Shape::Unknown => None,
            Shape::List { .. } | Shape::Map(_) => {
                return refuse(Code::QueryType, format!("a {} where a single value is needed", shape.word()));
            }
        },
        Is::Nothing => return refuse(Code::QueryType, "`()` where a value is needed"),
        Is::Many(..) | Is::Content(_) => {
            return refuse(Code::QueryType, "several elements where a single value is needed");
        }
    };
    Ok(Operand { term, kind })
}

fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

fn turned(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        same => same,
    }
}

impl Frame<'_> {
    pub(super) fn compare(&self, comparison: Comparison, left: &Term, right: &Term) -> Made<Term> {
        match (&left.is, &right.is) {
            // A comparison with several holds if it holds for one of them.
            (Is::Many(name, shape, _), _) if !matches!(right.is, Is::Many(..)) => {
                let local = self.local(name.as_deref().unwrap_or("item"));
                let item = Term { null: true, ..Term::new(local.clone(), Level::Primary, Is::TextOf(shape.clone())) };
                let inner = single(comparison, &item, right)?;
                Ok(left.and_not_null(Some(format!("{}.exists({local}, {})", left.plain, inner.cel))))
            }
            (_, Is::Many(..)) if !matches!(left.is, Is::Many(..)) => self.compare(turned(comparison), right, left),
            _ => single(comparison, left, right),
        }
    }
}

fn single(comparison: Comparison, left: &Term, right: &Term) -> Made<Term> {
    let (left, right) = (operand(left)?, operand(right)?);
    let (a, b) = (side(&left, &right)?, side(&right, &left)?);
    // What is empty equals nothing, differs from nothing, and is not less than anything.
    let converted = |side: &Side, operand: &Operand<'_>| side.converted || !operand.term.guards.is_empty();
    let both_null = left.term.null && right.term.null;
    let exact = comparison == Comparison::Equal;
    let mut guards = Vec::new();
    for (side, operand) in [(&a, &left), (&b, &right)] {
        guards.extend(operand.term.guards.iter().cloned());
        if operand.term.null && (!exact || both_null || converted(side, operand)) {
            guards.push(format!("{} != null", operand.term.plain));
        }
    }
    let test = format!("{} {} {}", a.cel, operator(comparison), b.cel);
    if guards.is_empty() {
        return Ok(Term::truth(test, Level::Relation));
    }
    guards.push(test);
    Ok(Term::truth(guards.join(" && "), Level::And))
}

struct Side {
    cel: String,
    /// By a function that does not take null.
    converted: bool,
}

/// One side of a comparison, made comparable with the other.
fn side(this: &Operand<'_>, other: &Operand<'_>) -> Made<Side> {
    use Kind::{Bool, Decimal, Double, Int, Text, Time};
    let plain = || this.term.plain_within(Level::Sum);
    let same = || Ok(Side { cel: plain(), converted: false });
    let call = |function: &str| Ok(Side { cel: format!("{function}({})", this.term.plain), converted: true });
    let never = |what: &str| {
        let kind = other.kind.map_or("any", Kind::word);
        refuse(Code::QueryType, format!("{what} is compared with a {kind}, which it can never equal"))
    };
    let literal = |cel: String| Ok(Side { cel, converted: false });
    match (&this.term.literal, other.kind) {
        (Some(Literal::Text(text)), Some(kind)) => match kind {
            Text => same(),
            Bool => match text.trim() {
                "true" | "1" => literal("true".to_owned()),
                "false" | "0" => literal("false".to_owned()),
                _ => never(&format!("`'{text}'`")),
            },
            Int | Double => match (text.trim().parse::<i64>(), text.trim().parse::<f64>()) {
                (Ok(whole), _) if kind == Int => literal(whole.to_string()),
                (_, Ok(number)) if number.is_finite() => literal(double(number)),
                _ => never(&format!("`'{text}'`")),
            },
            Decimal if is_decimal(text.trim()) => literal(format!("decimal({})", quoted(text.trim()))),
            Time if is_time(text.trim()) => literal(format!("timestamp({})", quoted(text.trim()))),
            Decimal | Time => never(&format!("`'{text}'`")),
        },
        (Some(Literal::Number(digits)), Some(kind)) => match kind {
            Bool | Time => never(&format!("`{digits}`")),
            Decimal => literal(format!("decimal({})", quoted(digits))),
            // The other side becomes a double.
            Text => literal(double(digits.parse().unwrap_or_default())),
            Int | Double => same(),
        },
        // Beside a literal a value stays what it is, but for text beside a number.
        _ if other.term.literal.is_some() => match (this.kind, &other.term.literal) {
            (Some(Text), Some(Literal::Number(_))) => call("double"),
            _ => same(),
        },
        _ => match (this.kind, other.kind) {
            (Some(this_kind), Some(other_kind)) if this_kind == other_kind => same(),
            (Some(Text), Some(other_kind)) if other_kind.is_number() => call("double"),
            (Some(Decimal), Some(Double | Text)) => call("double"),
            (Some(Text), Some(Time)) => call("timestamp"),
            (Some(Bool), Some(Text)) => call("string"),
            // As they are: nothing is known, or the other side is made to fit.
            (None, _)
            | (_, None)
            | (Some(Int | Double | Decimal), Some(Int | Double | Decimal))
            | (Some(Int | Double | Time), Some(Text))
            | (Some(Text), Some(Bool)) => same(),
            (Some(this_kind), Some(other_kind)) => {
                refuse(Code::QueryType, format!("a {} is compared with a {}", this_kind.word(), other_kind.word()))
            }
        },
    }
}

impl Term {
    /// The value without asking whether it is there, in parentheses if `level` needs them.
    pub(super) fn plain_within(&self, level: Level) -> String {
        // A path needs no parentheses.
        if self.guards.is_empty() { self.within(level) } else { self.plain.clone() }
    }
}

pub(super) fn arithmetic(operator: Arithmetic, left: &Term, right: &Term) -> Made<Term> {
    use Kind::{Decimal, Double, Int, Text};
    let (left, right) = (operand(left)?, operand(right)?);
    for side in [&left, &right] {
        if let Some(kind @ (Kind::Bool | Kind::Time)) = side.kind {
            return refuse(Code::QueryType, format!("`{}` of a {}", symbol(operator), kind.word()));
        }
    }
    let level = if matches!(operator, Arithmetic::Add | Arithmetic::Subtract) { Level::Sum } else { Level::Product };
    let numeric = |kind: Option<Kind>| if kind == Some(Text) { Some(Double) } else { kind };
    let kind = match (numeric(left.kind), numeric(right.kind)) {
        _ if operator == Arithmetic::Divide => Some(Double),
        (None, _) | (_, None) => None,
        (Some(a), Some(b)) if a == b => Some(a),
        (Some(Int), Some(Decimal)) | (Some(Decimal), Some(Int)) => Some(Decimal),
        _ => Some(Double),
    };
    if operator == Arithmetic::Remainder && kind != Some(Int) {
        return refuse_with(Code::QueryType, "`mod` of other than integers", "declare both sides as integers");
    }
    let convert = |side: &Operand<'_>, level: Level| match (kind, side.kind) {
        (Some(Double), Some(Double)) => side.term.within(level),
        (Some(Double), Some(Int)) if side.term.literal.is_some() => format!("{}.0", side.term.cel),
        (Some(Double), _) => format!("double({})", side.term.cel),
        _ => side.term.within(level),
    };
    let sign = match operator {
        Arithmetic::Divide => "/",
        Arithmetic::Remainder => "%",
        other => symbol(other),
    };
    // The right side of `a - (b - c)` keeps its parentheses.
    let above = if level == Level::Sum { Level::Product } else { Level::Unary };
    Ok(Term::atom(format!("{} {sign} {}", convert(&left, level), convert(&right, above)), level, kind))
}
