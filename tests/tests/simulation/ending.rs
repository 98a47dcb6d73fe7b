//! How a world ends: nothing fails any more, and everybody does what they are asked.

use std::collections::BTreeMap;

use actum::{ActorId, Message, Value, WorkRow};
use actum_net::Work;

use crate::callers::approval;
use crate::clock::MINUTE;
use crate::invariant::{Held, hold};
use crate::nets::SIGNALS_SENT;
use crate::work::Ending;
use crate::world::World;

/// Rounds in which everybody does what is asked, after which nothing may be left to do.
const ROUNDS_MAX: usize = 400;

impl World {
    /// Every case ends, or says what it waits for.
    pub(crate) async fn come_to_an_end(&mut self) -> Held {
        self.ground.hands.wake_all();
        for _ in 0..ROUNDS_MAX {
            for _ in 0..self.ground.hands.open() {
                self.ground.hands.end_one(&mut self.random, Ending::Done);
            }
            self.run_dry().await?;
            self.help_all().await?;
            self.ground.clock.forward(60 * MINUTE);
            self.run_dry().await?;
            if self.seen.open().next().is_none() {
                return self.compare().await;
            }
        }
        self.compare().await?;
        let left: Vec<String> = self.seen.open().map(|case| self.tell(case)).collect();
        hold("ends", left.is_empty(), || format!("these do not end whatever is done for them:\n{}", left.join("\n")))
    }

    /// Does for every open case whatever it may wait for.
    async fn help_all(&mut self) -> Held {
        let cases: Vec<_> = self.seen.open().map(|case| case.id).collect();
        for case in cases {
            let known = &self.seen.cases[&case];
            let net = self.seen.net(known);
            let control = &known.control;
            let (suspended, is_dead) = (control.suspended, |item| control.retry_at(item).is_none());
            let failed: Vec<_> =
                control.items.iter().filter(|item| item.phase == actum::Phase::Failed).map(|item| item.id).collect();
            let failed: Vec<_> = failed.into_iter().filter(|item| is_dead(*item)).collect();
            let automatic =
                |item: &actum_model::WorkItemState| !matches!(net.tasks[item.task.index()].work, Work::Manual { .. });
            let resting: Vec<_> = control
                .items
                .iter()
                .filter(|item| item.phase == actum::Phase::Suspended)
                .map(|item| (item.id, item.resource, automatic(item)))
                .collect();
            let awaited: Vec<(String, String)> =
                control.awaited().iter().map(|awaited| (awaited.name.clone(), awaited.key.clone())).collect();
            let has_signals = net.tasks.iter().any(|task| task.trigger.is_some());
            let unoffered =
                |item: &&actum_model::WorkItemState| item.phase == actum::Phase::Enabled && !automatic(item);
            let unoffered: Vec<_> = control.items.iter().filter(unoffered).map(|item| item.id).collect();
            let engine = self.engine.clone();
            for item in unoffered {
                // Nobody could do it when it came up.
                self.answered(engine.offer(case, item, &[])).await?.ok();
            }
            if suspended {
                self.answered(engine.resume_case(case, self.people[0])).await?.ok();
            }
            for (item, owner, _) in resting {
                self.answered(engine.resume_work(case, item, owner.unwrap_or(self.people[0]))).await?.ok();
            }
            for item in failed {
                // Whose work it was may try it again.
                for actor in self.people.clone() {
                    self.answered(engine.retry(case, item, actor)).await?.ok();
                }
            }
            for (name, key) in awaited {
                let message = Message::new(name, key, Value::Map(BTreeMap::from([("n".to_owned(), Value::Int(1))])));
                self.answered(engine.message(message, ActorId::ENGINE)).await?.ok();
            }
            for signal in SIGNALS_SENT.into_iter().filter(|_| has_signals) {
                self.answered(engine.signal(case, self.people[0], signal, Value::Null)).await?.ok();
            }
        }
        for actor in self.people.clone() {
            let engine = self.engine.clone();
            for WorkRow { case, item, .. } in engine.offered_to(actor) {
                self.answered(engine.take(case, item, actor)).await?.ok();
            }
            for WorkRow { case, item, .. } in engine.held_by(actor) {
                self.answered(engine.start(case, item, actor)).await?.ok();
                if self.answered(engine.complete(case, item, actor, approval(true))).await?.is_err() {
                    self.answered(engine.complete(case, item, actor, Value::Map(BTreeMap::new()))).await?.ok();
                }
            }
        }
        Ok(())
    }

    fn tell(&self, case: &actum::Case) -> String {
        let net = self.seen.net(case);
        let items = case.control.items.iter();
        let items: Vec<String> =
            items.map(|item| format!("{} {}", net.task_label(item.task), item.phase.name())).collect();
        format!("case {} of {}: {}", case.id, net.name, items.join(", "))
    }
}
