//! Reads rules: YAML or JSON by the layer that reads nets, with every mistake and its place.

use actum_net::document::{Data, Findings, Key, Node, Span, Table, entries, parse, suggestion};
use actum_net::{Code, Diagnostic, NET_BYTES_MAX, PredicateError, Query, duration};

use super::rule::{Grouping, Pattern, RULES_MAX, Rule, RuleSet, Severity};
use super::template::{TEMPLATES, Template};
use super::vocabulary::{ENDS, KINDS, NAMES, is_of_case, is_of_task};

/// The JSON Schema (draft 2020-12) of a rules file, for editors.
pub const RULES_SCHEMA: &str = include_str!("../../rules.schema.json");

/// The version of the rule language that this crate reads.
const LANGUAGE_VERSION: i64 = 1;

/// Most patterns of a rule: a hit is a set of them.
const PATTERNS_MAX: usize = 16;

/// Most names that a pattern lists.
const LISTED_MAX: usize = 256;

/// Longest id, in bytes.
const ID_BYTES_MAX: usize = 64;

/// What work means when a pattern names a task and no kind: that it is done.
const DONE: &str = "WorkCompleted";

/// Reads rules, in YAML or JSON, of at most [`NET_BYTES_MAX`] bytes.
///
/// # Errors
/// All findings, in the order of the source.
pub fn rules(source: &str) -> Result<RuleSet, Vec<Diagnostic>> {
    let mut findings = Findings::new(source);
    if source.trim().is_empty() {
        let hint = "start with `actum: 1`, `audit: my-rules` and `rules:`".to_owned();
        findings.error(Code::Syntax, Span::default(), "the file is empty", Some(hint));
        return Err(findings.into_sorted());
    }
    if source.len() > NET_BYTES_MAX {
        let message = format!("the file has {} bytes; a rules file has at most {NET_BYTES_MAX}", source.len());
        findings.error(Code::TooLarge, Span::default(), message, None);
        return Err(findings.into_sorted());
    }
    let read = parse(&mut findings).and_then(|root| set(&root, &mut findings));
    match read {
        Some(read) if !findings.has_errors() => Ok(read),
        _ => Err(findings.into_sorted()),
    }
}

fn set(root: &Node, findings: &mut Findings<'_>) -> Option<RuleSet> {
    let mut table = Table::of(root, "the rules file", findings)?;
    match table.required("actum", findings) {
        Some((_, Node { data: Data::Int(LANGUAGE_VERSION), .. })) | None => {}
        Some((_, node)) => {
            let hint = format!("write `actum: {LANGUAGE_VERSION}`");
            findings.error(Code::UnknownVersion, node.span, "this version of the language is not known", Some(hint));
        }
    }
    let name = table.required("audit", findings).and_then(|(_, node)| text(node, findings)).unwrap_or_default();
    let (title, description) = (table.text("title", findings), table.text("description", findings));
    let listed = table.required("rules", findings).and_then(|(_, node)| Some((node.span, entries(node, findings)?)));
    table.finish(findings);
    let (span, listed) = listed?;
    if listed.is_empty() || listed.len() > RULES_MAX {
        let message = format!("there are {} rules; a file has 1 to {RULES_MAX}", listed.len());
        findings.error(Code::BadValue, span, message, None);
        return None;
    }
    let rules = listed.iter().filter_map(|(key, node)| rule(key, node, findings)).collect();
    Some(RuleSet { name, title, description, rules })
}

fn rule(key: &Key, node: &Node, findings: &mut Findings<'_>) -> Option<Rule> {
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_.".contains(letter);
    if key.text.is_empty() || key.text.len() > ID_BYTES_MAX || !key.text.chars().all(is_plain) {
        let hint = format!("lower-case letters, digits, `-`, `_` and `.`, at most {ID_BYTES_MAX}");
        findings.error(Code::BadName, key.span, format!("a rule cannot be called `{}`", key.text), Some(hint));
    }
    let mut table = Table::of(node, &format!("rule `{}`", key.text), findings)?;
    let (title, description) = (table.text("title", findings), table.text("description", findings));
    let severity = table.take("severity").and_then(|(_, node)| severity(node, findings)).unwrap_or_default();
    let nets = table.take("net").map(|(_, node)| texts(node, findings)).unwrap_or_default();
    let nets = nets.into_iter().map(|(name, _)| name).collect();
    let mut reader = Reader { findings, patterns: Vec::new(), at: key.span };
    let case = table.take("case").and_then(|(_, node)| reader.query(node, true));
    let each = table.take("each").map(|(key, node)| (key, reader.query(node, false)));
    let across = table.take("across").map(|(key, node)| (key, reader.query(node, false)));
    let released = table.take("released-by").map(|(_, node)| texts(node, reader.findings)).unwrap_or_default();
    let released_by = released.iter().filter_map(|(kind, span)| reader.one_of(kind, *span, &ENDS)).collect();
    let check = reader.template(&mut table);
    let grouping = match (each, across) {
        (Some(_), Some((key, _))) => {
            let message = "events are grouped by `each` within a case, or by `across` over all cases, not by both";
            reader.findings.error(Code::UnknownKey, key.span, message, None);
            None
        }
        (Some((_, query)), None) => query.map(Grouping::Each),
        (None, Some((_, query))) => query.map(Grouping::Across),
        (None, None) => Some(Grouping::Case),
    };
    table.finish(reader.findings);
    let (template, check) = check?;
    let grouping = grouping?;
    reader.fit(&grouping, &*check);
    let patterns = reader.patterns;
    let id = key.text.clone();
    Some(Rule { id, title, description, severity, nets, template, case, grouping, released_by, patterns, check })
}

fn severity(node: &Node, findings: &mut Findings<'_>) -> Option<Severity> {
    let name = text(node, findings)?;
    let found = Severity::ALL.into_iter().find(|severity| severity.name() == name);
    if found.is_none() {
        let hint = "write `low`, `medium`, `high` or `critical`".to_owned();
        findings.error(Code::BadValue, node.span, format!("there is no severity `{name}`"), Some(hint));
    }
    found
}

/// Reads the parts of a template, and keeps the patterns in the order in which they are asked for.
pub(super) struct Reader<'f, 's> {
    findings: &'f mut Findings<'s>,
    patterns: Vec<Pattern>,
    /// Where the rule, then its template, is named.
    at: Span,
}

impl Reader<'_, '_> {
    fn template(&mut self, table: &mut Table<'_>) -> Option<(&'static str, Box<dyn Template>)> {
        let mut found = None;
        for (name, read) in TEMPLATES {
            let Some((key, node)) = table.take(name) else { continue };
            if found.is_some() {
                let hint = Some("write two rules".to_owned());
                self.findings.error(Code::UnknownKey, key.span, "a rule is of one kind", hint);
                continue;
            }
            self.at = key.span;
            let Some(mut parts) = Table::of(node, &format!("`{name}`"), self.findings) else {
                found = Some(None);
                continue;
            };
            let check = read(&mut parts, self);
            parts.finish(self.findings);
            found = Some(Some((name, check)));
        }
        found.unwrap_or_else(|| {
            let kinds: Vec<&str> = TEMPLATES.iter().map(|(name, _)| *name).collect();
            let hint = Some(format!("write one of: {}", kinds.join(", ")));
            self.findings.error(Code::MissingKey, self.at, "the rule does not say what is demanded", hint);
            None
        })
    }

    /// Whether the events can be grouped so.
    fn fit(&mut self, grouping: &Grouping, check: &dyn Template) {
        if check.is_about_every_case() && !matches!(grouping, Grouping::Case) {
            let message = "this is demanded of whole cases; it cannot be grouped by `each` or `across`";
            self.findings.error(Code::BadValue, self.at, message, None);
        }
        let is_across = matches!(grouping, Grouping::Across(_));
        let kinds = self.patterns.iter().flat_map(|pattern| &pattern.kinds);
        if let Some(kind) = kinds.copied().find(|kind| !is_of_case(kind)).filter(|_| !is_across) {
            let hint = Some("group them over the whole log, such as `across: kind`".to_owned());
            self.findings.error(Code::BadValue, self.at, format!("events of kind {kind} belong to no case"), hint);
        }
    }

    /// A pattern that must be there.
    pub(super) fn pattern(&mut self, table: &mut Table<'_>, part: &'static str) {
        match table.required(part, self.findings) {
            Some((_, node)) => self.add(node, part),
            // The places of the others stay right.
            None => self.patterns.push(Pattern { part, kinds: Vec::new(), tasks: Vec::new(), when: None }),
        }
    }

    /// The place of a pattern, if it is there.
    pub(super) fn pattern_optional(&mut self, table: &mut Table<'_>, part: &'static str) -> Option<usize> {
        let (_, node) = table.take(part)?;
        self.add(node, part);
        Some(self.patterns.len() - 1)
    }

    /// A pattern; if it is not there, all work that is done.
    pub(super) fn pattern_or_work(&mut self, table: &mut Table<'_>, part: &'static str) {
        if self.pattern_optional(table, part).is_none() {
            self.patterns.push(Pattern { part, kinds: vec![DONE], tasks: Vec::new(), when: None });
        }
    }

    /// How many patterns there are under a key: a list, or one.
    pub(super) fn pattern_list(&mut self, table: &mut Table<'_>, part: &'static str) -> usize {
        match table.required(part, self.findings).map(|(_, node)| (node, &node.data)) {
            Some((node, Data::List(items))) if items.is_empty() || items.len() > PATTERNS_MAX => {
                let message = format!("there are {} patterns; a rule has 1 to {PATTERNS_MAX}", items.len());
                self.findings.error(Code::BadValue, node.span, message, None);
            }
            Some((_, Data::List(items))) => items.iter().for_each(|item| self.add(item, part)),
            Some((node, _)) => self.add(node, part),
            None => {}
        }
        self.patterns.len()
    }

    fn add(&mut self, node: &Node, part: &'static str) {
        let pattern = match &node.data {
            Data::Text(task) => Some(Pattern { part, kinds: vec![DONE], tasks: vec![task.clone()], when: None }),
            Data::List(_) => {
                let tasks = texts(node, self.findings).into_iter().map(|(task, _)| task).collect();
                Some(Pattern { part, kinds: vec![DONE], tasks, when: None })
            }
            Data::Map(_) => self.full_pattern(node, part),
            other => {
                let hint = "name a task, or write `{ kind: …, task: …, when: … }`".to_owned();
                let message = format!("expected events, found {}", other.describe());
                self.findings.error(Code::WrongType, node.span, message, Some(hint));
                None
            }
        };
        let none = Pattern { part, kinds: Vec::new(), tasks: Vec::new(), when: None };
        self.patterns.push(pattern.unwrap_or(none));
    }

    fn full_pattern(&mut self, node: &Node, part: &'static str) -> Option<Pattern> {
        let mut table = Table::of(node, &format!("`{part}`"), self.findings)?;
        let kinds = table.take("kind").map(|(_, node)| texts(node, self.findings));
        let tasks = table.take("task").map(|(_, node)| texts(node, self.findings));
        let when = table.take("when").map(|(_, node)| self.query(node, true));
        table.finish(self.findings);
        if kinds.is_none() && tasks.is_none() && when.is_none() {
            let hint = Some("name a `kind`, a `task`, or a condition `when`".to_owned());
            self.findings.error(Code::MissingKey, node.span, "this means every event", hint);
        }
        let mut known = Vec::new();
        for (kind, span) in kinds.iter().flatten() {
            let Some(kind) = self.one_of(kind, *span, KINDS) else { continue };
            if tasks.is_some() && !is_of_task(kind) {
                let message = format!("events of kind {kind} are about no work item, so that `task` never fits");
                self.findings.error(Code::BadValue, *span, message, None);
            }
            known.push(kind);
        }
        if kinds.is_none() && tasks.is_some() {
            known.push(DONE);
        }
        let tasks = tasks.into_iter().flatten().map(|(task, _)| task).collect();
        Some(Pattern { part, kinds: known, tasks, when: when.flatten() })
    }

    fn one_of(&mut self, word: &str, span: Span, known: &[&'static str]) -> Option<&'static str> {
        let found = known.iter().find(|known| **known == word).copied();
        if found.is_none() {
            let hint = suggestion(word, known.iter().copied());
            let hint = hint.or_else(|| (known.len() < 8).then(|| format!("there are: {}", known.join(", "))));
            let hint = hint.or_else(|| Some("`actum log -o json` shows the kinds that a log has".to_owned()));
            self.findings.error(Code::BadValue, span, format!("there is no kind of event `{word}`"), hint);
        }
        found
    }

    /// Nanoseconds of an ISO 8601 duration.
    pub(super) fn duration(&mut self, table: &mut Table<'_>, key: &'static str) -> Option<u64> {
        let (_, node) = table.take(key)?;
        let text = text(node, self.findings)?;
        let found = duration(&text);
        if found.is_none() {
            let hint = "write an ISO 8601 duration: `PT30M`, `P2DT12H`, `P1W`".to_owned();
            self.findings.error(Code::BadTime, node.span, format!("`{text}` is not a duration"), Some(hint));
        }
        found
    }

    /// A number from 0 to `most`.
    pub(super) fn count(&mut self, table: &mut Table<'_>, key: &'static str, most: u32) -> Option<u32> {
        let (_, node) = table.take(key)?;
        let Data::Int(number) = node.data else {
            let message = format!("expected an integer, found {}", node.data.describe());
            self.findings.error(Code::WrongType, node.span, message, None);
            return None;
        };
        let found = u32::try_from(number).ok().filter(|number| *number <= most);
        if found.is_none() {
            self.findings.error(Code::BadValue, node.span, format!("`{key}` lies between 0 and {most}"), None);
        }
        found
    }

    /// An expression of any type.
    pub(super) fn expression(&mut self, table: &mut Table<'_>, key: &'static str) -> Option<Query> {
        let (_, node) = table.take(key)?;
        self.query(node, false)
    }

    /// Two parts that cannot both be.
    pub(super) fn contradiction(&mut self, table: &mut Table<'_>, key: &'static str, what: &str) {
        let span = table.take(key).map_or(self.at, |(_, node)| node.span);
        self.findings.error(Code::BadValue, span, format!("`{key}` {what}"), None);
    }

    pub(super) fn missing(&mut self, _: &Table<'_>, what: &str, hint: &str) {
        self.findings.error(Code::MissingKey, self.at, format!("there is no {what}"), Some(hint.to_owned()));
    }

    fn query(&mut self, node: &Node, is_condition: bool) -> Option<Query> {
        let text = match &node.data {
            // `when: true`, `across: 1` and the like mean themselves.
            Data::Bool(truth) => truth.to_string(),
            Data::Int(number) => number.to_string(),
            _ => text(node, self.findings)?,
        };
        let compiled = if is_condition { Query::condition(&text, &NAMES) } else { Query::value(&text, &NAMES) };
        compiled.map_err(|mistakes| mistakes.into_iter().for_each(|one| self.mistake(node.span, &text, one))).ok()
    }

    /// A mistake in an expression, at its place if the source has the expression as it is.
    fn mistake(&mut self, span: Span, text: &str, mistake: PredicateError) {
        let written = self.findings.source().get(span.start..span.end).unwrap_or_default();
        let at = written.find(text).map(|begin| span.start + begin + mistake.at);
        let place = at.map_or(span, |at| Span { start: at, end: span.end.max(at) });
        self.findings.error(mistake.code, place, mistake.message, mistake.hint);
    }
}

fn text(node: &Node, findings: &mut Findings<'_>) -> Option<String> {
    if let Data::Text(text) = &node.data {
        return Some(text.clone());
    }
    let message = format!("expected text, found {}", node.data.describe());
    findings.error(Code::WrongType, node.span, message, Some("put quotes around it".to_owned()));
    None
}

/// One text, or a list of them, each with its place.
fn texts(node: &Node, findings: &mut Findings<'_>) -> Vec<(String, Span)> {
    match &node.data {
        Data::List(items) if items.is_empty() || items.len() > LISTED_MAX => {
            let message = format!("the list has {} entries; it may have 1 to {LISTED_MAX}", items.len());
            findings.error(Code::BadValue, node.span, message, None);
            Vec::new()
        }
        Data::List(items) => items.iter().filter_map(|item| Some((text(item, findings)?, item.span))).collect(),
        _ => text(node, findings).map(|text| (text, node.span)).into_iter().collect(),
    }
}
