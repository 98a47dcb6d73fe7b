//! Who set a variable, for people and for programs.

use actum_model::{FrameId, json};
use serde_json::{Value as Json, json};

use super::Setting;
use crate::view_text::plain;

impl Setting {
    /// The setting as JSON; the keys are listed in `TIMELINE.md`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        json!({
            "seq": self.seq.0,
            "version": self.version,
            "time": self.time.to_string(),
            "kind": self.kind,
            "task": self.task,
            "frame": (self.frame != FrameId::ROOT).then_some(self.frame.0),
            "actor": self.actor,
            "on_behalf_of": self.on_behalf_of,
            "before": self.before.as_ref().map_or(Json::Null, json::to_json),
            "after": json::to_json(&self.after),
        })
    }

    /// The value before, and the value since, for people.
    fn values(&self) -> String {
        let before = self.before.as_ref().map_or_else(|| "not set".to_owned(), plain);
        let same = if self.before.as_ref() == Some(&self.after) { " (the same)" } else { "" };
        format!("{before} -> {}{same}", plain(&self.after))
    }
}

/// One line for each setting.
#[must_use]
pub fn settings_text(settings: &[Setting]) -> String {
    let rows: Vec<[String; 4]> = settings
        .iter()
        .map(|setting| {
            let who = match &setting.on_behalf_of {
                Some(other) => format!("{} for {other}", setting.actor),
                None => setting.actor.clone(),
            };
            let what = setting.task.clone().unwrap_or_else(|| setting.kind.to_owned());
            let frame =
                if setting.frame == FrameId::ROOT { String::new() } else { format!(" in frame {}", setting.frame) };
            [format!("{} @v{}", setting.seq, setting.version), setting.time.to_string(), who, what + &frame]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    let line = |(row, setting): (&[String; 4], &Setting)| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}  {}\n", cells.join("  "), setting.values())
    };
    rows.iter().zip(settings).map(line).collect()
}
