//! Reads a task's arcs besides flows: `join`, `takes`, and how it is triggered.

use super::data::name_of;
use super::table::{Table, entries};
use super::{JoinDraft, Name, TriggerDraft, choice, number, text};
use crate::check::{NODES_MAX, TOKENS_MAX};
use crate::net::{Join, Rest};
use crate::source::{Data, Findings, Key, Node, Span};

/// `and`, `xor`, `or`, or `{ of, rest }`.
pub(super) fn join(node: &Node, findings: &mut Findings<'_>) -> Option<JoinDraft> {
    let joins = [("and", Join::And), ("xor", Join::Xor), ("or", Join::Or)];
    let Data::Map(_) = node.data else {
        return choice(node, &joins, findings).map(|join| JoinDraft { join, span: node.span });
    };
    let mut table = Table::of(node, "`join`", findings)?;
    let of = table.required("of", findings);
    let of = of.and_then(|(_, node)| number(node, "`of`", 1..=NODES_MAX as u32, findings).map(|of| (of, node.span)));
    let rests = [("absorb", Rest::Absorb), ("block", Rest::Block), ("cancel", Rest::Cancel)];
    let rest = table.take("rest").and_then(|(_, node)| choice(node, &rests, findings)).unwrap_or_default();
    table.finish(findings);
    of.map(|(of, span)| JoinDraft { join: Join::Partial { of, rest }, span })
}

/// How many tokens are taken from some inputs.
pub(super) fn takes(node: &Node, findings: &mut Findings<'_>) -> Vec<(Name, u32)> {
    let listed = entries(node, findings).unwrap_or_default();
    let read = |(key, node): &(Key, Node)| {
        let tokens = number(node, "a number of tokens", 1..=TOKENS_MAX, findings)?;
        Some((name_of(key), tokens))
    };
    listed.iter().filter_map(read).collect()
}

pub(super) fn trigger(key: Span, node: &Node, findings: &mut Findings<'_>) -> Option<TriggerDraft> {
    let mut table = Table::of(node, "`trigger`", findings)?;
    let signal = table.required("signal", findings).and_then(|(_, node)| text(node, findings));
    let persistent = table.truth("persistent", findings);
    table.finish(findings);
    Some(TriggerDraft { signal: signal?, persistent, key })
}
