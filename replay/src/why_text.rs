//! Why somebody got work, for people and for programs.

use std::fmt;

use actum_model::Time;
use serde_json::{Value as Json, json};

use crate::Why;

/// Most names that are written out on a line; of more, the number is said.
const NAMES_MAX: usize = 20;

impl Why {
    /// The decision as JSON; the keys are listed in this room's README.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let rules = self.rules.iter().map(|(rule, removed)| json!({ "rule": rule, "removed": removed }));
        let scores = self.scores.iter().map(|(actor, score)| json!({ "actor": actor, "score": score }));
        json!({
            "case": self.case.0,
            "seq": self.asked.0,
            "decided": self.decided.0,
            "time": self.time.to_string(),
            "item": self.item.0,
            "task": self.task,
            "directory": self.directory.0,
            "strategy": self.strategy,
            "seed": self.seed,
            "considered": self.considered,
            "rules": rules.collect::<Vec<_>>(),
            "candidates": self.candidates,
            "scores": scores.collect::<Vec<_>>(),
            "chosen": self.chosen,
            "because": self.because(),
        })
    }

    /// Why this one, in a sentence.
    #[must_use]
    pub fn because(&self) -> String {
        let Some(chosen) = &self.chosen else {
            return match (self.strategy.as_str(), self.candidates.is_empty()) {
                (_, true) => "nobody was left".to_owned(),
                ("offer", false) => "offered to all who were left; the first who takes it has it".to_owned(),
                _ => "the strategy chose nobody".to_owned(),
            };
        };
        let reason = match self.strategy.as_str() {
            "round-robin-time" => "was given this task the longest ago, or never",
            "round-robin-frequency" => "was given this task the fewest times",
            "round-robin-experience" => "has the least practice in this task",
            "shortest-queue" => "has the fewest items that are not begun",
            "least-loaded" => "has the fewest items in all",
            "cheapest" => "costs least",
            "fastest" => "works fastest",
            "least-risk" => "goes wrong least",
            "calendar" => "is on duty the longest, or comes on duty first",
            "random" => "was drawn by lot, from the seed",
            "pile" => "asked for all work of this task",
            "escalation" => "is above, and has the fewest items in all",
            own => return format!("{chosen} was chosen by the strategy {own}"),
        };
        let best = self.scores.iter().map(|(_, score)| *score).min();
        let tied = self.scores.iter().filter(|(_, score)| Some(*score) == best).count();
        let tie = if tied > 1 {
            format!("; {tied} are equal, and of them this task went to {chosen} the longest ago")
        } else {
            String::new()
        };
        format!("{chosen} {reason}{tie}")
    }

    /// A score as people read it.
    fn score(&self, score: i64) -> String {
        let milli = |score: i64| format!("{}.{:03}", score / 1_000, score % 1_000);
        match self.strategy.as_str() {
            "round-robin-time" if score == 0 => "never".to_owned(),
            "round-robin-time" => format!("event {score}"),
            "round-robin-experience" | "cheapest" | "least-risk" => milli(score),
            "fastest" => milli(score.saturating_neg()),
            "calendar" if score == i64::MIN + 1 => "always on duty".to_owned(),
            "calendar" if score == i64::MAX => "never on duty".to_owned(),
            "calendar" if score < 0 => format!("on duty until {}", Time(score.unsigned_abs())),
            "calendar" => format!("on duty from {}", Time(score.unsigned_abs())),
            _ => score.to_string(),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "case {}, item {} ({}): {}", self.case, self.item, self.task, self.because())?;
        writeln!(f, "  decided     event {} at {}, by {}", self.decided, self.time, self.strategy)?;
        writeln!(f, "  directory   as of event {}", self.directory)?;
        self.seed.iter().try_for_each(|seed| writeln!(f, "  seed        {seed}"))?;
        writeln!(f, "  considered  {}", list(&self.considered))?;
        for (rule, removed) in &self.rules {
            writeln!(f, "  rule        {rule}: took out {}", list(removed))?;
        }
        writeln!(f, "  left        {}", list(&self.candidates))?;
        for (actor, score) in self.scores.iter().take(NAMES_MAX) {
            writeln!(f, "  compared    {actor}: {}", self.score(*score))?;
        }
        writeln!(f, "  chosen      {}", self.chosen.as_deref().unwrap_or("nobody"))
    }
}

fn list(names: &[String]) -> String {
    match names.len() {
        0 => "nobody".to_owned(),
        count if count > NAMES_MAX => format!("{} and {} more", names[..NAMES_MAX].join(", "), count - NAMES_MAX),
        _ => names.join(", "),
    }
}
