//! Progress on standard error, for people who wait at a terminal.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Format;

/// How often a bar is drawn.
const DRAWS_PER_SECOND: u8 = 10;

/// Progress towards a known end (or an unknown one, with no `total`). Draws nothing unless somebody can see it.
pub(crate) fn bar(format: Format, what: &'static str, total: Option<u64>) -> ProgressBar {
    if format == Format::Json || !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::with_draw_target(Some(total), target),
            "{msg} {wide_bar:.cyan/dim} {human_pos}/{human_len} {elapsed}",
        ),
        None => (ProgressBar::with_draw_target(None, target), "{spinner:.cyan} {msg} {human_pos} {elapsed}"),
    };
    // A template that does not parse leaves the default style.
    let bar = match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    };
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(1_000 / u64::from(DRAWS_PER_SECOND)));
    bar
}
