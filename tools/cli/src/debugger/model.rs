//! What is looked at.

use actum_replay::timeline::{Cursor, Difference, Story, diff};
use actum_replay::{CaseView, LoggedEvent, json_of_case};

use super::Breakpoint;

/// Breakpoints that there can be.
pub(super) const BREAKPOINTS_MAX: usize = 64;
/// Characters that can be typed at a prompt.
pub(super) const INPUT_CHARS_MAX: usize = 512;

/// Part of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pane {
    Net,
    Data,
    Events,
}

impl Pane {
    pub(super) const ALL: [Pane; 3] = [Pane::Net, Pane::Data, Pane::Events];

    pub(super) fn title(self) -> &'static str {
        match self {
            Pane::Net => "Net",
            Pane::Data => "Data and work",
            Pane::Events => "Events",
        }
    }
}

/// What is being typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prompt {
    Search,
    Breakpoint,
    Goto,
}

/// Why it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quit {
    Asked,
    Interrupted,
}

/// All that is shown is worked out from this.
pub(super) struct Model<'s> {
    pub(super) story: &'s Story,
    pub(super) cursor: Cursor<'s>,
    /// The state at the cursor.
    pub(super) view: CaseView,
    /// What the event that led there changed.
    pub(super) change: Difference,
    pub(super) pane: Pane,
    /// First line shown of the net and of the data.
    pub(super) scroll: [u16; 2],
    pub(super) prompt: Option<Prompt>,
    pub(super) input: String,
    pub(super) sought: Option<String>,
    pub(super) breakpoints: Vec<Breakpoint>,
    pub(super) message: Option<String>,
    pub(super) help: bool,
    /// Lines of the events that fit: a page.
    pub(super) page: usize,
    pub(super) quit: Option<Quit>,
}

impl<'s> Model<'s> {
    /// Looks at a story after so many events.
    pub(super) fn new(story: &'s Story, count: usize, breakpoints: Vec<Breakpoint>) -> Self {
        let mut cursor = Cursor::new(story);
        cursor.jump(count);
        let view = cursor.view();
        let change = diff(&story.view(count.saturating_sub(1)), &view);
        Model {
            story,
            cursor,
            view,
            change,
            pane: Pane::Events,
            scroll: [0; 2],
            prompt: None,
            input: String::new(),
            sought: None,
            breakpoints,
            message: None,
            help: false,
            page: 10,
            quit: None,
        }
    }

    /// Goes to where so many events have happened; at least one has.
    pub(super) fn go(&mut self, count: usize) {
        let count = count.clamp(1, self.story.len().max(1));
        if count == self.cursor.count() + 1 {
            self.cursor.forward();
            let view = self.cursor.view();
            self.change = diff(&self.view, &view);
            self.view = view;
        } else {
            self.cursor.jump(count);
            self.view = self.cursor.view();
            self.change = diff(&self.story.view(count - 1), &self.view);
        }
    }

    /// Name of the task that an event is about.
    pub(super) fn task_of(&self, event: &LoggedEvent) -> Option<String> {
        let (_, task) = event.of_case()?.1.work()?;
        Some(self.story.net().map_or_else(|| format!("#{task}"), |net| net.task_label(task)))
    }

    /// Whether the search finds the event at an index: in anything that its JSON says.
    pub(super) fn matches(&self, index: usize, sought: &str) -> bool {
        let Some(event) = self.story.events().get(index) else { return false };
        let json = json_of_case(event, self.story.net().map(|net| &**net), self.story.names());
        json.to_string().to_lowercase().contains(&sought.to_lowercase())
    }
}
