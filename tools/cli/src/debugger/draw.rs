//! Paints the model: three panes side by side where there is room, one at a time where there is not.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Wrap};

use super::model::{Model, Pane, Prompt};
use super::theme::Theme;
use super::{net_pane, panes};

/// Columns and rows from which on all panes are shown together.
const WIDE_COLUMNS: u16 = 72;
const WIDE_ROWS: u16 = 16;

const HELP: [(&str, &str); 13] = [
    ("→ l space", "next event"),
    ("← h", "event before"),
    ("↓ j  ↑ k", "next, before; scroll net or data"),
    ("PgDn PgUp", "a page of that"),
    ("g G", "first, last event"),
    (":", "go to SEQ, @vN or TIME"),
    ("/ n N", "search; next, before"),
    ("b", "stop at: task T, kind K, or CEL"),
    ("c C", "go on to a stop; back to one"),
    ("B", "clear all stops"),
    ("Tab", "other pane"),
    ("?", "this help"),
    ("q  Ctrl-C", "quit"),
];

/// Paints everything. Tells the model how long a page is.
pub(super) fn draw(frame: &mut Frame<'_>, model: &mut Model<'_>, theme: Theme) {
    let area = frame.area();
    let wide = area.width >= WIDE_COLUMNS && area.height >= WIDE_ROWS;
    let head_rows = if wide { 1 } else { 2 };
    let rows = Layout::vertical([Constraint::Length(head_rows), Constraint::Min(1), Constraint::Length(1)]);
    let [head, body, foot] = rows.areas(area);
    frame.render_widget(Paragraph::new(heading(model, theme, wide)), head);
    if wide {
        let [top, events] = Layout::vertical([Constraint::Percentage(58), Constraint::Min(5)]).areas(body);
        let [net, data] = Layout::horizontal([Constraint::Percentage(55), Constraint::Min(20)]).areas(top);
        pane(frame, model, theme, Pane::Net, net);
        pane(frame, model, theme, Pane::Data, data);
        pane(frame, model, theme, Pane::Events, events);
    } else {
        pane(frame, model, theme, model.pane, body);
    }
    footer(frame, model, theme, foot);
    if model.help {
        help(frame, model, theme, area);
    }
}

fn heading(model: &Model<'_>, theme: Theme, wide: bool) -> Vec<Line<'static>> {
    let view = &model.view;
    let key = view.key.as_ref().map_or_else(String::new, |key| format!(" ({key})"));
    let net = view.net.as_ref().map_or_else(String::new, |net| format!(" {}", net.name));
    let case = format!("case {}{key}{}", view.case.id, if wide { net.as_str() } else { "" });
    let place = format!("@v{}/{}", view.case.version, model.story.len());
    let status = Span::styled(view.case.control.status.name(), theme.marked());
    let rest = format!(" {place} event {} {}", view.case.last_seq, view.case.changed);
    if wide {
        return vec![Line::from(vec![Span::raw(format!("{case}: ")), status, Span::raw(rest)])];
    }
    vec![Line::from(vec![Span::raw(format!("{case}: ")), status]), Line::from(rest.trim_start().to_owned())]
}

fn pane(frame: &mut Frame<'_>, model: &mut Model<'_>, theme: Theme, pane: Pane, area: Rect) {
    let title = match pane {
        Pane::Events if !model.breakpoints.is_empty() => {
            format!(" {}, {} stops ", pane.title(), model.breakpoints.len())
        }
        _ => format!(" {} ", pane.title()),
    };
    let block = Block::bordered().title(Line::styled(title, theme.title(pane == model.pane)));
    let inner = block.inner(area);
    let height = usize::from(inner.height);
    let (lines, first) = match pane {
        Pane::Events => {
            model.page = height.max(1);
            (panes::events(model, theme, height), 0)
        }
        Pane::Net => {
            let (lines, live) = net_pane::lines(model, theme);
            let most = lines.len().saturating_sub(height);
            model.scroll[0] = model.scroll[0].min(to_rows(most));
            // Nobody scrolled: what is live is in sight.
            let first = if model.scroll[0] == 0 && live >= height {
                live.saturating_sub(height / 2).min(most)
            } else {
                usize::from(model.scroll[0])
            };
            (lines, first)
        }
        Pane::Data => {
            let lines = panes::data(model, theme);
            model.scroll[1] = model.scroll[1].min(to_rows(lines.len().saturating_sub(height)));
            (lines, usize::from(model.scroll[1]))
        }
    };
    let hidden = lines.len().saturating_sub(first + height);
    let block = if hidden > 0 && pane != Pane::Events {
        block.title_bottom(Line::styled(format!(" {hidden} more "), theme.quiet()).right_aligned())
    } else {
        block
    };
    let shown: Vec<Line<'static>> = lines.into_iter().skip(first).take(height).collect();
    frame.render_widget(Paragraph::new(shown).block(block), area);
}

fn to_rows(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

fn footer(frame: &mut Frame<'_>, model: &Model<'_>, theme: Theme, area: Rect) {
    let asks = |prompt: Prompt| match prompt {
        Prompt::Search => "/",
        Prompt::Breakpoint => "stop at: ",
        Prompt::Goto => "go to: ",
    };
    let line = match (model.prompt, &model.message) {
        (Some(prompt), _) => {
            let asked = asks(prompt);
            let room = usize::from(area.width).saturating_sub(asked.len() + 2);
            let letters = model.input.chars().count();
            let end: String = model.input.chars().skip(letters.saturating_sub(room)).collect();
            Line::from(vec![Span::styled(asked, theme.changed()), Span::raw(end), Span::styled(" ", Theme::here())])
        }
        (None, Some(message)) => Line::styled(message.clone(), theme.changed()),
        (None, None) if area.width < WIDE_COLUMNS => Line::styled("←→ step  Tab pane  ? help  q quit", theme.quiet()),
        (None, None) => Line::styled("←→ step  c go on  b stop  / search  Tab pane  ? help  q quit", theme.quiet()),
    };
    frame.render_widget(Paragraph::new(line), area);
}

fn help(frame: &mut Frame<'_>, model: &Model<'_>, theme: Theme, area: Rect) {
    let mut lines: Vec<Line<'static>> = HELP
        .iter()
        .map(|(keys, what)| Line::from(vec![Span::styled(format!("{keys:<10} "), theme.changed()), Span::raw(*what)]))
        .collect();
    let signs = "○ condition  ● with tokens  □ task  ■ with work  ✓ done before";
    lines.push(Line::styled(signs, theme.quiet()));
    lines.extend(model.breakpoints.iter().map(|stop| Line::from(format!("stops at {stop}"))));
    let width = area.width.min(56);
    let height = area.height.min(to_rows(lines.len()) + 4);
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    frame.render_widget(Clear, place);
    let block = Block::bordered().title(" Help; ? closes it ");
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }).block(block), place);
}
