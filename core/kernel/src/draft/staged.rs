//! The state of a decision in the making: the case's own, until an event moves it.

use std::cell::OnceCell;
use std::ops::Deref;

use actum_model::{Control, Meta, Seq, Time};

use super::Decided;

/// Most decisions stage one event or a few: room for these needs no second allocation.
const EVENTS_USUAL: usize = 4;

/// The events so far, and the state as if they had happened. The case's state is copied when the state after the first
/// event is first looked at: many decisions end with that event, and never look.
pub(crate) struct Staged<'a> {
    before: &'a Control,
    events: Vec<Decided>,
    after: OnceCell<Control>,
}

impl<'a> Staged<'a> {
    pub(super) fn on(before: &'a Control) -> Self {
        Staged { before, events: Vec::new(), after: OnceCell::new() }
    }

    pub(super) fn events(&self) -> &[Decided] {
        &self.events
    }

    pub(super) fn into_events(self) -> Vec<Decided> {
        self.events
    }

    /// Adds an event that happens now.
    pub(super) fn push(&mut self, decided: Decided) {
        if self.events.is_empty() {
            self.events.reserve_exact(EVENTS_USUAL);
        } else {
            // Only the first may wait.
            self.after();
        }
        if let Some(after) = self.after.get_mut() {
            apply(after, &decided);
        }
        self.events.push(decided);
    }

    fn after(&self) -> &Control {
        self.after.get_or_init(|| {
            let mut after = self.before.clone();
            self.events.iter().for_each(|decided| apply(&mut after, decided));
            after
        })
    }
}

impl Deref for Staged<'_> {
    type Target = Control;

    fn deref(&self) -> &Control {
        if self.events.is_empty() { self.before } else { self.after() }
    }
}

fn apply(control: &mut Control, decided: &Decided) {
    // What a decision rests on of an event is who did it; the rest is known when it is in the log.
    let meta = Meta { seq: Seq(0), version: 0, time: Time(0), actor: decided.actor, cause: None };
    control.apply(&meta, &decided.event);
}
