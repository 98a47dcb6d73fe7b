//! What is known of an expression's type before it runs. Any typed variable may also be null.

use actum_model::Value;

use super::node::{Arithmetic, Comparison};
use crate::kind::ValueKind;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StaticType {
    /// Nothing is known.
    Dynamic,
    /// Certainly null.
    Null,
    /// This kind, or null.
    Known(ValueKind),
}

use StaticType::{Dynamic, Known, Null};

impl StaticType {
    pub(crate) fn of_kind(kind: ValueKind) -> Self {
        if kind == ValueKind::Any { Dynamic } else { Known(kind) }
    }

    pub(super) fn of_value(value: &Value) -> Self {
        ValueKind::of(value).map_or(Null, Known)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Dynamic => "any",
            Null => "null",
            Known(kind) => kind.name(),
        }
    }

    /// Whether it may turn out to be one of these kinds.
    pub(super) fn may_be(self, kinds: &[ValueKind]) -> bool {
        match self {
            Dynamic => true,
            Null => false,
            Known(kind) => kinds.contains(&kind),
        }
    }

    /// Whether a variable of that kind may take the value.
    pub(crate) fn may_fill(self, kind: ValueKind) -> bool {
        use ValueKind::{Any, Decimal, Double, Int, String, Time};
        match (self, kind) {
            (Dynamic | Null, _) | (_, Any) => true,
            (Known(got), wanted) => {
                got == wanted || matches!((got, wanted), (Int, Double | Decimal) | (String, Time | Decimal))
            }
        }
    }

    /// The type of either of two values.
    pub(super) fn either(self, other: Self) -> Self {
        match (self, other) {
            (left, right) if left == right => left,
            (Null, other) | (other, Null) => other,
            _ => Dynamic,
        }
    }
}

/// Whether `==` can ever hold.
pub(super) fn may_equal(left: StaticType, right: StaticType) -> bool {
    use ValueKind::{Decimal, Double, Int};
    match (left, right) {
        (Known(left), Known(right)) => {
            left == right || matches!((left, right), (Int, Double | Decimal) | (Double | Decimal, Int))
        }
        _ => true,
    }
}

/// Whether `<` and the like can ever succeed.
pub(super) fn may_compare(_: Comparison, left: StaticType, right: StaticType) -> bool {
    let ordered = |kind| !matches!(kind, ValueKind::List | ValueKind::Map);
    let orders = |side| match side {
        Known(kind) => ordered(kind),
        Null => false,
        Dynamic => true,
    };
    orders(left) && orders(right) && may_equal(left, right)
}

/// The type of an arithmetic expression; `None` if it can never succeed.
pub(super) fn arithmetic(operator: Arithmetic, left: StaticType, right: StaticType) -> Option<StaticType> {
    use ValueKind::{Bytes, Decimal, Double, Int, List, String};
    let exact = matches!(operator, Arithmetic::Add | Arithmetic::Subtract | Arithmetic::Multiply);
    Some(match (left, right) {
        (Known(Int), Known(Int)) => Known(Int),
        (Known(Double), Known(Double)) if operator != Arithmetic::Remainder => Known(Double),
        (Known(Decimal), Known(Decimal | Int)) | (Known(Int), Known(Decimal)) if exact => Known(Decimal),
        (Known(left @ (String | Bytes | List)), Known(right)) if left == right && operator == Arithmetic::Add => {
            Known(left)
        }
        (Null, _) | (_, Null) | (Known(_), Known(_)) => return None,
        (Dynamic, Known(kind)) | (Known(kind), Dynamic) => match kind {
            Int | Double | Decimal => Dynamic,
            String | Bytes | List if operator == Arithmetic::Add => Known(kind),
            _ => return None,
        },
        (Dynamic, Dynamic) => Dynamic,
    })
}
