//! Declared names: their form, that each is there once, and the order in which they become ordinals.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::Code;
use crate::read::{Draft, ExceptionDraft, Name, SubnetDraft, TaskDraft, TriggerOfException};
use crate::source::Findings;

/// Longest name of anything that a net names, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Words that CEL keeps for itself.
const CEL_RESERVED: [&str; 21] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

/// Checks every declared name, and puts what is declared into the order of the ordinals: sorted by name.
pub(super) fn check(draft: &mut Draft, findings: &mut Findings<'_>) {
    for role in &draft.roles {
        plain(&role.name, "role", findings);
    }
    draft.roles.sort_by(|left, right| left.name.text.cmp(&right.name.text));
    for subnet in &mut draft.subnets {
        plain(&subnet.name, "net", findings);
        check_nodes(subnet, findings);
        sort(subnet);
    }
    if let Some(subnets) = draft.subnets.get_mut(1..) {
        subnets.sort_by(|left, right| left.name.text.cmp(&right.name.text));
    }
    draft.policies.pools.iter().for_each(|(pool, _)| plain(pool, "pool", findings));
    draft.exceptions.iter().for_each(|rule| exception(rule, findings));
    for start in &draft.starts {
        plain(&start.name, "start", findings);
        start.message.iter().for_each(|message| plain(message, "message", findings));
    }
    draft.starts.sort_by(|left, right| left.name.text.cmp(&right.name.text));
}

fn check_nodes(subnet: &SubnetDraft, findings: &mut Findings<'_>) {
    for variable in &subnet.variables {
        identifier(&variable.name, "variable", findings);
    }
    let mut seen = HashMap::new();
    let conditions = subnet.conditions.iter().map(|condition| (&condition.name, "condition"));
    let mutexes = subnet.mutexes.iter().map(|mutex| (mutex, "mutex"));
    let tasks = subnet.tasks.iter().map(|task| (&task.name, "task"));
    for (name, what) in conditions.chain(mutexes).chain(tasks) {
        plain(name, what, findings);
        if matches!(name.text.as_str(), "start" | "end") {
            let message = format!("`{}` is the name of the net's own condition", name.text);
            findings.error(Code::ReservedName, name.span, message, None);
        }
        if let Some(other) = seen.insert(&name.text, what) {
            let message = if other == what {
                format!("there are two of the name `{}`", name.text)
            } else {
                format!("`{}` is both a {what} and a {other}", name.text)
            };
            findings.error(Code::DuplicateName, name.span, message, None);
        }
    }
    for task in &subnet.tasks {
        for field in task.form.iter().flat_map(|(_, fields)| fields) {
            identifier(&field.name, "field", findings);
        }
        if let Some(trigger) = &task.trigger {
            plain(&trigger.signal, "signal", findings);
        }
        task.savepoint.iter().for_each(|savepoint| plain(savepoint, "savepoint", findings));
        task.receive.iter().for_each(|receive| plain(&receive.message, "message", findings));
        task.exceptions.iter().for_each(|rule| exception(rule, findings));
    }
}

fn exception(rule: &ExceptionDraft, findings: &mut Findings<'_>) {
    if let TriggerOfException::External { name } = &rule.trigger {
        plain(name, "exception", findings);
    }
}

fn sort(subnet: &mut SubnetDraft) {
    subnet.variables.sort_by(|left, right| left.name.text.cmp(&right.name.text));
    subnet.conditions.sort_by(|left, right| left.name.text.cmp(&right.name.text));
    subnet.mutexes.sort_by(|left, right| left.text.cmp(&right.text));
    subnet.tasks.sort_by(|left, right| left.name.text.cmp(&right.name.text));
    for task in &mut subnet.tasks {
        task.output.sort_by(|left, right| left.0.text.cmp(&right.0.text));
        if let Some((_, form)) = &mut task.form {
            form.sort_by(|left, right| left.name.text.cmp(&right.name.text));
        }
    }
}

/// `[A-Za-z0-9][A-Za-z0-9_.-]*`
fn plain(name: &Name, what: &str, findings: &mut Findings<'_>) {
    let text = name.text.as_str();
    if text.is_empty() && name.span.end == 0 {
        // Reported as missing.
        return;
    }
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !first || !text.bytes().all(good) || text.len() > NAME_BYTES_MAX {
        let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        let message = format!("`{text}` is not the name of {article} {what}");
        let hint = format!(
            "letters, digits, `-`, `_` and `.`, at most {NAME_BYTES_MAX}, beginning with a letter or a digit; use `title` for people"
        );
        findings.error(Code::BadName, name.span, message, Some(hint));
    }
}

/// `[A-Za-z_][A-Za-z0-9_]*`, and not a word of CEL.
fn identifier(name: &Name, what: &str, findings: &mut Findings<'_>) {
    let text = name.text.as_str();
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if !first || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') || text.len() > NAME_BYTES_MAX {
        let message = format!("`{text}` is not the name of a {what}");
        let hint = format!(
            "letters, digits and `_`, at most {NAME_BYTES_MAX}, not beginning with a digit, so that expressions can name it"
        );
        findings.error(Code::BadName, name.span, message, Some(hint));
    } else if CEL_RESERVED.contains(&text) || text == "result" {
        let message = format!("`{text}` has a meaning of its own in expressions");
        findings.error(Code::ReservedName, name.span, message, None);
    }
}

/// What nobody needs is mostly a slip of the pen.
pub(super) fn check_used(draft: &Draft, findings: &mut Findings<'_>) {
    let tasks = || draft.subnets.iter().flat_map(|subnet| &subnet.tasks);
    let used: HashSet<&str> = tasks().flat_map(TaskDraft::roles).map(|role| role.text.as_str()).collect();
    for role in &draft.roles {
        if !used.contains(role.name.text.as_str()) {
            let message = format!("no task needs the role `{}`", role.name.text);
            findings.warning(Code::Unused, role.name.span, message, None);
        }
    }
}
