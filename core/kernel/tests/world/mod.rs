//! A case that is driven step by step, and what happened in it as text.

use std::fmt::Write;

use actum_kernel::{Context, Decided, decide, effects};
use actum_model::{ActorId, Case, CaseCommand, CaseEvent, CaseId, Directory, ItemId, Meta, Seq, Time, Value};
use actum_net::Net;

pub(crate) const SECOND: u64 = 1_000_000_000;

/// A case that is driven by commands of the engine; what happened is text.
pub(crate) struct World {
    pub(crate) net: Net,
    pub(crate) case: Case,
    pub(crate) directory: Directory,
    pub(crate) seq: u64,
    pub(crate) now: Time,
}

impl World {
    #[track_caller]
    pub(crate) fn of(net: &str) -> Self {
        let net = format!("actum: 1\nnet: test\n{net}");
        let net = actum_net::compile(&net).unwrap_or_else(|found| panic!("{found:#?}")).net;
        World { net, case: Case::unborn(CaseId(1)), directory: Directory::default(), seq: 0, now: Time(10 * SECOND) }
    }

    pub(crate) fn ask(&mut self, command: &CaseCommand) -> Result<Vec<Decided>, actum_model::Rejection> {
        let context = Context::new(self.now, ActorId::ENGINE, &self.directory);
        let decided = decide(&self.net, &self.case, command, &context)?;
        for one in &decided {
            self.seq += 1;
            let (seq, version) = (Seq(self.seq), self.case.version + 1);
            assert!(actum_kernel::fits(&self.net, &one.event), "{one:?}");
            self.case.apply(&Meta { seq, version, time: self.now, actor: one.actor, cause: None }, &one.event);
            let _ = effects(&self.net, &self.case, &one.event);
        }
        Ok(decided)
    }

    #[track_caller]
    pub(crate) fn does(&mut self, command: &CaseCommand, then: &str) {
        let decided = self.ask(command).unwrap_or_else(|rejection| panic!("rejected: {rejection}"));
        assert_eq!(self.text(&decided), then);
    }

    #[track_caller]
    pub(crate) fn refuses(&mut self, command: &CaseCommand, code: &str) {
        let before = self.case.clone();
        assert_eq!(self.ask(command).expect_err("a rejection").code, code);
        assert_eq!(self.case, before, "a rejection must leave the case as it was");
    }

    #[track_caller]
    pub(crate) fn start(&mut self, then: &str) {
        self.does(&CaseCommand::StartCase { input: [].into() }, then);
    }

    /// Completes the first live item of a task that is no firing of several.
    #[track_caller]
    pub(crate) fn done(&mut self, task: &str, then: &str) {
        let item = self.leaf(task);
        self.does(&CaseCommand::CompleteWork { item, result: Value::Int(i64::from(item.0)) }, then);
    }

    #[track_caller]
    pub(crate) fn leaf(&self, task: &str) -> ItemId {
        let task = self.net.task_labelled(task).expect("a task of the net");
        let of_task = |item: &&actum_model::WorkItemState| item.task == task;
        let several = self.net.tasks[task.index()].instances.is_some();
        let found = self.case.control.items.iter().filter(of_task).find(|item| item.instance.is_some() == several);
        found.unwrap_or_else(|| panic!("a live item")).id
    }

    #[track_caller]
    pub(crate) fn firing(&self, task: &str) -> ItemId {
        self.case.control.item_of(self.net.task(task).expect("a task")).expect("a live item").id
    }

    /// One word an event: `+t` enabled, `>t` started, `.t` completed, `!t` failed, `~t` withdrawn, `#t` cancelled, `^t` the case
    /// goes on, `(n` and `)n` a frame begins and ends, `/t` a partial join took note, `-t` tokens were cancelled.
    pub(crate) fn text(&self, decided: &[Decided]) -> String {
        let mut text = String::new();
        for Decided { event, .. } in decided {
            let word = match event {
                CaseEvent::CaseStarted { .. } => "started".to_owned(),
                CaseEvent::CaseCompleted => "completed".to_owned(),
                CaseEvent::CaseCancelled { .. } => "cancelled".to_owned(),
                CaseEvent::CaseDeadlocked => "deadlocked".to_owned(),
                CaseEvent::CaseFailed { code, .. } => code.clone(),
                CaseEvent::CaseSuspended => "suspended".to_owned(),
                CaseEvent::CaseResumed => "resumed".to_owned(),
                CaseEvent::SubnetStarted { frame, .. } => format!("({frame}"),
                CaseEvent::SubnetEnded { frame, completed: true, .. } => format!("){frame}"),
                CaseEvent::SubnetEnded { frame, .. } => format!("){frame}#"),
                CaseEvent::SignalReceived { item: Some(_), .. } => "signal".to_owned(),
                CaseEvent::SignalReceived { kept: true, .. } => "kept".to_owned(),
                CaseEvent::SignalReceived { .. } => "lost".to_owned(),
                CaseEvent::TimerFiredLate { .. } => "belated".to_owned(),
                CaseEvent::CaseForced { .. } => "forced".to_owned(),
                CaseEvent::RestLimited { .. } => "limited".to_owned(),
                CaseEvent::ExceptionRaised { kind, answer, .. } => format!("{}:{answer}", kind.name()),
                CaseEvent::JoinAdvanced { task, arrived, .. } => format!("/{}{}", self.name(*task), arrived.len()),
                CaseEvent::TokensCancelled { task, .. } => format!("-{}", self.name(*task)),
                work => {
                    let mark = match work {
                        CaseEvent::WorkEnabled { .. } => "+",
                        CaseEvent::WorkStarted { .. } => ">",
                        CaseEvent::WorkCompleted { .. } => ".",
                        CaseEvent::WorkFailed { .. } => "!",
                        CaseEvent::WorkWithdrawn { .. } => "~",
                        CaseEvent::WorkCancelled { .. } => "#",
                        CaseEvent::InstancesPassed { .. } => "^",
                        CaseEvent::WorkWaiting { .. } => "@",
                        CaseEvent::WorkTimedOut { .. } => "late:",
                        CaseEvent::WorkSuspended { .. } => "rest:",
                        CaseEvent::WorkResumed { .. } => "wake:",
                        CaseEvent::WorkRetried { .. } => "again:",
                        CaseEvent::WorkSkipped { .. } => "skip:",
                        CaseEvent::WorkForced { .. } => "force:",
                        other => panic!("{other:?}"),
                    };
                    format!("{mark}{}", work.work().map(|(_, task)| self.name(task)).unwrap_or_default())
                }
            };
            write!(text, "{}{word}", if text.is_empty() { "" } else { " " }).unwrap();
        }
        text
    }

    pub(crate) fn name(&self, task: actum_model::TaskIx) -> String {
        self.net.task_label(task)
    }
}
