//! The canonical form of a state: equal for states from which the same can happen, and never for others.
//!
//! A frame is its net, its variables, its tokens, and its items sorted by task; an item of a firing holds its instances, one
//! of a composite task its frame, each sorted by form. Numbers of items and frames are gone. Who does what, when, and how
//! often it was tried does not decide anything, and is left out.

use actum_model::{Case, FrameId, ItemId, WorkItemState, cbor};
use smallvec::SmallVec;

use super::counters::Counters;

/// Writes the form of everything but the tokens of the root to `rest`, and these tokens to `tokens`.
pub(super) fn write(case: &Case, counters: &Counters, in_order: bool, rest: &mut Vec<u8>, tokens: &mut Vec<u8>) {
    let control = &case.control;
    let status = control.status as u8;
    rest.extend([status, u8::from(control.suspended)]);
    counters.iter().for_each(|counter| number(*counter, rest));
    for signal in control.signals() {
        text(signal.name.as_bytes(), rest);
        cbor::encode(&signal.data, rest);
    }
    rest.push(0xff);
    for (condition, count) in control.marking.of(FrameId::ROOT) {
        number(condition.0, tokens);
        number(count, tokens);
    }
    frame(case, FrameId::ROOT, in_order, rest);
}

fn frame(case: &Case, id: FrameId, in_order: bool, out: &mut Vec<u8>) {
    let control = &case.control;
    let variables = case.variables_of(id);
    number(variables.len() as u32, out);
    for (variable, value) in variables {
        number(variable.0, out);
        cbor::encode(value, out);
    }
    let joins = control.arrivals().iter().filter(|one| one.frame == id);
    let mut joins: SmallVec<[_; 2]> = joins.collect();
    joins.sort_unstable_by_key(|one| one.task);
    number(joins.len() as u32, out);
    for join in joins {
        number(join.task.0, out);
        number(join.inputs.len() as u32, out);
        join.inputs.iter().for_each(|input| number(input.0, out));
    }
    if id != FrameId::ROOT {
        number(control.marking.of(id).count() as u32, out);
        for (condition, count) in control.marking.of(id) {
            number(condition.0, out);
            number(count, out);
        }
    }
    let mut items: SmallVec<[&WorkItemState; 8]> =
        control.items.iter().filter(|item| item.frame == id && item.instance.is_none()).collect();
    if !in_order {
        items.sort_unstable_by_key(|item| item.task);
    }
    number(items.len() as u32, out);
    items.into_iter().for_each(|state| item(case, state, in_order, out));
}

fn item(case: &Case, state: &WorkItemState, in_order: bool, out: &mut Vec<u8>) {
    number(state.task.0, out);
    let bits = u8::from(state.holds_tokens()) | u8::from(state.timer.is_some()) << 1;
    out.extend([state.phase as u8, state.suspended_from.map_or(0xff, |phase| phase as u8), bits]);
    number(state.consumed.len() as u32, out);
    state.consumed.iter().for_each(|condition| number(condition.0, out));
    let control = &case.control;
    if let Some(activation) = control.activation(state.id) {
        out.push(1);
        number(activation.created, out);
        number(activation.completed, out);
        out.push(u8::from(activation.passed));
        let results = case.results_of(state.id);
        number(results.len() as u32, out);
        results.iter().for_each(|result| cbor::encode(result, out));
        instances(case, state.id, in_order, out);
    } else {
        out.push(0);
    }
    if !control.frames().is_empty()
        && let Some(inner) = control.frame_of_item(state.id)
    {
        out.push(1);
        frame(case, inner.id, in_order, out);
    } else {
        out.push(0);
    }
}

fn instances(case: &Case, family: ItemId, in_order: bool, out: &mut Vec<u8>) {
    let form = |state: &WorkItemState| {
        let mut form = Vec::new();
        item(case, state, in_order, &mut form);
        form
    };
    let mut forms: Vec<Vec<u8>> = case.control.instances_of(family).map(form).collect();
    if !in_order {
        forms.sort_unstable();
    }
    number(forms.len() as u32, out);
    forms.iter().for_each(|form| text(form, out));
}

fn text(bytes: &[u8], out: &mut Vec<u8>) {
    number(bytes.len() as u32, out);
    out.extend_from_slice(bytes);
}

/// LEB128.
fn number(mut number: u32, out: &mut Vec<u8>) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
