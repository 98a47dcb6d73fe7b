//! `starts`: a time or a message starts one case of a net, and times are not started out of order.

use std::collections::{HashMap, HashSet};

use actum::{CaseEvent, NetHash, Seq, Time};
use actum_model::{StartEvent, SystemEvent};

use super::{Fact, Happened, Held, Invariant, hold};

const NAME: &str = "starts";

#[derive(Default)]
pub(super) struct Starts {
    done: HashMap<(NetHash, String), Time>,
    by_message: HashSet<(NetHash, Seq)>,
}

impl Starts {
    fn dealt_with(&mut self, net: NetHash, start: &str, due: Time, now: Time) -> Held {
        let before = self.done.insert((net, start.to_owned()), due);
        let is_new = before.is_none_or(|before| before < due);
        hold(NAME, is_new, || format!("the start {start} at {due} comes after that at {before:?}"))?;
        hold(NAME, due <= now, || format!("the start {start} at {due} happens at {now}"))
    }
}

impl Invariant for Starts {
    fn take(&mut self, happened: &Happened<'_>) -> Held {
        let now = happened.meta.time;
        match happened.fact {
            Fact::Case { net, event: CaseEvent::CaseTriggered { start, due, message }, .. } => {
                if let Some(due) = due {
                    self.dealt_with(net.hash, start, *due, now)?;
                }
                let is_new = message.is_none_or(|message| self.by_message.insert((net.hash, message)));
                hold(NAME, is_new, || format!("event {message:?} starts two cases of {}", net.name))
            }
            Fact::System(SystemEvent::Start(StartEvent::Skipped { net, start, until, .. })) => {
                self.dealt_with(*net, start, *until, now)
            }
            Fact::System(SystemEvent::Start(StartEvent::Refused { net, start, due: Some(due), .. })) => {
                self.dealt_with(*net, start, *due, now)
            }
            _ => Ok(()),
        }
    }
}
