//! The report as one HTML file: no server, no network, nothing loaded from anywhere. Its policy (CSP) allows this style and this
//! script by their hashes, and nothing else, so that even a mistake in escaping would not run.

use std::fmt::Write as _;

use actum_replay::rules::{Cited, Report, RuleReport, Violation};
use actum_verify::{Clock, PartitionVerdict, Verdict};
use sha2::{Digest as _, Sha256};

use super::html::{apart, escape};
use super::proofs::Proofs;
use super::text::{by_gravity, group, sums};
use super::{base64, unit, verifier_key};
use crate::number::{counted, grouped};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// What the page is made of.
pub(crate) struct Page<'p> {
    pub(crate) report: &'p Report,
    pub(crate) verdict: &'p Verdict,
    /// Of the log, as the user named it.
    pub(crate) place: &'p str,
    pub(crate) proofs: &'p Proofs,
    /// Text of the rules.
    pub(crate) rules: &'p str,
}

/// The page. The same log, rules and options give the same bytes.
pub(crate) fn page(page: &Page<'_>) -> String {
    let mut out = Html(String::new());
    let report = page.report;
    let title = escape(report.title.as_deref().unwrap_or(&report.name));
    let allowed = |text: &str| format!("'sha256-{}'", base64(&Sha256::digest(text)));
    out.line("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">");
    out.line(&format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {}; script-src {}; base-uri 'none'; \
         form-action 'none'\">",
        allowed(STYLE),
        allowed(SCRIPT)
    ));
    out.line("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    out.line("<meta name=\"referrer\" content=\"no-referrer\">");
    out.line(&format!("<title>{title}: audit</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>"));
    out.head(page, &title);
    out.line("<h2 id=\"rules\">Rules</h2>");
    out.line(
        "<div class=\"search\" id=\"search\" hidden><input type=\"search\" aria-label=\"Search rules and breaches\" \
         placeholder=\"Search rules, cases, people, tasks\"> <output class=\"soft\"></output></div>",
    );
    let rules = by_gravity(report);
    out.summary(&rules);
    rules.iter().for_each(|rule| out.rule(rule, page.proofs));
    out.verification(page);
    out.line("</main>");
    out.line(&format!("<script>{SCRIPT}</script>\n</body>\n</html>"));
    out.0
}

struct Html(String);

impl Html {
    /// Markup; what is not the program's own was escaped.
    fn line(&mut self, markup: &str) {
        self.0 += markup;
        self.0.push('\n');
    }

    /// A name and a value that is markup.
    fn fact(&mut self, name: &str, value: &str) {
        self.line(&format!("<dt>{name}</dt><dd>{value}</dd>"));
    }

    fn head(&mut self, page: &Page<'_>, title: &str) {
        let Page { report, verdict, place, .. } = page;
        self.line(&format!("<p class=\"soft\">Compliance audit</p>\n<h1>{title}</h1>"));
        if let Some(description) = &report.description {
            self.line(&format!("<p>{}</p>", escape(description)));
        }
        let outcome = report.outcome().name();
        self.line(&format!("<p class=\"verdict {outcome}\">{outcome}. {}</p>", sums(report)));
        self.line("<dl>");
        self.fact("Log", &format!("{} <span class=\"soft\">({})</span>", apart(&verdict.origin), escape(place)));
        self.fact("Verified", &escape(&format!("rests on {}", verdict.anchors)));
        for partition in &verdict.partitions {
            let of = if verdict.partitions.len() > 1 {
                format!(" in partition {}", partition.partition)
            } else {
                String::new()
            };
            let size = grouped(partition.size);
            self.fact("Complete", &format!("to {size} events{of}; nothing after that can be excluded"));
            if partition.unacknowledged_blocks > 0 {
                let blocks = counted(partition.unacknowledged_blocks, "block");
                self.fact("Tail", &format!("the last {blocks} were never acknowledged to anybody"));
            }
        }
        if verdict.clock == Clock::Simulated {
            self.fact("Time", "simulated: the events did not happen when they say");
        }
        self.fact("As of", &format!("{}, the newest event", escape(&report.as_of.to_string())));
        let open = counted(report.open_cases, "case");
        self.fact("Cases", &format!("{}, of which {open} had not ended", grouped(report.cases)));
        self.fact("Events", &grouped(report.events));
        self.fact("Rules", &format!("<code>{}</code>, {}", escape(&report.name), report.rules.len()));
        self.line("</dl>");
    }

    fn summary(&mut self, rules: &[&RuleReport]) {
        self.line("<table>\n<thead><tr><th>Outcome</th><th>Severity</th><th>Rule</th>");
        for count in ["Violated", "Pending", "Satisfied", "Vacuous"] {
            self.line(&format!("<th class=\"number\">{count}</th>"));
        }
        self.line("</tr></thead>\n<tbody>");
        for rule in rules {
            let (outcome, id) = (rule.outcome().name(), escape(&rule.id));
            let title = rule.title.as_deref().map_or(String::new(), |title| format!("<br>{}", escape(title)));
            self.line(&format!(
                "<tr data-find><td data-label=\"Outcome\"><span class=\"badge {outcome}\">{outcome}</span></td>\
                 <td data-label=\"Severity\">{}</td><td data-label=\"Rule\"><span><a href=\"#rule-{id}\">{id}</a>{title}</span></td>",
                rule.severity.name()
            ));
            let counts = [
                ("Violated", rule.violated),
                ("Pending", rule.pending),
                ("Satisfied", rule.satisfied),
                ("Vacuous", rule.vacuous),
            ];
            for (name, count) in counts {
                self.line(&format!("<td class=\"number\" data-label=\"{name}\">{}</td>", grouped(count)));
            }
            self.line("</tr>");
        }
        self.line("</tbody>\n</table>");
        self.line(
            "<p class=\"soft\">Violated: broken by at least one group. Undecided: a condition failed, or a limit was reached. Pending: \
             something is owed, and there is still time for it. Vacuous: nothing happened that the rule is about. The counts are of \
             cases, unless a rule says otherwise.</p>",
        );
    }

    fn rule(&mut self, rule: &RuleReport, proofs: &Proofs) {
        let (outcome, id) = (rule.outcome().name(), escape(&rule.id));
        self.line(&format!("<section class=\"rule\" id=\"rule-{id}\">\n<div class=\"head\">"));
        self.line(&format!("<span class=\"badge {outcome}\">{outcome}</span><h3>{id}</h3>"));
        self.line(&format!("<span class=\"soft\">{}, {} severity</span>\n</div>", rule.template, rule.severity.name()));
        for text in rule.title.iter().chain(&rule.description) {
            self.line(&format!("<p>{}</p>", escape(text)));
        }
        let RuleReport { satisfied, violated, pending, vacuous, .. } = rule;
        self.line(&format!(
            "<p class=\"soft\">{}: {} violated, {} pending, {} satisfied, {} vacuous. Events that its parts mean: {}.</p>",
            unit(rule.grouping),
            grouped(*violated),
            grouped(*pending),
            grouped(*satisfied),
            grouped(*vacuous),
            rule.matched.iter().map(|(part, count)| format!("{part} {}", grouped(*count))).collect::<Vec<_>>().join(", ")
        ));
        rule.notes.iter().for_each(|note| self.line(&format!("<p class=\"note\">{}</p>", escape(note))));
        if let Some(limit) = &rule.limit {
            self.line(&format!("<p class=\"note\">Not judged to the end: {}</p>", escape(limit)));
        }
        if rule.faults > 0 {
            self.line(&format!("<p class=\"note\">A condition failed {} times:</p>\n<ul>", grouped(rule.faults)));
            for one in &rule.failed {
                let seq = one.seq.map_or(String::new(), |seq| format!("event {seq}: "));
                self.line(&format!("<li>{seq}{}</li>", escape(one.why.as_deref().unwrap_or_default())));
            }
            self.line("</ul>");
        }
        rule.listed.iter().for_each(|violation| self.violation(violation, proofs));
        let listed = rule.listed.len() as u64;
        if rule.violations > listed {
            let more = grouped(rule.violations - listed);
            self.line(&format!("<p class=\"note\">{more} more breaches are counted and not listed.</p>"));
        }
        if !rule.owing.is_empty() {
            let owing = rule.owing.iter().map(|one| apart(&group(one.case, one.key.as_deref(), one.group.as_ref())));
            let more = if rule.pending > rule.owing.len() as u64 { ", …" } else { "" };
            self.line(&format!("<p>Owing: {}{more}</p>", owing.collect::<Vec<_>>().join(", ")));
        }
        self.line("</section>");
    }

    fn violation(&mut self, violation: &Violation, proofs: &Proofs) {
        let name = group(violation.case, violation.key.as_deref(), violation.group.as_ref());
        self.line("<div class=\"breach\" data-find>");
        self.line(&format!("<p>{}: {}</p>", apart(&name), escape(&violation.why)));
        self.line("<table>\n<thead><tr><th>Part</th><th>Event</th><th>Case</th><th>What</th><th>By</th><th>Time</th>");
        self.line("<th>Proof</th></tr></thead>\n<tbody>");
        violation.events.iter().for_each(|event| self.event(event, proofs));
        self.line("</tbody>\n</table>\n</div>");
    }

    fn event(&mut self, event: &Cited, proofs: &Proofs) {
        let case = event.case.map_or(String::new(), |case| format!("{case}@v{}", event.version));
        let task = event.task.as_deref().map_or(String::new(), |task| format!(" {}", apart(task)));
        let place = place(event.partition, event.seq);
        let proof = match proofs.of(event.partition, event.seq) {
            Some(_) => format!("<a href=\"#proof-{place}\">proof</a>"),
            None => "–".to_owned(),
        };
        self.line(&format!(
            "<tr><td data-label=\"Part\">{}</td><td data-label=\"Event\" class=\"seq\">{place}</td>\
             <td data-label=\"Case\" class=\"seq\">{case}</td><td data-label=\"What\"><span>{}{task}</span></td>\
             <td data-label=\"By\">{}</td><td data-label=\"Time\" class=\"time\">{}</td><td data-label=\"Proof\">{proof}</td></tr>",
            event.part,
            event.kind,
            apart(&event.actor),
            escape(&event.time.to_string())
        ));
    }

    fn verification(&mut self, page: &Page<'_>) {
        let Page { verdict, proofs, rules, .. } = page;
        self.line("<h2 id=\"verify\">How to verify this again</h2>");
        self.line(
            "<p>Whoever made this page could have written anything into it. What cannot be made up are the seal and the proofs, if you \
             got the verifier key from somebody else than the maker of this page. With the log, the whole report can be made again:</p>",
        );
        let keys: Vec<(&PartitionVerdict, String)> =
            verdict.partitions.iter().map(|partition| (partition, verifier_key(verdict, partition))).collect();
        // Nothing of a log gets into a command that somebody copies.
        self.line(
            "<pre class=\"wrap\">actum audit --rules rules.yaml --key @log.vkey LOG.actum</pre>\n<p>Without the log, each proof shows that \
             its event is in the tree that the key signed:</p>\n<pre class=\"wrap\">actum verify-proof event-SEQ.tlog-proof --key \
             @log.vkey</pre>\n<p>Here <code>log.vkey</code> is a file with the key that you hold, and <code>rules.yaml</code> the rules at the \
             end of this page.</p>",
        );
        for (partition, key) in &keys {
            self.line("<dl>");
            self.fact("Verifier key", &format!("<code>{}</code>", escape(key)));
            self.fact("Root", &format!("<code>{}</code>", base64(&partition.root)));
            self.line("</dl>");
            if let Some(seal) = &partition.seal {
                self.line("<p>Seal (a C2SP signed note). Keep it: a later log must continue it, <code>actum verify --since</code> says.</p>");
                self.line(&format!("<pre class=\"wrap\" id=\"seal-{}\">{}</pre>", partition.partition, escape(seal)));
            }
        }
        if proofs.len() > 0 {
            self.line("<h2 id=\"proofs\">Proofs</h2>");
            let count = counted(proofs.len() as u64, "event");
            self.line(&format!("<p>Of {count}, each a C2SP tlog-proof. Save one as a file, or copy its text.</p>"));
        }
        if proofs.left_out > 0 {
            let left = counted(proofs.left_out as u64, "event");
            self.line(&format!(
                "<p class=\"note\">{left} are named above without a proof; <code>--proofs N</code> makes more.</p>"
            ));
        }
        for (partition, seq, proof) in proofs.iter() {
            let place = place(partition, seq);
            self.line(&format!(
                "<details id=\"proof-{place}\"><summary>Event {place}</summary>\n<p class=\"keep\"><a \
                 download=\"event-{place}.tlog-proof\" href=\"data:text/plain;base64,{}\">Save as a file</a></p>",
                base64(proof.as_bytes())
            ));
            self.line(&format!("<pre class=\"proof\">{}</pre></details>", escape(proof)));
        }
        self.line("<h2 id=\"source\">The rules as they were written</h2>");
        self.line(&format!("<details><summary>Show</summary>\n<pre>{}</pre></details>", escape(rules)));
        let mut foot = String::new();
        // Writing to a string does not fail.
        write!(foot, "<p class=\"soft\">Made by actum {}.</p>", env!("CARGO_PKG_VERSION")).ok();
        self.line(&foot);
    }
}

/// The event's name: its position, with its partition if that is not the first.
fn place(partition: u16, seq: u64) -> String {
    if partition == 0 { seq.to_string() } else { format!("{partition}-{seq}") }
}
