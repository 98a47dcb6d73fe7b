//! How things look, with colours and without.

use ratatui::style::{Color, Modifier, Style};

/// Where colours are not wanted, weight and inversion say the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Theme {
    pub(super) colours: bool,
}

impl Theme {
    fn style(self, colour: Color, modifier: Modifier) -> Style {
        let style = Style::new().add_modifier(modifier);
        if self.colours { style.fg(colour) } else { style }
    }

    /// Holds a token.
    pub(super) fn marked(self) -> Style {
        self.style(Color::Yellow, Modifier::BOLD)
    }

    /// Is under way.
    pub(super) fn running(self) -> Style {
        self.style(Color::Green, Modifier::BOLD)
    }

    /// Went wrong.
    pub(super) fn failed(self) -> Style {
        self.style(Color::Red, Modifier::BOLD)
    }

    /// Was changed by the event that led here.
    pub(super) fn changed(self) -> Style {
        self.style(Color::Cyan, Modifier::BOLD)
    }

    /// Matters less.
    pub(super) fn quiet(self) -> Style {
        self.style(Color::DarkGray, Modifier::DIM)
    }

    /// The place that is looked at.
    pub(super) fn here() -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Title of a pane.
    pub(super) fn title(self, focused: bool) -> Style {
        if focused { self.style(Color::Cyan, Modifier::BOLD) } else { Style::new() }
    }
}
