//! Reads who may do a task: offer, allocation, start, filters, constraints, privileges.

use super::super::fields::{Fields, Text, leaf};
use super::super::spec::{Reference, Resourcing};
use crate::finding::{Code, Findings};
use crate::xml::Element;

/// YAWL's allocators, and the strategies of the same meaning.
const ALLOCATORS: [(&str, &str); 11] = [
    ("RandomChoice", "random"),
    ("RoundRobinByTime", "round-robin-time"),
    ("RoundRobinByAllocationTime", "round-robin-time"),
    ("RoundRobinByLeastFrequency", "round-robin-frequency"),
    ("RoundRobinByFrequency", "round-robin-frequency"),
    ("RoundRobinByExperience", "round-robin-experience"),
    ("ShortestQueue", "shortest-queue"),
    ("CheapestResource", "cheapest"),
    ("FastestResource", "fastest"),
    ("FastestToComplete", "fastest"),
    ("RiskAssessment", "least-risk"),
];

/// YAWL's privileges, and the operations that they allow.
const PRIVILEGES: [(&str, &str); 7] = [
    ("canSuspend", "suspend"),
    ("canReallocateStateless", "reallocate"),
    ("canReallocateStateful", "reallocate"),
    ("canDeallocate", "put-back"),
    ("canDelegate", "delegate"),
    ("canSkip", "skip"),
    ("canPile", "pile"),
];

pub(super) fn resourcing(element: &Element, findings: &mut Findings<'_>) -> Option<Resourcing> {
    let mut fields = Fields::of(element);
    let offer = fields.required("offer", findings);
    let allocate = fields.required("allocate", findings);
    let start = fields.required("start", findings);
    if let Some(secondary) = fields.one("secondary", findings) {
        refuse_filled(secondary, "further people or things that the work needs", None, findings);
    }
    let may = fields.one("privileges", findings).map(|element| privileges(element, findings)).unwrap_or_default();
    fields.finish(findings);
    let mut read = Resourcing {
        span: element.span,
        offered_by_system: false,
        allocated_by_system: false,
        started_by_system: false,
        participants: Vec::new(),
        roles: Vec::new(),
        positions: Vec::new(),
        groups: Vec::new(),
        capabilities: Vec::new(),
        separate_from: Vec::new(),
        same_as: None,
        allocator: None,
        may,
    };
    self::offer(offer?, &mut read, findings);
    self::allocate(allocate?, &mut read, findings);
    let start = start?;
    let mut fields = Fields::of(start);
    read.started_by_system = initiator(&mut fields, start, findings);
    fields.finish(findings);
    Some(read)
}

/// Editors write these elements even if there is nothing in them.
fn refuse_filled(element: &Element, why: &str, hint: Option<&str>, findings: &mut Findings<'_>) {
    if element.children.is_empty() {
        Fields::of(element).finish(findings);
    } else {
        findings.error(Code::NotSupported, element.span, format!("`{}`: {why}", element.name), hint);
    }
}

/// Whether the system does it.
fn initiator(fields: &mut Fields<'_>, element: &Element, findings: &mut Findings<'_>) -> bool {
    match fields.required_attribute("initiator", findings).map(str::trim) {
        None | Some("user") => false,
        Some("system") => true,
        Some(other) => {
            let message = format!("there is no initiator `{other}`");
            findings.error(Code::BadValue, element.span, message, Some("it is `user` or `system`"));
            false
        }
    }
}

fn offer(element: &Element, read: &mut Resourcing, findings: &mut Findings<'_>) {
    let mut fields = Fields::of(element);
    read.offered_by_system = initiator(&mut fields, element, findings);
    if let Some(familiar) = fields.one("familiarParticipant", findings) {
        let mut familiar_fields = Fields::of(familiar);
        read.same_as = familiar_fields
            .required_attribute("taskID", findings)
            .map(|id| Reference { id: id.trim().to_owned(), span: familiar.span });
        familiar_fields.finish(findings);
    }
    if let Some(set) = fields.one("distributionSet", findings) {
        distribution(set, read, findings);
    }
    fields.finish(findings);
}

fn distribution(element: &Element, read: &mut Resourcing, findings: &mut Findings<'_>) {
    let mut fields = Fields::of(element);
    if let Some(initial) = fields.one("initialSet", findings) {
        let mut initial_fields = Fields::of(initial);
        read.participants = texts(&mut initial_fields, "participant", findings);
        read.roles = texts(&mut initial_fields, "role", findings);
        initial_fields.refuse("param", "people or roles named in a variable", findings);
        initial_fields.finish(findings);
    }
    if let Some(filters) = fields.one("filters", findings) {
        let mut filters_fields = Fields::of(filters);
        for element in filters_fields.many("filter") {
            filter(element, read, findings);
        }
        filters_fields.finish(findings);
    }
    if let Some(constraints) = fields.one("constraints", findings) {
        let mut constraints_fields = Fields::of(constraints);
        for element in constraints_fields.many("constraint") {
            constraint(element, read, findings);
        }
        constraints_fields.finish(findings);
    }
    fields.finish(findings);
}

fn texts(fields: &mut Fields<'_>, name: &str, findings: &mut Findings<'_>) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    for element in fields.many(name) {
        let text = leaf(element, findings);
        if text.text.is_empty() {
            findings.error(Code::Missing, element.span, format!("`{name}` is empty"), None);
        } else if !list.contains(&text.text) {
            list.push(text.text);
        }
    }
    list
}

/// A name, and parameters by key.
fn selector(element: &Element, findings: &mut Findings<'_>) -> Option<(Text, Vec<(Text, Text)>)> {
    let mut fields = Fields::of(element);
    let name = fields.required_text("name", findings);
    let mut parameters = Vec::new();
    if let Some(list) = fields.one("params", findings) {
        let mut list_fields = Fields::of(list);
        for element in list_fields.many("param") {
            let mut fields = Fields::of(element);
            let key = fields.required_text("key", findings);
            let value = fields.text("value", findings);
            fields.finish(findings);
            parameters.extend(key.zip(value));
        }
        list_fields.finish(findings);
    }
    fields.finish(findings);
    // Java class names, with or without their package.
    let mut name = name?;
    name.text = name.text.rsplit('.').next().unwrap_or_default().to_owned();
    Some((name, parameters))
}

fn filter(element: &Element, read: &mut Resourcing, findings: &mut Findings<'_>) {
    let Some((name, parameters)) = selector(element, findings) else { return };
    for (key, value) in parameters {
        let to = match (name.text.as_str(), key.text.as_str()) {
            ("OrgFilter", "Position") => &mut read.positions,
            ("OrgFilter", "OrgGroup") => &mut read.groups,
            ("CapabilityFilter", "Capability") => &mut read.capabilities,
            _ => {
                let message = format!("the filter `{}` with `{}` is not understood", name.text, key.text);
                findings.error(Code::NotSupported, key.span, message, None);
                continue;
            }
        };
        if value.text.contains(['|', '&', '!', '(', '{', '$']) {
            let message = format!("`{}` is an expression; only one name is understood here", value.text);
            findings.error(Code::NotSupported, value.span, message, None);
        } else {
            to.push(value.text);
        }
    }
    if !matches!(name.text.as_str(), "OrgFilter" | "CapabilityFilter") {
        let message = format!("the filter `{}` is not understood", name.text);
        findings.error(Code::NotSupported, name.span, message, Some("known are `OrgFilter` and `CapabilityFilter`"));
    }
}

fn constraint(element: &Element, read: &mut Resourcing, findings: &mut Findings<'_>) {
    let Some((name, parameters)) = selector(element, findings) else { return };
    if name.text != "SeparationOfDuties" {
        let message = format!("the constraint `{}` is not understood", name.text);
        findings.error(Code::NotSupported, name.span, message, Some("known is `SeparationOfDuties`"));
        return;
    }
    for (key, value) in parameters {
        if key.text == "familiarTask" {
            read.separate_from.push(Reference { id: value.text, span: value.span });
        } else {
            let message = format!("`{}` of `SeparationOfDuties` is not understood", key.text);
            findings.error(Code::NotSupported, key.span, message, None);
        }
    }
}

fn allocate(element: &Element, read: &mut Resourcing, findings: &mut Findings<'_>) {
    let mut fields = Fields::of(element);
    read.allocated_by_system = initiator(&mut fields, element, findings);
    let allocator = fields.one("allocator", findings);
    fields.finish(findings);
    let Some((name, parameters)) = allocator.and_then(|element| selector(element, findings)) else { return };
    for (key, _) in parameters {
        let message = format!("`{}` of the allocator `{}` is not understood", key.text, name.text);
        findings.error(Code::NotSupported, key.span, message, None);
    }
    read.allocator = ALLOCATORS.iter().find(|(known, _)| *known == name.text).map(|(_, strategy)| *strategy);
    if read.allocator.is_none() {
        let message = format!("the allocator `{}` has no counterpart", name.text);
        findings.error(Code::NotSupported, name.span, message, None);
    }
}

fn privileges(element: &Element, findings: &mut Findings<'_>) -> Vec<&'static str> {
    let mut fields = Fields::of(element);
    let mut may = Vec::new();
    for element in fields.many("privilege") {
        let mut fields = Fields::of(element);
        let name = fields.required_text("name", findings);
        let all = fields.text("allowall", findings);
        if let Some(set) = fields.one("set", findings) {
            let why = "a privilege of some of those who may do the task";
            refuse_filled(set, why, Some("allow it for all of them"), findings);
        }
        fields.finish(findings);
        let Some(name) = name else { continue };
        match PRIVILEGES.iter().find(|(known, _)| *known == name.text) {
            None => {
                findings.error(Code::BadValue, name.span, format!("there is no privilege `{}`", name.text), None);
            }
            Some((_, operation)) if all.is_some_and(|all| matches!(all.text.as_str(), "true" | "1")) => {
                if !may.contains(operation) {
                    may.push(*operation);
                }
            }
            Some(_) => {}
        }
    }
    fields.finish(findings);
    may
}
