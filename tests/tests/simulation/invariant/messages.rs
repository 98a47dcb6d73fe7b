//! `messages`: each is published once by its id, received only by who waits for it, at most once by a case and (unless it is for all)
//! at most once at all, and not after it was dropped. (`waits` sees to it that none is forgotten.)

use std::collections::{HashMap, HashSet};

use actum::{CaseEvent, CaseId, Seq};
use actum_model::{MessageEvent, SystemEvent};

use super::{Fact, Happened, Held, Invariant, hold};

const NAME: &str = "messages";

struct Letter {
    name: String,
    key: String,
    to_all: bool,
    received: HashSet<CaseId>,
    is_over: bool,
}

#[derive(Default)]
pub(super) struct Messages {
    letters: HashMap<Seq, Letter>,
    ids: HashSet<String>,
}

impl Invariant for Messages {
    fn take(&mut self, happened: &Happened<'_>) -> Held {
        match happened.fact {
            Fact::System(SystemEvent::Message(event)) => self.of_system(happened.meta.seq, event),
            Fact::Case { case, event: CaseEvent::MessageReceived { item, message, name, .. }, .. } => {
                let key = case.control.awaited_by(*item).map_or("", |awaited| awaited.key.as_str());
                let waits = case.control.awaited_by(*item).is_some_and(|awaited| awaited.name == *name);
                hold(NAME, waits, || {
                    format!("{item} of case {} receives {name}, for which it does not wait", case.id)
                })?;
                self.receive(case.id, *message, Some((name, key)))
            }
            Fact::Case { case, event: CaseEvent::CaseTriggered { message: Some(message), .. }, .. } => {
                self.receive(case.id, *message, None)
            }
            _ => Ok(()),
        }
    }
}

impl Messages {
    fn of_system(&mut self, seq: Seq, event: &MessageEvent) -> Held {
        match event {
            MessageEvent::Published { name, key, id, to_all, pending, .. } => {
                let is_new = id.as_ref().is_none_or(|id| self.ids.insert(id.clone()));
                hold(NAME, is_new, || format!("the message {id:?} was published twice"))?;
                let (name, key) = (name.clone(), key.clone());
                let letter = Letter { name, key, to_all: *to_all, received: HashSet::new(), is_over: !pending };
                self.letters.insert(seq, letter);
            }
            MessageEvent::Dropped { message, .. } => {
                let letter = self.letters.get_mut(message).filter(|letter| !letter.is_over);
                hold(NAME, letter.is_some(), || format!("event {message} is no message that is kept, and is dropped"))?;
                letter.into_iter().for_each(|letter| letter.is_over = true);
            }
            _ => {}
        }
        Ok(())
    }

    fn receive(&mut self, case: CaseId, message: Seq, about: Option<(&String, &str)>) -> Held {
        let letter = self.letters.get_mut(&message).filter(|letter| !letter.is_over);
        let Some(letter) = letter else {
            return hold(NAME, false, || {
                format!("case {case} receives event {message}, which is no message that is kept")
            });
        };
        let fits = about.is_none_or(|(name, key)| letter.name == *name && letter.key == key);
        hold(NAME, fits, || format!("case {case} receives event {message}, which is about something else"))?;
        hold(NAME, letter.received.insert(case), || format!("case {case} receives event {message} twice"))?;
        letter.is_over = !letter.to_all;
        Ok(())
    }
}
