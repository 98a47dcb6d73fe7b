//! What a wish does to the model.

use actum_replay::At;
use actum_replay::timeline::Cursor;

use super::Breakpoint;
use super::key::Wish;
use super::model::{BREAKPOINTS_MAX, INPUT_CHARS_MAX, Model, Pane, Prompt, Quit};

/// Does what is wanted. Total: no wish fails, and what is not possible is said in the model's message.
pub(super) fn update(model: &mut Model<'_>, wish: Wish) {
    if wish == Wish::Interrupt {
        model.quit = Some(Quit::Interrupted);
        return;
    }
    if let Some(prompt) = model.prompt {
        typed(model, prompt, wish);
        return;
    }
    if model.help {
        model.help = !matches!(wish, Wish::Help | Wish::Leave | Wish::Quit | Wish::Enter);
        return;
    }
    model.message = None;
    let here = model.cursor.count();
    match wish {
        Wish::Forward => step(model, here + 1),
        Wish::Back => step(model, here.saturating_sub(1)),
        Wish::Down | Wish::PageDown | Wish::Up | Wish::PageUp => turn(model, wish),
        Wish::First => model.go(1),
        Wish::Last => model.go(model.story.len()),
        Wish::NextPane => turn_pane(model, 1),
        Wish::PreviousPane => turn_pane(model, Pane::ALL.len() - 1),
        Wish::Search => ask(model, Prompt::Search),
        Wish::Breakpoint => ask(model, Prompt::Breakpoint),
        Wish::Goto => ask(model, Prompt::Goto),
        Wish::NextMatch => search(model, true),
        Wish::PreviousMatch => search(model, false),
        Wish::ClearBreakpoints => {
            model.breakpoints.clear();
            model.message = Some("no breakpoints any more".to_owned());
        }
        Wish::Continue => go_on(model, true),
        Wish::ContinueBack => go_on(model, false),
        Wish::Help => model.help = true,
        Wish::Quit => model.quit = Some(Quit::Asked),
        _ => {}
    }
}

fn step(model: &mut Model<'_>, to: usize) {
    if to == 0 || to > model.story.len() {
        model.message = Some(if to == 0 { "this is the first event" } else { "this is the last event" }.to_owned());
        return;
    }
    model.go(to);
}

/// Lines of the pane that has the focus: those of the events are steps.
fn turn(model: &mut Model<'_>, wish: Wish) {
    let by = if matches!(wish, Wish::PageDown | Wish::PageUp) { model.page.max(1) } else { 1 };
    let down = matches!(wish, Wish::Down | Wish::PageDown);
    let here = model.cursor.count();
    match model.pane {
        Pane::Events if by == 1 => step(model, if down { here + 1 } else { here.saturating_sub(1) }),
        Pane::Events => model.go(if down { here + by } else { here.saturating_sub(by) }),
        pane => {
            let scroll = &mut model.scroll[usize::from(pane == Pane::Data)];
            let by = u16::try_from(by).unwrap_or(u16::MAX);
            *scroll = if down { scroll.saturating_add(by) } else { scroll.saturating_sub(by) };
        }
    }
}

fn turn_pane(model: &mut Model<'_>, by: usize) {
    let at = Pane::ALL.iter().position(|pane| *pane == model.pane).unwrap_or(0);
    model.pane = Pane::ALL[(at + by) % Pane::ALL.len()];
}

fn ask(model: &mut Model<'_>, prompt: Prompt) {
    model.prompt = Some(prompt);
    model.input.clear();
}

fn typed(model: &mut Model<'_>, prompt: Prompt, wish: Wish) {
    match wish {
        Wish::Type(letter) if model.input.chars().count() < INPUT_CHARS_MAX && !letter.is_control() => {
            model.input.push(letter);
        }
        Wish::Erase => drop(model.input.pop()),
        Wish::EraseAll => model.input.clear(),
        Wish::Leave => model.prompt = None,
        Wish::Enter => {
            model.prompt = None;
            let input = std::mem::take(&mut model.input);
            answer(model, prompt, input.trim());
        }
        _ => {}
    }
}

fn answer(model: &mut Model<'_>, prompt: Prompt, input: &str) {
    if input.is_empty() {
        return;
    }
    model.message = match prompt {
        Prompt::Search => {
            model.sought = Some(input.to_owned());
            return search(model, true);
        }
        Prompt::Goto => match input
            .parse::<At>()
            .map_err(|error| error.to_string())
            .and_then(|at| model.story.locate(Some(at)).map_err(|error| error.to_string()))
        {
            Ok(count) => {
                model.go(count);
                None
            }
            Err(error) => Some(error),
        },
        Prompt::Breakpoint if model.breakpoints.len() == BREAKPOINTS_MAX => {
            Some(format!("there are {BREAKPOINTS_MAX} breakpoints, no more; B clears them"))
        }
        Prompt::Breakpoint => match Breakpoint::parse(input, model.story.net().map(|net| &**net)) {
            Ok(breakpoint) => {
                let message = format!("stops at {breakpoint}; c goes on to it");
                model.breakpoints.push(breakpoint);
                Some(message)
            }
            Err(error) => Some(error),
        },
    };
}

/// The next event that the search finds, or the one before.
fn search(model: &mut Model<'_>, forward: bool) {
    let Some(sought) = model.sought.clone() else {
        model.message = Some("nothing is searched; / asks for it".to_owned());
        return;
    };
    let here = model.cursor.count();
    let found = if forward {
        (here..model.story.len()).find(|index| model.matches(*index, &sought))
    } else {
        (0..here.saturating_sub(1)).rev().find(|index| model.matches(*index, &sought))
    };
    let Some(index) = found else {
        let side = if forward { "after" } else { "before" };
        model.message = Some(format!("nothing {side} this has {sought}"));
        return;
    };
    model.go(index + 1);
}

/// Goes on until a breakpoint stops it, or to the end.
fn go_on(model: &mut Model<'_>, forward: bool) {
    if model.breakpoints.is_empty() {
        model.message = Some("there are no breakpoints; b sets one".to_owned());
        return;
    }
    let end = if forward { model.story.len() } else { 1 };
    let mut cursor = model.cursor.clone();
    while cursor.count() != end {
        if forward {
            cursor.forward();
        } else {
            cursor.back();
        }
        if let Some(stop) = stops(model, &cursor) {
            let message = format!("stopped at {stop}");
            model.go(cursor.count());
            model.message = Some(message);
            return;
        }
    }
    model.go(end);
    model.message =
        Some(if forward { "no breakpoint until the end" } else { "no breakpoint until the beginning" }.to_owned());
}

fn stops<'m>(model: &'m Model<'_>, cursor: &Cursor<'_>) -> Option<&'m Breakpoint> {
    let task = cursor.event().and_then(|event| model.task_of(event));
    let conditions = model.breakpoints.iter().any(|breakpoint| matches!(breakpoint, Breakpoint::When(_)));
    let before = conditions.then(|| {
        let mut before = cursor.clone();
        before.back();
        before
    });
    model.breakpoints.iter().find(|breakpoint| breakpoint.stops(cursor, before.as_ref(), task.as_deref()))
}
