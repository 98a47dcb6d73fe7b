//! The terminal: taken, given back however this ends.

use std::io::{self, IsTerminal, stdin, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use actum_replay::timeline::Story;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use super::Breakpoint;
use super::draw::draw;
use super::key::wish;
use super::model::{Model, Quit};
use super::theme::Theme;
use super::update::update;

/// How long nothing is looked at while nobody types.
const LOOK: Duration = Duration::from_millis(100);

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Somebody was done.
    Quit,
    /// By Ctrl-C or a signal.
    Interrupted,
    /// There is no terminal to show it on.
    NoTerminal,
}

/// Shows a story from after so many events on.
///
/// # Errors
/// The terminal cannot be read or written.
pub(crate) fn run(story: &Story, count: usize, breakpoints: Vec<Breakpoint>) -> io::Result<End> {
    if !stdin().is_terminal() || !stdout().is_terminal() || std::env::var_os("TERM").is_some_and(|term| term == "dumb")
    {
        return Ok(End::NoTerminal);
    }
    let theme = Theme { colours: crate::output::is_colourful(&stdout()) };
    let asked = signals();
    // From here on a panic gives the terminal back before it says anything.
    let mut terminal = ratatui::try_init()?;
    let ended = show(&mut terminal, Model::new(story, count, breakpoints), theme, &asked);
    let restored = ratatui::try_restore();
    let end = ended?;
    restored?;
    Ok(end)
}

fn show(
    terminal: &mut ratatui::DefaultTerminal,
    mut model: Model<'_>,
    theme: Theme,
    asked: &AtomicBool,
) -> io::Result<End> {
    loop {
        terminal.draw(|frame| draw(frame, &mut model, theme))?;
        while !event::poll(LOOK)? {
            if asked.load(Ordering::Relaxed) {
                return Ok(End::Interrupted);
            }
        }
        // A resize only paints anew.
        if let Event::Key(key) = event::read()?
            && key.kind != KeyEventKind::Release
        {
            let typing = model.prompt.is_some();
            update(&mut model, wish(key, typing));
        }
        match model.quit {
            Some(Quit::Asked) => return Ok(End::Quit),
            Some(Quit::Interrupted) => return Ok(End::Interrupted),
            None => {}
        }
    }
}

/// Whether somebody asked this process to end: then the terminal is given back first. Ctrl-C is a key here, and no signal.
fn signals() -> Arc<AtomicBool> {
    let asked = Arc::new(AtomicBool::new(false));
    let told = asked.clone();
    // Without the thread, a signal ends the process as it always does.
    let listener = thread::Builder::new().name("actum-signals".to_owned()).spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
            let mut all: Vec<_> = kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect();
            let any = all.iter_mut().map(|one| Box::pin(one.recv()));
            if all_or_nothing(any).await {
                told.store(true, Ordering::Relaxed);
            }
        });
    });
    drop(listener);
    asked
}

async fn all_or_nothing<F: Future + Unpin>(signals: impl Iterator<Item = F>) -> bool {
    let signals: Vec<F> = signals.collect();
    if signals.is_empty() {
        return false;
    }
    futures_util::future::select_all(signals).await;
    true
}
