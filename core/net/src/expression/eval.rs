//! Evaluates a compiled expression. The stack it needs is bounded by the expression's depth.

use std::collections::BTreeMap;

use actum_model::Value;

use super::arithmetic::{arithmetic, compare, equal, negate};
use super::budget::Budget;
use super::fault::Fault;
use super::node::{Loop, LoopKind, Node};
use super::operand::{Operand, kind_name};
use super::{Scope, function};

/// What an expression may read, and how much it may still cost.
pub(super) struct Env<'a> {
    scope: &'a dyn Scope,
    pub(super) budget: &'a Budget,
    frame: Option<&'a Frame<'a>>,
}

/// The element that an enclosing loop is at.
struct Frame<'a> {
    item: &'a Value,
    outer: Option<&'a Frame<'a>>,
}

impl<'a> Env<'a> {
    pub(super) fn new(scope: &'a dyn Scope, budget: &'a Budget) -> Self {
        Self { scope, budget, frame: None }
    }

    fn local(&self, levels: u32) -> Operand<'a> {
        let mut frame = self.frame;
        for _ in 0..levels {
            frame = frame.and_then(|frame| frame.outer);
        }
        frame.map_or(Operand::Null, |frame| Operand::borrowed(frame.item))
    }
}

pub(super) fn eval<'a>(node: &'a Node, env: &Env<'a>) -> Result<Operand<'a>, Fault> {
    env.budget.step()?;
    if let Some(answer) = compare_at_hand(node, env) {
        return answer.map(Operand::Bool);
    }
    match node {
        Node::Literal(value) => Ok(Operand::borrowed(value)),
        Node::Variable(variable) => Ok(env.scope.variable(*variable).map_or(Operand::Null, Operand::borrowed)),
        Node::Result => Ok(env.scope.result().map_or(Operand::Null, Operand::borrowed)),
        Node::Given(name) => Ok(env.scope.given(*name).map_or(Operand::Null, Operand::borrowed)),
        Node::Local(levels) => Ok(env.local(*levels)),
        Node::Select(operand, field) => select(eval(operand, env)?, field),
        Node::Has(operand, field) => match eval(operand, env)?.compound() {
            Some(Value::Map(entries)) => Ok(Operand::Bool(entries.contains_key(field))),
            other => Err(type_fault("has", &[other.map_or("a scalar", kind_name)])),
        },
        Node::Index(operand, index) => self::index(eval(operand, env)?, &eval(index, env)?),
        Node::Not(operand) => truth(&eval(operand, env)?).map(|truth| Operand::Bool(!truth)),
        Node::Negate(operand) => negate(&eval(operand, env)?),
        Node::And(left, right) => connect(left, right, false, env),
        Node::Or(left, right) => connect(left, right, true, env),
        Node::Conditional(parts) => {
            let (condition, then, otherwise) = parts.as_ref();
            let truth = truth(&eval(condition, env)?)?;
            eval(if truth { then } else { otherwise }, env)
        }
        Node::Equal(left, right) => equal(&eval(left, env)?, &eval(right, env)?, env.budget).map(Operand::Bool),
        Node::NotEqual(left, right) => {
            equal(&eval(left, env)?, &eval(right, env)?, env.budget).map(|equal| Operand::Bool(!equal))
        }
        Node::Compare(comparison, left, right) => {
            compare(*comparison, &eval(left, env)?, &eval(right, env)?).map(Operand::Bool)
        }
        Node::Arithmetic(operator, left, right) => {
            arithmetic(*operator, eval(left, env)?, eval(right, env)?, env.budget)
        }
        Node::In(element, container) => {
            contains(&eval(element, env)?, &eval(container, env)?, env.budget).map(Operand::Bool)
        }
        Node::List(items) => items
            .iter()
            .map(|item| eval(item, env)?.into_value(env.budget))
            .collect::<Result<_, _>>()
            .map(|items| Operand::Owned(Value::List(items))),
        Node::Map(entries) => map(entries, env),
        Node::Call(function, arguments) => function::call(*function, arguments, env),
        Node::Loop(body) => iterate(body, env),
    }
}

/// Compares whole numbers or texts that lie at hand: what most guards do. The same answer, at the same cost, as the general
/// way, which is taken for all else.
#[inline]
fn compare_at_hand(node: &Node, env: &Env<'_>) -> Option<Result<bool, Fault>> {
    let (Node::Compare(_, left, right) | Node::Equal(left, right) | Node::NotEqual(left, right)) = node else {
        return None;
    };
    let paid = || env.budget.step().and_then(|()| env.budget.step());
    let order = match (at_hand(left, env)?, at_hand(right, env)?) {
        (Value::Int(left), Value::Int(right)) => paid().map(|()| left.cmp(right)),
        (Value::String(left), Value::String(right)) if !matches!(node, Node::Compare(..)) => {
            let paid = paid().and_then(|()| env.budget.bytes(left.len().min(right.len())));
            paid.map(|()| left.cmp(right))
        }
        _ => return None,
    };
    Some(order.map(|order| match node {
        Node::Compare(comparison, ..) => comparison.admits(order),
        Node::NotEqual(..) => order.is_ne(),
        _ => order.is_eq(),
    }))
}

/// A value that is there without computing.
#[inline]
fn at_hand<'a>(node: &'a Node, env: &Env<'a>) -> Option<&'a Value> {
    match node {
        Node::Literal(value) => Some(value),
        Node::Variable(variable) => env.scope.variable(*variable),
        _ => None,
    }
}

fn truth(operand: &Operand<'_>) -> Result<bool, Fault> {
    operand.as_bool().ok_or(Fault::NotBool { got: operand.kind_name() })
}

/// `&&` (decided by false) and `||` (decided by true). As CEL has it, the side that decides wins over an error on the
/// other side, whichever comes first.
fn connect<'a>(left: &'a Node, right: &'a Node, decisive: bool, env: &Env<'a>) -> Result<Operand<'a>, Fault> {
    let left = eval(left, env).and_then(|left| truth(&left));
    if left == Ok(decisive) {
        return Ok(Operand::Bool(decisive));
    }
    let right = eval(right, env).and_then(|right| truth(&right));
    match (left, right) {
        (_, Ok(right)) if right == decisive => Ok(Operand::Bool(decisive)),
        (Err(fault), _) | (Ok(_), Err(fault)) => Err(fault),
        (Ok(_), Ok(_)) => Ok(Operand::Bool(!decisive)),
    }
}

pub(super) fn type_fault(operation: &'static str, got: &[&str]) -> Fault {
    Fault::Type { operation, got: got.join(", ") }
}

fn select<'a>(operand: Operand<'a>, field: &str) -> Result<Operand<'a>, Fault> {
    let missing = || Fault::NoSuchKey(field.to_owned());
    match operand {
        Operand::Ref(Value::Map(entries)) => entries.get(field).map(Operand::borrowed).ok_or_else(missing),
        Operand::Owned(Value::Map(mut entries)) => entries.remove(field).map(Operand::owned).ok_or_else(missing),
        other => Err(Fault::Type { operation: ".", got: format!("{} (selecting `{field}`)", other.kind_name()) }),
    }
}

fn index<'a>(operand: Operand<'a>, index: &Operand<'_>) -> Result<Operand<'a>, Fault> {
    if let Some(Value::Map(_)) = operand.compound() {
        return match index {
            Operand::Text(key) => select(operand, key),
            Operand::Int(key) => Err(Fault::NoSuchKey(key.to_string())),
            Operand::Double(key) => Err(Fault::NoSuchKey(key.to_string())),
            Operand::Bool(key) => Err(Fault::NoSuchKey(key.to_string())),
            other => Err(type_fault("[]", &["map", other.kind_name()])),
        };
    }
    let Some(place) = whole(index) else {
        return Err(type_fault("[]", &[operand.kind_name(), index.kind_name()]));
    };
    let outside = Fault::OutOfBounds(place);
    let at = usize::try_from(place).map_err(|_| outside.clone());
    match operand {
        Operand::Ref(Value::List(items)) => items.get(at?).map(Operand::borrowed).ok_or(outside),
        Operand::Owned(Value::List(mut items)) => match at? {
            at if at < items.len() => Ok(Operand::owned(items.swap_remove(at))),
            _ => Err(outside),
        },
        other => Err(type_fault("[]", &[other.kind_name(), index.kind_name()])),
    }
}

/// A number as an index: doubles that are whole count, as in CEL.
fn whole(index: &Operand<'_>) -> Option<i64> {
    /// 2^63.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    match index {
        Operand::Int(place) => Some(*place),
        Operand::Double(place) if place.fract() == 0.0 && *place > -LIMIT && *place < LIMIT => Some(*place as i64),
        _ => None,
    }
}

fn contains(element: &Operand<'_>, container: &Operand<'_>, budget: &Budget) -> Result<bool, Fault> {
    match (container.compound(), element) {
        (Some(Value::List(items)), _) => {
            for item in items {
                budget.step()?;
                if equal(&Operand::borrowed(item), element, budget)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (Some(Value::Map(entries)), Operand::Text(key)) => Ok(entries.contains_key(key.as_ref())),
        (Some(Value::Map(_)), Operand::Int(_) | Operand::Double(_) | Operand::Bool(_)) => Ok(false),
        _ => Err(type_fault("in", &[element.kind_name(), container.kind_name()])),
    }
}

fn map<'a>(entries: &'a [(Node, Node)], env: &Env<'a>) -> Result<Operand<'a>, Fault> {
    let mut map = BTreeMap::new();
    for (key, value) in entries {
        let key = match eval(key, env)? {
            Operand::Text(key) => key.into_owned(),
            other => return Err(type_fault("a map's key", &[other.kind_name()])),
        };
        let value = eval(value, env)?.into_value(env.budget)?;
        if map.contains_key(&key) {
            return Err(type_fault("a map", &["the same key twice"]));
        }
        map.insert(key, value);
    }
    Ok(Operand::Owned(Value::Map(map)))
}

fn iterate<'a>(body: &'a Loop, env: &Env<'a>) -> Result<Operand<'a>, Fault> {
    let name = body.kind.name();
    let range = eval(&body.range, env)?;
    let items = match range.compound() {
        Some(Value::List(items)) => items,
        Some(Value::Map(_)) => return Err(Fault::MapIteration(name)),
        _ => return Err(type_fault(name, &[range.kind_name()])),
    };
    match body.kind {
        LoopKind::All => fold(body, items, false, env),
        LoopKind::Exists => fold(body, items, true, env),
        LoopKind::ExistsOne => {
            let mut count = 0;
            for item in items {
                count += usize::from(holds(body, item, env)?);
            }
            Ok(Operand::Bool(count == 1))
        }
        LoopKind::Filter | LoopKind::Map => {
            let mut kept = Vec::new();
            for item in items {
                if holds(body, item, env)? {
                    kept.push(transform(body, item, env)?);
                }
            }
            Ok(Operand::Owned(Value::List(kept)))
        }
    }
}

/// `all` (decided by false) and `exists` (decided by true): an element that decides wins over errors in others.
fn fold<'a>(body: &'a Loop, items: &[Value], decisive: bool, env: &Env<'a>) -> Result<Operand<'a>, Fault> {
    let mut pending = None;
    for item in items {
        match holds(body, item, env) {
            Ok(truth) if truth == decisive => return Ok(Operand::Bool(decisive)),
            Ok(_) => {}
            Err(fault) => pending = Some(fault),
        }
    }
    pending.map_or(Ok(Operand::Bool(!decisive)), Err)
}

fn holds(body: &Loop, item: &Value, env: &Env<'_>) -> Result<bool, Fault> {
    let Some(predicate) = &body.predicate else { return Ok(true) };
    let frame = Frame { item, outer: env.frame };
    truth(&eval(predicate, &Env { scope: env.scope, budget: env.budget, frame: Some(&frame) })?)
}

fn transform(body: &Loop, item: &Value, env: &Env<'_>) -> Result<Value, Fault> {
    let frame = Frame { item, outer: env.frame };
    let inner = Env { scope: env.scope, budget: env.budget, frame: Some(&frame) };
    match &body.transform {
        Some(transform) => eval(transform, &inner)?.into_value(env.budget),
        None => Operand::borrowed(item).into_value(env.budget),
    }
}
