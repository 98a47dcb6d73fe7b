//! Names: their form, that each is there once, and the ordinals they become.

use std::collections::{BTreeMap, HashSet};

use crate::diagnostic::Code;
use crate::kind::ValueKind;
use crate::net::{RoleIx, TaskIx, VariableIx};
use crate::read::{Draft, Name};
use crate::source::Findings;
use crate::suggest::{did_you_mean, nearest};

/// Longest name of a task, condition, role, variable or field, in bytes.
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
    plain(&draft.name, "net", findings);
    for variable in &draft.variables {
        identifier(&variable.name, "variable", findings);
    }
    for role in &draft.roles {
        plain(&role.name, "role", findings);
    }
    let mut seen = HashSet::new();
    let conditions = draft.conditions.iter().map(|condition| (&condition.name, "condition"));
    for (name, what) in conditions.chain(draft.tasks.iter().map(|task| (&task.name, "task"))) {
        plain(name, what, findings);
        if matches!(name.text.as_str(), "start" | "end") {
            let message = format!("`{}` is the name of the net's own condition", name.text);
            findings.error(Code::ReservedName, name.span, message, None);
        }
        if !seen.insert(&name.text) {
            let message = format!("`{}` is both a task and a condition", name.text);
            findings.error(Code::DuplicateName, name.span, message, None);
        }
    }
    for field in draft.tasks.iter().flat_map(|task| task.form.iter().flat_map(|(_, fields)| fields)) {
        identifier(&field.name, "field", findings);
    }
    draft.variables.sort_by(|left, right| left.name.text.cmp(&right.name.text));
    draft.roles.sort_by(|left, right| left.name.text.cmp(&right.name.text));
    draft.conditions.sort_by(|left, right| left.name.text.cmp(&right.name.text));
    draft.tasks.sort_by(|left, right| left.name.text.cmp(&right.name.text));
    for task in &mut draft.tasks {
        task.output.sort_by(|left, right| left.0.text.cmp(&right.0.text));
        if let Some((_, form)) = &mut task.form {
            form.sort_by(|left, right| left.name.text.cmp(&right.name.text));
        }
    }
}

/// `[a-z0-9][a-z0-9_-]*`
fn plain(name: &Name, what: &str, findings: &mut Findings<'_>) {
    let text = name.text.as_str();
    if text.is_empty() && name.span.end == 0 {
        // Reported as missing.
        return;
    }
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let first = text.bytes().next().is_some_and(good);
    if !first || !text.bytes().all(|byte| good(byte) || byte == b'-' || byte == b'_') || text.len() > NAME_BYTES_MAX {
        let message = format!("`{text}` is not the name of a {what}");
        let hint = format!(
            "small letters, digits, `-` and `_`, at most {NAME_BYTES_MAX}, beginning with a letter or a digit; use `title` for people"
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

/// What names stand for.
pub(crate) struct Tables<'d> {
    tasks: BTreeMap<&'d str, TaskIx>,
    roles: BTreeMap<&'d str, RoleIx>,
    conditions: BTreeMap<&'d str, usize>,
    /// In the order of the ordinals.
    pub(super) variables: Vec<(&'d str, ValueKind)>,
}

/// The nearest known name, while somebody still reads the findings: in a hostile file, looking for it takes long.
pub(super) fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>, findings: &Findings<'_>) -> Option<&'a str> {
    if findings.is_full() { None } else { nearest(name, known) }
}

/// What a flow may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    End,
    /// An explicit condition: its place among them.
    Condition(usize),
    Task(TaskIx),
}

impl<'d> Tables<'d> {
    pub(super) fn of(draft: &'d Draft) -> Self {
        Self {
            tasks: draft.tasks.iter().enumerate().map(|(at, task)| (task.name.text.as_str(), TaskIx::of(at))).collect(),
            roles: draft.roles.iter().enumerate().map(|(at, role)| (role.name.text.as_str(), RoleIx::of(at))).collect(),
            conditions: draft
                .conditions
                .iter()
                .enumerate()
                .map(|(at, condition)| (condition.name.text.as_str(), at))
                .collect(),
            variables: draft.variables.iter().map(|variable| (variable.name.text.as_str(), variable.kind)).collect(),
        }
    }

    pub(super) fn variable(&self, name: &Name, findings: &mut Findings<'_>) -> Option<VariableIx> {
        let known = self.variables.binary_search_by(|(variable, _)| variable.cmp(&name.text.as_str()));
        if known.is_err() {
            let hint = near(&name.text, self.variables.iter().map(|(variable, _)| *variable), findings)
                .map(did_you_mean)
                .or_else(|| Some("declare it under `data:`".to_owned()));
            findings.error(
                Code::UnknownVariable,
                name.span,
                format!("there is no case variable `{}`", name.text),
                hint,
            );
        }
        known.ok().map(VariableIx::of)
    }

    pub(super) fn role(&self, name: &Name, findings: &mut Findings<'_>) -> Option<RoleIx> {
        let known = self.roles.get(name.text.as_str());
        if known.is_none() {
            let hint = near(&name.text, self.roles.keys().copied(), findings)
                .map(did_you_mean)
                .or_else(|| Some("declare it under `roles:`".to_owned()));
            findings.error(Code::UnknownRole, name.span, format!("there is no role `{}`", name.text), hint);
        }
        known.copied()
    }

    /// The task of that name, for `start`, conditions, `separate_from` and `play`.
    pub(super) fn task(&self, name: &Name, findings: &mut Findings<'_>) -> Option<TaskIx> {
        let text = name.text.as_str();
        if let Some(task) = self.tasks.get(text) {
            return Some(*task);
        }
        if matches!(text, "start" | "end") || self.conditions.contains_key(text) {
            let message = format!("`{text}` is a condition; a task is needed here");
            findings.error(Code::BadFlow, name.span, message, None);
            return None;
        }
        let near = near(text, self.tasks.keys().copied(), findings);
        let hint = near.map(did_you_mean);
        findings.error(Code::UnknownNode, name.span, format!("there is no task `{text}`"), hint);
        near.and_then(|near| self.tasks.get(near).copied())
    }

    /// What a task's flow leads to. After a slip of the pen, what was probably meant: so that one mistake is reported once.
    pub(super) fn target(&self, name: &Name, findings: &mut Findings<'_>) -> Option<Target> {
        let text = name.text.as_str();
        if text == "start" {
            let hint = Some("lead to the first task instead; it then has two incoming flows".to_owned());
            findings.error(Code::BadFlow, name.span, "no flow leads to `start`", hint);
            return None;
        }
        if let Some(target) = self.lookup(text) {
            return Some(target);
        }
        let known = self.tasks.keys().chain(self.conditions.keys()).copied().chain(["end"]);
        let near = near(text, known, findings);
        let hint = near.map(did_you_mean);
        findings.error(Code::UnknownNode, name.span, format!("there is no task or condition `{text}`"), hint);
        near.and_then(|near| self.lookup(near))
    }

    fn lookup(&self, text: &str) -> Option<Target> {
        if text == "end" {
            return Some(Target::End);
        }
        let task = self.tasks.get(text).map(|task| Target::Task(*task));
        task.or_else(|| self.conditions.get(text).map(|condition| Target::Condition(*condition)))
    }
}

/// Roles that nobody needs are mostly slips of the pen.
pub(super) fn check_used(draft: &Draft, findings: &mut Findings<'_>) {
    let used: HashSet<&str> =
        draft.tasks.iter().filter_map(|task| task.role.as_ref()).map(|role| role.text.as_str()).collect();
    for role in &draft.roles {
        if !used.contains(role.name.text.as_str()) {
            let message = format!("no task needs the role `{}`", role.name.text);
            findings.warning(Code::Unused, role.name.span, message, None);
        }
    }
}
