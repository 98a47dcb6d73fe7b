//! Steps of the environment: what can be done in a state, and what comes of it, in every way.

use actum_model::{
    ActorId, Case, CaseCommand, CaseStatus, ItemId, Meta, Phase, Rejection, Seq, TaskIx, Time, Value, WorkItemState,
};
use actum_net::{Happening, Work};
use smallvec::SmallVec;

use super::counters::Counters;
use super::marks::{Marks, Word, Words};
use super::oracle::{Script, Teller, WAYS_MAX};
use super::plan::{Plan, WORKER};
use crate::{Context, decide};

/// Something that the environment can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Take and start an item.
    Start(ItemId),
    /// Complete a started item.
    Complete(ItemId),
    /// Take, start and complete an item.
    Whole(ItemId),
    /// The time comes that an item waits for.
    Timer(ItemId),
    /// An event of the scenario, by its place there.
    Event(usize),
    /// The signal that an item waits for.
    Signal(ItemId),
}

/// What came of a step.
pub(super) struct Successor {
    pub(super) case: Case,
    pub(super) counters: Counters,
    pub(super) words: Words,
    pub(super) notes: Notes,
}

/// What happened on the way, for analyses.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) fired: SmallVec<[TaskIx; 4]>,
    pub(super) discarded: SmallVec<[TaskIx; 2]>,
    pub(super) left: SmallVec<[actum_model::ConditionIx; 2]>,
    pub(super) failed: Vec<(Option<TaskIx>, String, String)>,
}

/// What was met while looking at a state's steps.
#[derive(Default)]
pub(super) struct Met {
    /// A bound of the exploration cut a way off.
    pub(super) cut: bool,
    /// The scenario's bounds left no way.
    pub(super) exhausted: bool,
    /// Rejections that are the net's or the scenario's fault.
    pub(super) rejected: Vec<(TaskIx, Rejection)>,
}

/// Every way to begin.
///
/// # Errors
/// The rejection, if no case can begin.
pub(super) fn begin(plan: &Plan<'_>, met: &mut Met, each: &mut dyn FnMut(Successor)) -> Result<(), Rejection> {
    let counters = super::counters::full(plan.scenario);
    let case = Case::unborn(actum_model::CaseId(1));
    let mut rejection = None;
    every_way(plan, &case, &counters, met, each, &mut |run| {
        let asked = run.ask(ActorId::ENGINE, &plan.start());
        rejection = asked.as_ref().err().cloned();
        asked
    });
    rejection.map_or(Ok(()), Err)
}

/// Every way out of a state. A step that the kernel rejects is none.
pub(super) fn successors(
    plan: &Plan<'_>,
    case: &Case,
    counters: &Counters,
    met: &mut Met,
    each: &mut dyn FnMut(Successor),
) {
    for step in steps(plan, case, counters) {
        let mut rejected = None;
        every_way(plan, case, counters, met, each, &mut |run| {
            let done = run.perform(step);
            if let Err(rejection) = &done {
                rejected = fault_of(plan, case, step, rejection).or(rejected.take());
            }
            done
        });
        met.rejected.extend(rejected);
    }
}

/// Rejections that say that a result does not fit; others only say that a step is not possible.
fn fault_of(plan: &Plan<'_>, case: &Case, step: Step, rejection: &Rejection) -> Option<(TaskIx, Rejection)> {
    let (Step::Complete(item) | Step::Whole(item)) = step else { return None };
    let task = case.control.item(item)?.task;
    let fault = matches!(rejection.code, "work/output" | "work/result-form") || plan.signals_come;
    fault.then(|| (task, rejection.clone()))
}

/// Repeats a step with every script of choices.
fn every_way(
    plan: &Plan<'_>,
    case: &Case,
    counters: &Counters,
    met: &mut Met,
    each: &mut dyn FnMut(Successor),
    perform: &mut dyn FnMut(&mut Run<'_, '_>) -> Result<(), Rejection>,
) {
    let mut script = Script::default();
    for _ in 0..WAYS_MAX {
        let mut run = Run {
            plan,
            teller: Teller::new(plan, std::mem::take(&mut script), counters.clone()),
            case: case.clone(),
            marks: Marks::default(),
            first: SmallVec::new(),
        };
        let done = perform(&mut run);
        let Run { teller, case, mut marks, first, .. } = run;
        let round = teller.into_round();
        met.cut |= round.cut;
        met.exhausted |= round.exhausted;
        if done.is_ok() && !round.cut && !round.exhausted {
            let notes = Notes {
                fired: std::mem::take(&mut marks.fired),
                discarded: std::mem::take(&mut marks.discarded),
                left: std::mem::take(&mut marks.left),
                failed: std::mem::take(&mut marks.failed),
            };
            each(Successor { case, counters: round.counters, words: marks.words(plan, &first), notes });
        }
        script = round.script;
        if !script.advance() {
            return;
        }
    }
    met.cut = true;
}

/// What may be tried in a state. Of items that mean the same only one is.
fn steps(plan: &Plan<'_>, case: &Case, counters: &Counters) -> SmallVec<[Step; 8]> {
    let mut steps = SmallVec::new();
    if case.control.status != CaseStatus::Open {
        return steps;
    }
    for (index, item) in case.control.items.iter().enumerate() {
        let twin = |other: &WorkItemState| {
            other.family() == item.family()
                && other.phase == item.phase
                && other.timer.is_some() == item.timer.is_some()
        };
        let is_twin = item.instance.is_some()
            && case.control.frame_of_item(item.id).is_none()
            && case.control.items[..index].iter().any(twin);
        if !is_twin {
            steps.extend(step_of(plan, case, item));
        }
    }
    let left = (0..plan.scenario.events.len()).filter(|event| counters[*event] > 0);
    steps.extend(left.map(Step::Event));
    steps
}

fn step_of(plan: &Plan<'_>, case: &Case, item: &WorkItemState) -> Option<Step> {
    let task = &plan.net.tasks[item.task.index()];
    let firing = task.instances.is_some() && item.instance.is_none();
    match item.phase {
        _ if firing => None,
        _ if item.timer.is_some() && matches!(task.work, Work::Wait(_)) => Some(Step::Timer(item.id)),
        Phase::Enabled if task.trigger.is_some() => plan.signals_come.then_some(Step::Signal(item.id)),
        Phase::Offered | Phase::Allocated if plan.view.lifecycle => Some(Step::Start(item.id)),
        Phase::Offered | Phase::Allocated => Some(Step::Whole(item.id)),
        Phase::Started if case.control.frame_of_item(item.id).is_some() => None,
        Phase::Started if matches!(task.work, Work::Manual { .. } | Work::Automatic { .. }) => {
            Some(Step::Complete(item.id))
        }
        _ => None,
    }
}

/// One way through a step.
struct Run<'r, 'p> {
    plan: &'r Plan<'p>,
    teller: Teller<'r>,
    case: Case,
    marks: Marks,
    /// The words that were asked for.
    first: SmallVec<[Word; 2]>,
}

impl Run<'_, '_> {
    fn perform(&mut self, step: Step) -> Result<(), Rejection> {
        match step {
            Step::Start(item) => self.start(item),
            Step::Complete(item) => self.complete(item),
            Step::Whole(item) => {
                self.start(item)?;
                match self.case.control.item(item) {
                    Some(state) if state.phase == Phase::Started => self.complete(item),
                    _ => Ok(()),
                }
            }
            Step::Timer(item) => {
                let task = self.task(item)?;
                self.first.extend([Word::Started(task), Word::Ended(task)]);
                self.ask(ActorId::ENGINE, &CaseCommand::TimerFired { item })
            }
            Step::Event(event) => self.happen(event),
            Step::Signal(item) => {
                let task = self.task(item)?;
                let Some(trigger) = &self.plan.net.tasks[task.index()].trigger else { return Err(gone()) };
                self.say(Word::Signal(task));
                let command = CaseCommand::Signal { name: trigger.signal.clone(), data: Value::Null };
                self.ask(ActorId::ENGINE, &command)
            }
        }
    }

    fn start(&mut self, item: ItemId) -> Result<(), Rejection> {
        self.first.push(Word::Started(self.task(item)?));
        if self.case.control.item(item).is_some_and(|item| item.phase == Phase::Offered) {
            self.ask(WORKER, &CaseCommand::TakeWork { item })?;
        }
        self.ask(WORKER, &CaseCommand::StartWork { item })
    }

    fn complete(&mut self, item: ItemId) -> Result<(), Rejection> {
        let task = self.task(item)?;
        self.first.push(Word::Ended(task));
        let manual = matches!(self.plan.net.tasks[task.index()].work, Work::Manual { .. });
        let result = match self.teller.result(task) {
            Some(result) => result.clone(),
            None if manual => Value::Map(std::collections::BTreeMap::new()),
            None => Value::Null,
        };
        let actor = if manual { WORKER } else { ActorId::ENGINE };
        self.ask(actor, &CaseCommand::CompleteWork { item, result })
    }

    fn happen(&mut self, event: usize) -> Result<(), Rejection> {
        let supply = &self.plan.scenario.events[event];
        self.say(Word::Event(event));
        self.teller.happened(event);
        let command = match &supply.what {
            Happening::CancelCase => CaseCommand::CancelCase { reason: supply.label.clone() },
            Happening::CancelWork(task) => {
                let item = self.one_of(*task)?;
                self.marks.asked = Some(item);
                CaseCommand::CancelWork { item }
            }
            Happening::CompleteInstances(task) => CaseCommand::CompleteInstances { item: self.one_of(*task)? },
            Happening::AddInstance(task) => CaseCommand::AddInstance { item: self.one_of(*task)?, each: None },
            Happening::FailWork(task) => {
                let item = self.one_of_running(*task)?;
                let actor = self.case.control.item(item).and_then(|item| item.resource).unwrap_or(ActorId::ENGINE);
                let (code, message) = (supply.label.clone(), String::new());
                return self.ask(actor, &CaseCommand::FailWork { item, code, message });
            }
            Happening::Signal { name, data } => CaseCommand::Signal { name: name.clone(), data: data.clone() },
            _ => return Err(gone()),
        };
        self.ask(ActorId::ENGINE, &command)
    }

    /// An item of the task, instances aside, by choice.
    fn one_of(&self, task: TaskIx) -> Result<ItemId, Rejection> {
        let fits = |item: &&WorkItemState| item.task == task && item.instance.is_none();
        let items: SmallVec<[ItemId; 4]> = self.case.control.items.iter().filter(fits).map(|item| item.id).collect();
        self.pick(&items)
    }

    /// A started item of the task that somebody or a handler does, by choice.
    fn one_of_running(&self, task: TaskIx) -> Result<ItemId, Rejection> {
        let runs = |item: &&WorkItemState| item.task == task && item.phase == Phase::Started;
        let items: SmallVec<[ItemId; 4]> = self.case.control.items.iter().filter(runs).map(|item| item.id).collect();
        self.pick(&items)
    }

    fn pick(&self, items: &[ItemId]) -> Result<ItemId, Rejection> {
        if items.is_empty() { Err(gone()) } else { Ok(items[self.teller.choose(items.len())]) }
    }

    fn say(&mut self, word: Word) {
        self.first.push(word);
        self.marks.happened(word);
    }

    fn task(&self, item: ItemId) -> Result<TaskIx, Rejection> {
        self.case.control.item(item).map(|item| item.task).ok_or_else(gone)
    }

    /// Decides and applies.
    fn ask(&mut self, actor: ActorId, command: &CaseCommand) -> Result<(), Rejection> {
        let context = Context {
            oracle: Some(&self.teller),
            or_joins: Some(&self.plan.or_joins),
            ..Context::new(Time(0), actor, &self.plan.directory)
        };
        for decided in decide(&self.plan.net, &self.case, command, &context)? {
            self.marks.see(&self.plan.net, &self.case.control, &decided.event);
            let meta = Meta { seq: Seq(0), version: 0, time: Time(0), actor: decided.actor, cause: None };
            self.case.apply(&meta, &decided.event);
        }
        // Who did what decides nothing here, and would tell states apart.
        self.case.control.performers.clear();
        Ok(())
    }
}

fn gone() -> Rejection {
    Rejection::new("explore/not-possible", "nothing there to do it to")
}
