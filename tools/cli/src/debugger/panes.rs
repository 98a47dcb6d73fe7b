//! Data, work and events as lines.

use actum_model::{FrameId, Phase, Value, json};
use actum_replay::LoggedEvent;
use ratatui::text::{Line, Span};

use super::model::Model;
use super::theme::Theme;

/// Characters of a value that are shown.
const VALUE_CHARS_MAX: usize = 400;

/// Variables, those of running subnets too, then live work. What the newest event changed has its value before.
pub(super) fn data(model: &Model<'_>, theme: Theme) -> Vec<Line<'static>> {
    let mut lines = variables(model, theme);
    if lines.is_empty() {
        lines.push(Line::styled("no variable is set", theme.quiet()));
    }
    let items = &model.view.case.control.items;
    if !items.is_empty() {
        lines.push(Line::from(""));
    }
    lines.extend(items.iter().map(|item| work(model, item, theme)));
    lines
}

fn variables(model: &Model<'_>, theme: Theme) -> Vec<Line<'static>> {
    let view = &model.view;
    let frames = std::iter::once(FrameId::ROOT).chain(view.case.control.frames().iter().map(|frame| frame.id));
    let mut lines = Vec::new();
    for frame in frames {
        for (variable, value) in view.case.variables_of(frame) {
            let name = view.net.as_ref().and_then(|net| net.variables.get(variable.index()));
            let name = name.map_or_else(|| format!("#{variable}"), |variable| variable.name.clone());
            let name = if frame == FrameId::ROOT { name } else { format!("{frame}:{name}") };
            let change = model.change.variables.iter().find(|change| change.name == name);
            lines.push(match change {
                Some(change) => {
                    let before = change.before.as_ref().map_or_else(|| "not set".to_owned(), plain);
                    let text = format!("* {name} = {}", plain(value));
                    Line::from(vec![
                        Span::styled(text, theme.changed()),
                        Span::styled(format!("  (was {before})"), theme.quiet()),
                    ])
                }
                None => Line::from(format!("  {name} = {}", plain(value))),
            });
        }
    }
    lines
}

fn work(model: &Model<'_>, item: &actum_model::WorkItemState, theme: Theme) -> Line<'static> {
    let view = &model.view;
    let task = view.net.as_ref().map_or_else(|| format!("#{}", item.task), |net| net.task_label(item.task));
    let who = match (item.resource, item.role) {
        (Some(actor), _) => format!(" {}", view.names.actor(actor)),
        (None, Some(role)) if item.phase == Phase::Offered => {
            let role = view.net.as_ref().and_then(|net| net.roles.get(role.index()));
            role.map_or_else(String::new, |role| format!(" to {}", role.name))
        }
        (None, _) => String::new(),
    };
    let changed =
        model.change.items.iter().any(|change| change.after.as_ref().is_some_and(|face| face.item == item.id));
    let style = match item.phase {
        Phase::Failed => theme.failed(),
        _ if changed => theme.changed(),
        Phase::Started => theme.running(),
        _ => theme.marked(),
    };
    let sign = if changed { '*' } else { ' ' };
    let until = item.timer.map_or_else(String::new, |time| format!(" until {time}"));
    Line::styled(format!("{sign} #{} {task} {}{who}{until}", item.id, item.phase.name()), style)
}

/// The events around the cursor, and which of these lines it is on.
pub(super) fn events(model: &Model<'_>, theme: Theme, height: usize) -> Vec<Line<'static>> {
    let here = model.cursor.count().saturating_sub(1);
    // The place that is looked at stays in the middle, except at both ends.
    let last = model.story.len().saturating_sub(height);
    let first = here.saturating_sub(height / 2).min(last);
    let shown = model.story.events().iter().enumerate().skip(first).take(height);
    shown
        .map(|(index, event)| {
            let text = line(model, event);
            match index {
                index if index == here => Line::styled(format!("▶ {text}"), Theme::here()),
                index if index > here => Line::styled(format!("  {text}"), theme.quiet()),
                _ => Line::from(format!("  {text}")),
            }
        })
        .collect()
}

fn line(model: &Model<'_>, event: &LoggedEvent) -> String {
    let work = event.of_case().and_then(|(_, event)| event.work()).map(|(item, _)| item);
    let task = model.task_of(event).unwrap_or_default();
    let work = work.map_or_else(String::new, |item| format!(" #{item} {task}"));
    let actor = model.story.actor(event.meta.actor);
    format!("{:>6} v{:<4} {:<15}{work}  {actor}", event.meta.seq.0, event.meta.version, event.kind())
}

/// A value on one line.
pub(super) fn plain(value: &Value) -> String {
    let text = match value {
        Value::Decimal(decimal) => decimal.to_string(),
        Value::Time(time) => time.to_string(),
        other => json::to_json(other).to_string(),
    };
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
