//! What might have been, for people and for programs.

use actum_model::{Value, json};
use serde_json::{Value as Json, json};

use super::{Stopped, WhatIf};
use crate::timeline::Story;
use crate::view_text::plain;
use crate::{LoggedEvent, json_of_case};

/// Events that are written out in text.
const LINES_MAX: usize = 200;

impl WhatIf {
    /// It as JSON; the keys are listed in `TIMELINE.md`.
    #[must_use]
    pub fn to_json(&self, story: &Story) -> Json {
        let value = |value: &Option<Value>| value.as_ref().map_or(Json::Null, json::to_json);
        let set = self.set.iter().map(
            |(name, before, after)| json!({ "variable": name, "before": value(before), "after": json::to_json(after) }),
        );
        let (stopped, waits) = match &self.stopped {
            Stopped::Ended => ("ended", &[][..]),
            Stopped::Waits(waits) => ("waits", waits.as_slice()),
            Stopped::Circles => ("circles", &[][..]),
        };
        let net = self.view.net.as_deref();
        let events = self.events.iter().map(|logged| {
            let mut json = json_of_case(logged, net, story.names());
            // A position that nothing was written at would mislead.
            json.as_object_mut().map(|keys| (keys.remove("seq"), keys.remove("cause")));
            json
        });
        let forked = &story.events()[self.fork - 1].meta;
        json!({
            "case": story.case().0,
            "key": story.key(),
            "fork": { "seq": forked.seq.0, "version": forked.version, "time": forked.time.to_string(), "moved": self.moved },
            "set": set.collect::<Vec<_>>(),
            "net": self.net.as_ref().map(|net| json!({ "net": net.name, "net_hash": net.hash.to_string() })),
            "events": events.collect::<Vec<_>>(),
            "same": self.same,
            "left_out": self.left_out,
            "stopped": stopped,
            "waits": waits,
            "difference": self.difference.to_json(),
        })
    }

    /// It as text; `line` writes an event.
    #[must_use]
    pub fn to_text(&self, story: &Story, line: &dyn Fn(&LoggedEvent, &Json) -> String) -> String {
        let forked = &story.events()[self.fork - 1].meta;
        let moved = if self.moved { ", the end of the decision that was asked about" } else { "" };
        let mut parts = vec![format!(
            "case {} forked after event {} (@v{}) at {}{moved}\n",
            story.case(),
            forked.seq,
            forked.version,
            forked.time
        )];
        parts.extend(self.set.iter().map(|(name, before, after)| {
            let before = before.as_ref().map_or_else(|| "not set".to_owned(), plain);
            format!("  {name} = {} (was {before})\n", plain(after))
        }));
        parts.extend(
            self.net
                .as_ref()
                .map(|net| format!("  net {} {} instead of {}\n", net.name, net.hash, story.state(self.fork).net)),
        );
        let was = story.events().get(self.fork..).unwrap_or_default();
        parts.push(match (self.same, was.len() == self.same && self.events.len() == self.same) {
            (_, true) => "everything goes as it did\n".to_owned(),
            (0, _) => "it goes another way at once\n".to_owned(),
            (1, _) => "the next event is as it was; then it goes another way\n".to_owned(),
            (same, _) => format!("the next {same} events are as they were; then it goes another way\n"),
        });
        parts.push(listed("what happened", was, self.same, |logged| {
            line(logged, &json_of_case(logged, story.net().map(|net| &**net), story.names()))
        }));
        parts.push(listed("what if", &self.events, self.same, |logged| {
            line(logged, &json_of_case(logged, self.view.net.as_deref(), story.names()))
        }));
        parts.push(match &self.stopped {
            Stopped::Ended => format!("the case is {} then\n", self.status().name()),
            Stopped::Circles => format!("it goes in circles; given up after {} events\n", self.events.len()),
            Stopped::Waits(waits) if waits.is_empty() => "nothing happens then\n".to_owned(),
            Stopped::Waits(waits) => {
                let waits: Vec<String> = waits.iter().map(|wait| format!("  {wait}\n")).collect();
                format!("it goes no further; what it waits for:\n{}", waits.concat())
            }
        });
        if !self.left_out.is_empty() {
            parts.push(format!("not asked for again: {}\n", self.left_out.join(", ")));
        }
        parts.push("\nthe end as it was, and as it would have been (its position is made up)\n".to_owned());
        parts.push(self.difference.to_string());
        parts.concat()
    }
}

fn listed(title: &str, events: &[LoggedEvent], same: usize, line: impl Fn(&LoggedEvent) -> String) -> String {
    let rest = events.get(same..).unwrap_or_default();
    if rest.is_empty() {
        return String::new();
    }
    let lines: String = rest.iter().take(LINES_MAX).map(|logged| format!("{}\n", line(logged))).collect();
    let more = rest.len().saturating_sub(LINES_MAX);
    let more = if more > 0 { format!("  and {more} more\n") } else { String::new() };
    format!("{title}\n{lines}{more}")
}
