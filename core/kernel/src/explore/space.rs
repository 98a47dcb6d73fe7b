//! All states that can be reached, and the steps between them.

use std::collections::{HashMap, VecDeque};

use actum_model::{Case, CaseStatus, Phase, TaskIx};
use rustc_hash::FxBuildHasher;

use super::counters::Counters;
use super::growth::Growth;
use super::marks::{Word, Words};
use super::plan::Plan;
use super::step::{Met, Successor, begin, successors};
use super::store::Store;
use super::{Exploration, ExploreError, Problem, canon};

/// How a case stands where nothing more can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// It completed.
    Done,
    /// It is deadlocked, or waits for what the scenario does not supply.
    Stuck,
    /// It was cancelled.
    Cancelled,
    /// It failed.
    Failed,
}

/// The states that a net can be in, and the steps between them. The first is none's: before the case begins.
#[derive(Debug)]
pub struct Space {
    /// Where each state's steps begin; states are numbered in the order in which they were first reached.
    first_step: Vec<u32>,
    /// Label and target of each step.
    steps: Vec<(u32, u32)>,
    endings: Vec<Option<Ending>>,
    /// The words of each label, as text.
    labels: Vec<Vec<String>>,
    /// The tasks that are done by each label.
    done: Vec<Vec<TaskIx>>,
    /// The step by which each state was first reached: from where, and its label. The first state's is its own.
    parents: Vec<(u32, u32)>,
    complete: bool,
    exhausted: bool,
    problems: Vec<Problem>,
    pub(super) notes: SpaceNotes,
}

/// What soundness asks about.
#[derive(Debug, Default)]
pub(super) struct SpaceNotes {
    /// By task: it fired.
    pub(super) fired: Vec<bool>,
    /// A net ended with work left over: the task, and the first such step (from where, and its label).
    pub(super) discarded: Vec<(TaskIx, (u32, u32))>,
    /// A net ended with tokens left over: where, and the first such step.
    pub(super) left: Vec<(actum_model::ConditionIx, (u32, u32))>,
    /// Tasks that a stuck case waits with: the task, and the state.
    pub(super) stuck: Vec<(Option<TaskIx>, u32)>,
    /// Tokens pile up: where, and the state.
    pub(super) grows: Option<(actum_model::ConditionIx, u32)>,
}

impl Space {
    /// Number of states.
    #[must_use]
    pub fn states(&self) -> usize {
        self.parents.len()
    }

    /// Number of steps between them.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// Every state and every step is there: no limit was met.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The scenario's bounds left some split without a way to go; what would have followed is in no trace.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// What kept ways from being followed: each kind once for each task.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Label and target of a state's steps; none for one that was not looked at.
    pub(super) fn steps_of(&self, state: u32) -> &[(u32, u32)] {
        let from = self.first_step.get(state as usize).map_or(self.steps.len(), |first| *first as usize);
        let to = self.first_step.get(state as usize + 1).map_or(self.steps.len(), |first| *first as usize);
        &self.steps[from..to]
    }

    pub(super) fn done_by(&self, label: u32) -> &[TaskIx] {
        &self.done[label as usize]
    }

    /// How a case stands in a state where nothing more can happen; `None` elsewhere.
    #[must_use]
    pub fn ending(&self, state: u32) -> Option<Ending> {
        self.endings.get(state as usize).copied().flatten()
    }

    pub(super) fn label(&self, label: u32) -> &[String] {
        &self.labels[label as usize]
    }

    /// The words on a shortest way to a state.
    pub(super) fn way_to(&self, state: u32) -> Vec<String> {
        let (mut state, mut labels) = (state, Vec::new());
        while state != 0 {
            let (before, label) = self.parents[state as usize];
            labels.push(label);
            state = before;
        }
        labels.iter().rev().flat_map(|label| self.label(*label)).cloned().collect()
    }
}

/// Visits every state that the net can be in under the scenario, once each, breadth first.
///
/// Time and memory grow with the number of states, which has a limit; beyond it the space says that it is not complete.
/// Deterministic: the same arguments give the same space.
///
/// # Errors
/// [`ExploreError`], if no case can begin.
pub fn explore(exploration: &Exploration<'_>) -> Result<Space, ExploreError> {
    visit(&Plan::new(exploration), exploration.states_max, None)
}

pub(super) fn visit(plan: &Plan<'_>, states_max: usize, growth: Option<Growth>) -> Result<Space, ExploreError> {
    let mut visitor = Visitor::new(plan, states_max.clamp(1, u32::MAX as usize / 2), growth);
    let mut met = Met::default();
    begin(plan, &mut met, &mut |next| visitor.reach(0, next)).map_err(ExploreError::Start)?;
    visitor.take_note(met);
    visitor.close();
    while let Some((state, case, counters)) = visitor.queue.pop_front() {
        if visitor.space.notes.grows.is_some() {
            visitor.space.complete = false;
            break;
        }
        let mut met = Met::default();
        successors(plan, &case, &counters, &mut met, &mut |next| visitor.reach(state, next));
        let blocked = met.cut || met.exhausted;
        visitor.take_note(met);
        visitor.end(state, &case, blocked);
        visitor.close();
    }
    visitor.space.done = visitor.labels.done();
    visitor.space.labels = visitor.labels.into_texts(plan);
    Ok(visitor.space)
}

struct Visitor<'v> {
    plan: &'v Plan<'v>,
    states_max: usize,
    store: Store,
    labels: Labels,
    queue: VecDeque<(u32, Case, Counters)>,
    growth: Option<Growth>,
    space: Space,
    /// Reused from state to state.
    form: Vec<u8>,
    tokens: Vec<u8>,
}

impl<'v> Visitor<'v> {
    fn new(plan: &'v Plan<'v>, states_max: usize, growth: Option<Growth>) -> Self {
        let mut store = Store::default();
        // Before the case begins. No other form is this short.
        store.insert(&[]);
        Visitor {
            plan,
            states_max,
            store,
            labels: Labels::default(),
            queue: VecDeque::new(),
            growth,
            space: Space {
                first_step: vec![0],
                steps: Vec::new(),
                endings: vec![None],
                labels: Vec::new(),
                done: Vec::new(),
                parents: vec![(0, 0)],
                complete: !plan.bounds_counts(),
                exhausted: false,
                problems: Vec::new(),
                notes: SpaceNotes { fired: vec![false; plan.net.tasks.len()], ..SpaceNotes::default() },
            },
            form: Vec::new(),
            tokens: Vec::new(),
        }
    }

    /// A step was taken. Its target is looked at later if it is new.
    fn reach(&mut self, from: u32, next: Successor) {
        let Successor { case, counters, words, notes } = next;
        self.form.clear();
        self.tokens.clear();
        canon::write(&case, &counters, self.plan.order_matters, &mut self.form, &mut self.tokens);
        let rest = self.form.len();
        self.form.extend_from_slice(&self.tokens);
        let (state, new) = self.store.insert(&self.form);
        let label = self.labels.number(words);
        let step = (label, state);
        let begun = self.space.first_step[from as usize] as usize;
        if !self.space.steps[begun..].contains(&step) {
            self.space.steps.push(step);
        }
        for task in notes.fired {
            self.space.notes.fired[task.index()] = true;
        }
        for (task, code, message) in notes.failed {
            self.problem(task, &code, &message);
        }
        let known = &mut self.space.notes;
        notes.discarded.iter().for_each(|task| note(&mut known.discarded, *task, step, from));
        notes.left.iter().for_each(|condition| note(&mut known.left, *condition, step, from));
        if !new {
            return;
        }
        self.space.parents.push((from, label));
        self.space.endings.push(None);
        if let Some(growth) = &mut self.growth
            && known.grows.is_none()
        {
            known.grows = growth.look(state, from, &self.form[..rest], &case).map(|condition| (condition, state));
        }
        if self.store.len() > self.states_max {
            self.space.complete = false;
        } else {
            self.queue.push_back((state, case, counters));
        }
    }

    /// No more steps lead out of the state that was looked at.
    fn close(&mut self) {
        self.space.first_step.push(self.space.steps.len() as u32);
    }

    fn end(&mut self, state: u32, case: &Case, blocked: bool) {
        let has_steps = self.space.first_step[state as usize] as usize != self.space.steps.len();
        let ending = match case.control.status {
            CaseStatus::Completed => Ending::Done,
            CaseStatus::Cancelled => Ending::Cancelled,
            CaseStatus::Failed => Ending::Failed,
            _ if has_steps || blocked => return,
            _ => {
                // Of failed work the problems tell.
                if !case.control.items.iter().any(|item| item.phase == Phase::Failed) {
                    let waits = waiting(self.plan, case);
                    self.space.notes.stuck.push((waits, state));
                }
                Ending::Stuck
            }
        };
        self.space.endings[state as usize] = Some(ending);
    }

    fn take_note(&mut self, met: Met) {
        self.space.complete &= !met.cut;
        self.space.exhausted |= met.exhausted;
        for (task, rejection) in met.rejected {
            self.problem(Some(task), rejection.code, &rejection.message);
        }
    }

    fn problem(&mut self, task: Option<TaskIx>, code: &str, message: &str) {
        let task = task.map_or_else(String::new, |task| self.plan.names[task.index()].clone());
        let problems = &mut self.space.problems;
        if !problems.iter().any(|known| known.task == task && known.code == code) {
            problems.push(Problem { task, code: code.to_owned(), message: message.to_owned() });
        }
    }
}

/// Notes the first step at which something happened.
fn note<T: PartialEq>(noted: &mut Vec<(T, (u32, u32))>, what: T, (label, _): (u32, u32), from: u32) {
    if !noted.iter().any(|(known, _)| *known == what) {
        noted.push((what, (from, label)));
    }
}

/// The task that a stuck case waits with: one that has work or a part of its tokens.
fn waiting(plan: &Plan<'_>, case: &Case) -> Option<TaskIx> {
    let conditions = case.control.marking.iter().map(|(_, condition, _)| &plan.net.conditions[condition.index()]);
    let consumers = conditions.filter(|condition| !condition.mutex).flat_map(|condition| &condition.consumers);
    consumers.min().copied().or_else(|| case.control.items.last().map(|item| item.task))
}

/// Numbers for the words of steps.
#[derive(Default)]
struct Labels {
    numbers: HashMap<Words, u32, FxBuildHasher>,
    words: Vec<Words>,
}

impl Labels {
    fn number(&mut self, words: Words) -> u32 {
        if let Some(number) = self.numbers.get(&words) {
            return *number;
        }
        let number = self.words.len() as u32;
        self.words.push(words.clone());
        self.numbers.insert(words, number);
        number
    }

    /// By number: the tasks whose work is done, as their traces show it.
    fn done(&self) -> Vec<Vec<TaskIx>> {
        let done = |word: &Word| match word {
            Word::Done(task) | Word::Ended(task) => Some(*task),
            _ => None,
        };
        self.words.iter().map(|words| words.iter().filter_map(done).collect()).collect()
    }

    fn into_texts(self, plan: &Plan<'_>) -> Vec<Vec<String>> {
        self.words.iter().map(|words| words.iter().map(|word| word.text(plan)).collect()).collect()
    }
}
