//! Reads `starts` and `receive`.

use super::data::name_of;
use super::table::{Table, entries};
use super::{Name, Part, choice, text, truth};
use crate::diagnostic::Code;
use crate::source::{Findings, Key, Node, Span};
use crate::start::CatchUp;

/// Most starts of one net.
const STARTS_MAX: usize = 256;

/// One entry of `starts`.
#[derive(Debug)]
pub(crate) struct StartDraft {
    pub(crate) name: Name,
    pub(crate) hand: bool,
    pub(crate) cron: Option<Name>,
    pub(crate) zone: Option<Name>,
    pub(crate) every: Option<Name>,
    pub(crate) from: Option<Name>,
    pub(crate) catch_up: Option<(Span, CatchUp)>,
    pub(crate) message: Option<Name>,
    pub(crate) key: Option<Node>,
    pub(crate) input: Option<Part>,
}

/// `receive` of a task.
#[derive(Debug)]
pub(crate) struct ReceiveDraft {
    pub(crate) span: Span,
    pub(crate) message: Name,
    pub(crate) key: Option<Node>,
}

pub(super) fn starts(key: Span, node: &Node, findings: &mut Findings<'_>) -> Vec<StartDraft> {
    let listed = entries(node, findings).unwrap_or_default();
    if listed.len() > STARTS_MAX {
        findings.error(Code::TooLarge, key, format!("a net has at most {STARTS_MAX} starts"), None);
    }
    listed.iter().take(STARTS_MAX).filter_map(|(key, node)| start(key, node, findings)).collect()
}

fn start(key: &Key, node: &Node, findings: &mut Findings<'_>) -> Option<StartDraft> {
    let mut table = Table::of(node, &format!("start `{}`", key.text), findings)?;
    let named = |key, table: &mut Table<'_>, findings: &mut Findings<'_>| {
        table.take(key).and_then(|(_, node)| text(node, findings))
    };
    let policies = CatchUp::ALL.map(|policy| (policy.name(), policy));
    let catch_up = table.take("catch_up");
    let draft = StartDraft {
        name: name_of(key),
        hand: table.take("manual").and_then(|(_, node)| truth(node, findings)) == Some(true),
        cron: named("cron", &mut table, findings),
        zone: named("zone", &mut table, findings),
        every: named("every", &mut table, findings),
        from: named("from", &mut table, findings),
        catch_up: catch_up.and_then(|(key, node)| Some((key.span, choice(node, &policies, findings)?))),
        message: named("message", &mut table, findings),
        key: table.take("key").map(|(_, node)| node.clone()),
        input: super::task::templates("input", &mut table, findings),
    };
    table.finish(findings);
    Some(draft)
}

pub(super) fn receive(key: Span, node: &Node, findings: &mut Findings<'_>) -> Option<ReceiveDraft> {
    let mut table = Table::of(node, "`receive`", findings)?;
    let message = table.required("message", findings).and_then(|(_, node)| text(node, findings));
    let about = table.take("key").map(|(_, node)| node.clone());
    table.finish(findings);
    Some(ReceiveDraft { span: key, message: message?, key: about })
}
