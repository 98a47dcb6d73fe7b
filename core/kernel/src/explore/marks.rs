//! From the events of a step to the words of a trace.

use actum_model::{CaseEvent, Control, FrameId, ItemId, TaskIx};
use actum_net::Net;
use smallvec::SmallVec;

use super::plan::Plan;

/// A word of a trace: a task and what became of it, or something from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Word {
    Done(TaskIx),
    Started(TaskIx),
    Ended(TaskIx),
    Withdrawn(TaskIx),
    Stopped(TaskIx),
    Discarded(TaskIx),
    /// By place in the scenario's events.
    Event(usize),
    /// A signal that nobody had to supply: by the task that waits for it.
    Signal(TaskIx),
}

/// The words of one step.
pub(super) type Words = SmallVec<[Word; 2]>;

impl Word {
    pub(super) fn text(self, plan: &Plan<'_>) -> String {
        let name = |task: TaskIx| plan.names[task.index()].as_str();
        match self {
            Word::Done(task) => name(task).to_owned(),
            Word::Started(task) => format!("{}+", name(task)),
            Word::Ended(task) => format!("{}-", name(task)),
            Word::Withdrawn(task) => format!("{}~", name(task)),
            Word::Stopped(task) => format!("{}!", name(task)),
            Word::Discarded(task) => format!("{}#", name(task)),
            Word::Event(event) => plan.scenario.events[event].label.clone(),
            Word::Signal(task) => {
                let trigger = plan.net.tasks[task.index()].trigger.as_ref();
                trigger.map_or_else(String::new, |trigger| trigger.signal.to_lowercase())
            }
        }
    }

    fn is_cancel(self) -> bool {
        matches!(self, Word::Withdrawn(_) | Word::Stopped(_) | Word::Discarded(_))
    }
}

/// Something that events say, before it is known what it counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Word(Word),
    /// A task with a cancellation set starts or completes.
    Region(TaskIx),
    /// A task became possible.
    Enabled(TaskIx),
    /// What stopped right before was discarded.
    Completion,
    FrameStopped,
    /// Anything else that ends a row of stopped work.
    Other,
}

/// Collects what the events of one step say.
#[derive(Debug, Default)]
pub(super) struct Marks {
    list: SmallVec<[Mark; 8]>,
    /// The item that somebody outside asked to stop: what stopped with it was not discarded.
    pub(super) asked: Option<ItemId>,
    /// Tasks that fired.
    pub(super) fired: SmallVec<[TaskIx; 4]>,
    /// A net ended while these tasks had work that was possible or under way.
    pub(super) discarded: SmallVec<[TaskIx; 2]>,
    /// A net ended while tokens lay here.
    pub(super) left: SmallVec<[actum_model::ConditionIx; 2]>,
    /// Work failed, or the case.
    pub(super) failed: Vec<(Option<TaskIx>, String, String)>,
}

impl Marks {
    /// Takes note of something from outside.
    pub(super) fn happened(&mut self, word: Word) {
        self.word(word);
    }

    /// Takes note of an event about to be applied to `control`.
    pub(super) fn see(&mut self, net: &Net, control: &Control, event: &CaseEvent) {
        if let CaseEvent::WorkStarted { task, .. } | CaseEvent::WorkCompleted { task, .. } = event
            && !net.tasks[task.index()].cancels.is_empty()
        {
            self.list.push(Mark::Region(*task));
        }
        let instance = |item| control.item(item).is_some_and(|item| item.instance.is_some());
        // The firing of a task with instances is not work that anybody does.
        let hidden = |item, task: TaskIx| net.tasks[task.index()].instances.is_some() && !instance(item);
        match event {
            CaseEvent::WorkStarted { item, task, .. } => {
                self.fired.push(*task);
                if !hidden(*item, *task) {
                    self.word(Word::Started(*task));
                }
            }
            CaseEvent::WorkCompleted { item, task, .. } if !hidden(*item, *task) => self.word(Word::Ended(*task)),
            // Instances count as running from the firing of their task.
            CaseEvent::WorkWithdrawn { item, task } if instance(*item) => self.word(Word::Stopped(*task)),
            CaseEvent::WorkWithdrawn { task, .. } => self.word(Word::Withdrawn(*task)),
            CaseEvent::WorkCancelled { item, task, .. } if !hidden(*item, *task) => self.word(Word::Stopped(*task)),
            CaseEvent::WorkCancelled { .. } => {}
            CaseEvent::WorkEnabled { task, .. } => self.list.push(Mark::Enabled(*task)),
            CaseEvent::SubnetEnded { frame, completed: true, .. } => {
                self.leave(net, control, *frame);
                self.list.push(Mark::Completion);
            }
            CaseEvent::SubnetEnded { .. } => self.list.push(Mark::FrameStopped),
            CaseEvent::CaseCompleted => {
                self.leave(net, control, FrameId::ROOT);
                self.list.push(Mark::Completion);
            }
            CaseEvent::WorkFailed { task, code, message, .. } => {
                self.failed.push((Some(*task), code.clone(), message.clone()));
                self.list.push(Mark::Other);
            }
            CaseEvent::CaseFailed { code, message } => {
                self.failed.push((None, code.clone(), message.clone()));
                self.list.push(Mark::Other);
            }
            _ => self.list.push(Mark::Other),
        }
        if let CaseEvent::WorkWithdrawn { item, .. } | CaseEvent::WorkCancelled { item, .. } = event
            && self.asked == Some(*item)
        {
            self.list.push(Mark::Other);
        }
    }

    fn word(&mut self, word: Word) {
        self.list.push(Mark::Word(word));
    }

    /// What a net leaves behind as it ends.
    fn leave(&mut self, net: &Net, control: &Control, frame: FrameId) {
        let Some(subnet) = control.subnet_of(frame).map(|subnet| &net.subnets[subnet.index()]) else { return };
        let mutex = |condition: actum_model::ConditionIx| net.conditions[condition.index()].mutex;
        let left = control
            .marking
            .of(frame)
            .filter(|(condition, count)| !mutex(*condition) && (*condition != subnet.end || *count > 1));
        self.left.extend(left.map(|(condition, _)| condition));
        // What ends by itself has nothing left; what stopped right before was cancelled.
        if subnet.implicit_termination {
            return;
        }
        let row = self.row_before_end(self.list.len());
        let (before, row) = self.list.split_at(row);
        for mark in row {
            if let Mark::Word(Word::Withdrawn(task) | Word::Stopped(task)) = mark
                && !by_region(net, before, *task)
            {
                self.discarded.push(*task);
            }
        }
    }

    /// Where the row of stopped and withdrawn work begins that ends before `end`. What a cancellation set took is not of it.
    fn row_before_end(&self, end: usize) -> usize {
        let of_row = |mark: &&Mark| match mark {
            Mark::Word(word) => word.is_cancel(),
            mark => **mark == Mark::FrameStopped,
        };
        end - self.list[..end].iter().rev().take_while(of_row).count()
    }

    /// The words of the step in the view: `first` (what was asked for) in front, siblings in alphabetical order.
    pub(super) fn words(mut self, plan: &Plan<'_>, first: &[Word]) -> Words {
        self.discard(&plan.net);
        let mut asked: SmallVec<[Word; 2]> = first.iter().copied().collect();
        let (mut words, mut rest) = (Words::new(), Words::new());
        for mark in &self.list {
            let Mark::Word(word) = *mark else { continue };
            if let Some(index) = asked.iter().position(|asked| *asked == word) {
                asked.remove(index);
                words.extend(plan.shown(word));
            } else {
                rest.extend(plan.shown(word));
            }
        }
        sort_siblings(plan, &mut rest);
        words.extend(rest);
        words
    }

    /// Work that stopped because a net was through counts as discarded.
    fn discard(&mut self, net: &Net) {
        for end in 0..self.list.len() {
            if self.list[end] != Mark::Completion {
                continue;
            }
            for index in self.row_before_end(end)..end {
                if let Mark::Word(Word::Stopped(task)) = self.list[index]
                    && !by_region(net, &self.list[..index], task)
                {
                    self.list[index] = Mark::Word(Word::Discarded(task));
                }
            }
        }
    }
}

/// Work of the task that stopped after `before` was stopped by a cancellation set: what began after that was not.
fn by_region(net: &Net, before: &[Mark], task: TaskIx) -> bool {
    let last = before.iter().rev().find_map(|mark| match mark {
        Mark::Region(by) if net.tasks[by.index()].cancels.tasks.contains(&task) => Some(true),
        Mark::Enabled(enabled) if *enabled == task => Some(false),
        _ => None,
    });
    last.unwrap_or(false)
}

fn sort_siblings(plan: &Plan<'_>, words: &mut Words) {
    let mut start = 0;
    while start < words.len() {
        let count = words[start..].iter().take_while(|word| word.is_cancel()).count();
        if count > 1 {
            words[start..start + count].sort_by_cached_key(|word| word.text(plan));
        }
        start += count + 1;
    }
}

impl Plan<'_> {
    /// The word as the view shows it, if it does.
    fn shown(&self, word: Word) -> Option<Word> {
        match word {
            Word::Started(task) => (self.view.lifecycle && !self.hidden[task.index()]).then_some(word),
            Word::Ended(task) if self.hidden[task.index()] => None,
            Word::Ended(task) if !self.view.lifecycle => Some(Word::Done(task)),
            Word::Withdrawn(task) | Word::Stopped(task) | Word::Discarded(task) => {
                (self.view.cancel && !self.hidden[task.index()]).then_some(word)
            }
            _ => Some(word),
        }
    }
}
