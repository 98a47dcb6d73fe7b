//! Simulated people who do manual work, in virtual time.
//!
//! What somebody gives back is a function of the seed, the case's key, the task and how often it was done ([`outcome()`]);
//! who does it, of who may ([`cast`]). Time moves from item to item: of many that are due, those of about the same
//! time together, so that many actions share a block.

mod agenda;
mod cast;
mod outcome;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use actum::{ActorId, CaseEvent, CaseId, CaseStatus, CommandError, Engine, Holder, ItemId, Net, VirtualClock, WorkRow};
use actum_model::TaskIx;
use futures_util::future::join;
use futures_util::{StreamExt, TryStreamExt, stream};

use self::agenda::{Agenda, Job};
use self::cast::Cast;
use self::outcome::{Outcome, outcome};
use super::start::{CONCURRENT_MAX, rest};
use super::stop::Stop;

/// How often a person does one task in one case before leaving it alone: a net may run in circles for ever.
const VISITS_MAX: u32 = 1_000;

/// Simulated people at work.
pub(crate) struct Play<'e> {
    engine: &'e Engine,
    clock: VirtualClock,
    seed: u64,
    cast: Cast,
    agenda: Agenda,
    /// Items that somebody has, or that nobody can do.
    settled: HashSet<(CaseId, ItemId)>,
    /// How often each task was done in each open case.
    visits: HashMap<CaseId, HashMap<TaskIx, u32>>,
    /// Manual tasks that an earlier run did in cases that are still open; how often, their past tells.
    done_before: HashMap<CaseId, Vec<TaskIx>>,
}

/// An item that somebody is to begin.
struct Begin {
    row: WorkRow,
    outcome: Outcome,
    people: Vec<ActorId>,
}

impl<'e> Play<'e> {
    /// Registers everybody whom the net, and the nets of open cases, name.
    pub(crate) async fn prepare(
        engine: &'e Engine,
        clock: VirtualClock,
        seed: u64,
        net: Arc<Net>,
        resumed: BTreeSet<CaseId>,
    ) -> Result<Self, CommandError> {
        let mut nets = vec![net];
        for row in resumed.iter().filter_map(|case| engine.row(*case)) {
            clock.advance_to(row.changed);
            if !nets.iter().any(|net| net.hash == row.net) {
                nets.extend(engine.net(row.net));
            }
        }
        let ended = std::cell::Cell::new(actum::Time(0));
        engine.cases().select(|row| {
            ended.set(ended.get().max(row.changed));
            false
        });
        clock.advance_to(ended.get());
        let cast = Cast::register(engine, nets).await?;
        let (agenda, settled, visits) = (Agenda::default(), HashSet::new(), HashMap::new());
        let done_before = done_before(engine, &resumed).await?;
        Ok(Play { engine, clock, seed, cast, agenda, settled, visits, done_before })
    }

    /// Lets people work until there is nothing that they can do.
    pub(crate) async fn run(&mut self, stop: &Stop) -> Result<(), CommandError> {
        self.settled(stop).await;
        let mut rows = self.engine.worklist().all(usize::MAX);
        while !stop.is_asked() {
            let begun = self.begin(rows).await?;
            if !begun.is_empty() {
                // Beginning one thing may make another possible, or impossible.
                self.settled(stop).await;
                rows = self.rows_of(&begun);
                continue;
            }
            let Some((time, jobs)) = self.agenda.next() else { break };
            self.clock.advance_to(time);
            let touched = self.complete(jobs).await?;
            self.settled(stop).await;
            rows = self.rows_of(&touched);
        }
        Ok(())
    }

    /// Handlers may go in circles for ever, so that a wish to stop ends the wait too.
    async fn settled(&self, stop: &Stop) {
        tokio::select! {
            () = self.engine.settled() => {}
            () = stop.asked() => {}
        }
    }

    fn rows_of(&self, cases: &BTreeSet<CaseId>) -> Vec<WorkRow> {
        cases.iter().flat_map(|case| self.engine.worklist().of_case(*case)).collect()
    }

    /// Gives each new item to somebody who may do it, and lets them begin. Returns the cases in which somebody did.
    async fn begin(&mut self, rows: Vec<WorkRow>) -> Result<BTreeSet<CaseId>, CommandError> {
        let mut waiting: Vec<Begin> = rows.into_iter().filter_map(|row| self.plan(row)).collect();
        let mut begun = BTreeSet::new();
        // Each round asks the next person for every item that nobody has begun yet.
        for round in 0.. {
            waiting.retain(|begin| begin.people.len() > round);
            if waiting.is_empty() {
                break;
            }
            // In a choice between items of a case, the one that is drawn first is begun first.
            waiting.sort_by_key(|begin| (begin.row.case, begin.outcome.rank, begin.row.item));
            let engine = self.engine;
            let answers: Vec<Result<(), CommandError>> = stream::iter(&waiting)
                .map(|begin| take_and_start(engine, &begin.row, begin.people[round]))
                .buffered(CONCURRENT_MAX)
                .collect()
                .await;
            let mut left = Vec::new();
            for (begin, answer) in waiting.into_iter().zip(answers) {
                match answer {
                    Ok(()) => {
                        begun.insert(begin.row.case);
                        self.agenda.add(&begin.row, begin.people[round], begin.outcome, self.clock_now());
                    }
                    Err(CommandError::Rejected(no)) if ["work/separation", "work/role"].contains(&no.code) => {
                        left.push(begin);
                    }
                    // Somebody else's work took its tokens, or its case ended.
                    Err(CommandError::Rejected(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            waiting = left;
        }
        Ok(begun)
    }

    fn clock_now(&self) -> actum::Time {
        actum::Clock::now(&self.clock)
    }

    /// Who could do an item and what would come of it; `None` for items that are planned already.
    fn plan(&mut self, row: WorkRow) -> Option<Begin> {
        if !self.settled.insert((row.case, row.item)) {
            return None;
        }
        let net = self.engine.net(row.net)?;
        let task = net.tasks.get(row.task.index())?;
        let visit = self.visits_of(row.case, row.task) + 1;
        if visit > VISITS_MAX {
            return None;
        }
        let key = self.engine.row(row.case)?.key.map_or_else(|| format!("#{}", row.case), String::from);
        let outcome = outcome(self.seed, &key, &net, row.task, visit);
        match &row.holder {
            Holder::Offered(role, to) => {
                let mut people = self.cast.people(net.hash, *role).to_vec();
                people.retain(|person| to.is_empty() || to.contains(person));
                outcome.shuffle(&mut people);
                Some(Begin { row, outcome, people })
            }
            Holder::Allocated(actor) => {
                let people = vec![*actor];
                Some(Begin { row, outcome, people })
            }
            Holder::Started(actor) => {
                let is_failed = self.engine.row(row.case).is_some_and(|case| case.failed.contains(&row.item));
                if !is_failed {
                    tracing::debug!(case = row.case.0, task = task.name, "going on with work that was begun before");
                    let since = row.since;
                    self.agenda.add(&row, *actor, outcome, since);
                }
                None
            }
        }
    }

    /// How often a task was done in a case, in this run and before.
    fn visits_of(&mut self, case: CaseId, task: TaskIx) -> u32 {
        if self.done_before.get(&case).is_some_and(|tasks| tasks.contains(&task)) {
            // Reading the past is slow, and few cases do a task again.
            self.done_before.remove(&case);
            let mut visits = HashMap::new();
            for logged in self.engine.history(case).unwrap_or_default() {
                if let CaseEvent::WorkCompleted { task, .. } = logged.event {
                    *visits.entry(task).or_insert(0) += 1;
                }
            }
            self.visits.insert(case, visits);
        }
        self.visits.get(&case).and_then(|visits| visits.get(&task)).copied().unwrap_or(0)
    }

    fn count_visit(&mut self, case: CaseId, task: TaskIx) {
        // The past that is read later has this visit too.
        if !self.done_before.get(&case).is_some_and(|tasks| tasks.contains(&task)) {
            *self.visits.entry(case).or_default().entry(task).or_insert(0) += 1;
        }
    }

    /// Ends work that is due; returns the cases in which something changed.
    async fn complete(&mut self, jobs: Vec<Job>) -> Result<BTreeSet<CaseId>, CommandError> {
        let engine = self.engine;
        let done: Vec<(CaseId, ItemId, TaskIx)> = stream::iter(jobs)
            .map(|job| async move {
                let place = (job.case, job.item, job.task);
                complete_or_fail(engine, job).await.map(|()| place)
            })
            .buffered(CONCURRENT_MAX)
            .try_collect()
            .await?;
        let mut touched = BTreeSet::new();
        for (case, item, task) in done {
            self.settled.remove(&(case, item));
            self.count_visit(case, task);
            if self.engine.row(case).is_some_and(|row| row.status == CaseStatus::Open) {
                touched.insert(case);
            } else {
                self.visits.remove(&case);
                self.done_before.remove(&case);
            }
        }
        Ok(touched)
    }
}

async fn done_before(engine: &Engine, cases: &BTreeSet<CaseId>) -> Result<HashMap<CaseId, Vec<TaskIx>>, CommandError> {
    let look = |case: &CaseId| {
        let case = *case;
        async move {
            let state = loop {
                match engine.case(case).await {
                    Err(CommandError::Busy { retry_after_ms }) => rest(retry_after_ms).await,
                    other => break other?,
                }
            };
            let performers = state.map(|state| state.control.performers).unwrap_or_default();
            Ok((case, performers.iter().map(|(task, _)| *task).collect::<Vec<_>>()))
        }
    };
    let looked = stream::iter(cases).map(look).buffered(CONCURRENT_MAX);
    looked.try_filter(|(_, tasks)| std::future::ready(!tasks.is_empty())).try_collect().await
}

/// Both requests go into one block; the start waits for nothing but its turn.
async fn take_and_start(engine: &Engine, row: &WorkRow, actor: ActorId) -> Result<(), CommandError> {
    loop {
        let start = engine.start(row.case, row.item, actor);
        let (took, started) = match row.holder {
            Holder::Offered(..) => join(engine.take(row.case, row.item, actor), start).await,
            _ => (Ok(()), start.await),
        };
        match (took, started) {
            (Err(CommandError::Busy { retry_after_ms }), _) | (_, Err(CommandError::Busy { retry_after_ms })) => {
                rest(retry_after_ms).await;
            }
            (Err(refused), Err(_)) => return Err(refused),
            (_, started) => return started,
        }
    }
}

/// A result that the net refuses fails the work, as a person would who cannot do it.
async fn complete_or_fail(engine: &Engine, job: Job) -> Result<(), CommandError> {
    let Job { case, item, actor, result, .. } = job;
    loop {
        match engine.complete(case, item, actor, result.clone()).await {
            Err(CommandError::Busy { retry_after_ms }) => rest(retry_after_ms).await,
            Err(CommandError::Rejected(no)) if ["work/result-form", "work/output"].contains(&no.code) => {
                return ignore_rejection(engine.fail(case, item, actor, no.code, &no.message).await);
            }
            other => return ignore_rejection(other),
        }
    }
}

/// The case went on without this item.
fn ignore_rejection(answer: Result<(), CommandError>) -> Result<(), CommandError> {
    match answer {
        Err(CommandError::Rejected(_)) => Ok(()),
        other => other,
    }
}
