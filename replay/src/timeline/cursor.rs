//! Steps through a story.

use actum_model::Case;

use super::{Condition, Story};
use crate::state::Fold;
use crate::{At, CaseView, LoggedEvent, ReplayError};

/// A place in a case's past, with the state there. One step forwards applies one event.
#[derive(Debug, Clone)]
pub struct Cursor<'s> {
    story: &'s Story,
    state: Fold,
    count: usize,
}

impl<'s> Cursor<'s> {
    /// Before the first event.
    #[must_use]
    pub fn new(story: &'s Story) -> Self {
        Cursor { story, state: story.fold(0), count: 0 }
    }

    /// Events that have happened here.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The event that led here; `None` before the first.
    #[must_use]
    pub fn event(&self) -> Option<&'s LoggedEvent> {
        self.story.events().get(self.count.checked_sub(1)?)
    }

    /// The state here.
    #[must_use]
    pub fn state(&self) -> &Case {
        &self.state.case
    }

    /// The same, with what its ordinals mean.
    #[must_use]
    pub fn view(&self) -> CaseView {
        self.story.view_of(self.state.clone(), true)
    }

    /// Whether a condition holds here; before the first event none does.
    ///
    /// # Errors
    /// [`ReplayError::Undecided`] where it has no answer.
    pub fn holds(&self, condition: &Condition) -> Result<bool, ReplayError> {
        let Some(event) = self.event() else { return Ok(false) };
        condition.holds(&self.story.view_of(self.state.clone(), condition.reads_done()), event)
    }

    /// Goes past the next event, and gives it; `None` at the end.
    pub fn forward(&mut self) -> Option<&'s LoggedEvent> {
        let next = self.story.events().get(self.count)?;
        if let Some((_, event)) = next.of_case() {
            self.state.apply(&next.meta, event);
        }
        self.count += 1;
        Some(next)
    }

    /// Goes back before the event that led here, and gives it; `None` before the first.
    pub fn back(&mut self) -> Option<&'s LoggedEvent> {
        let undone = self.event()?;
        self.jump(self.count - 1);
        Some(undone)
    }

    /// Goes to where so many events have happened; to the end, if there are not so many.
    pub fn jump(&mut self, count: usize) {
        self.count = count.min(self.story.len());
        self.state = self.story.fold(self.count);
    }

    /// Goes to a point.
    ///
    /// # Errors
    /// As of [`Story::locate`]; then it stays where it is.
    pub fn seek(&mut self, at: At) -> Result<(), ReplayError> {
        self.jump(self.story.locate(Some(at))?);
        Ok(())
    }
}
