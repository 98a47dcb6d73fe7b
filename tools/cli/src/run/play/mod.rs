//! Simulated people who do manual work, and a simulated world that sends signals, in virtual time.
//!
//! What somebody gives back is a function of the seed, the case's key, the task and how often it was done ([`outcome()`]);
//! who does it, of who may ([`cast`]). Time moves from one thing to the next, be it work, a signal or a timer of the engine: of
//! many that are due, those of about the same time together, so that many actions share a block.

mod agenda;
mod cast;
mod known;
mod outcome;
mod visits;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use actum::{
    ActorId, CaseId, CaseStatus, Clock, CommandError, Engine, Holder, ItemId, Message, Net, Timer, Value, VirtualClock,
    WaitRow, WorkRow,
};
use actum_net::Work;
use futures_util::future::join;
use futures_util::{StreamExt, TryStreamExt, stream};

use self::agenda::{Agenda, Deed, Job, Step, TIMERS_MAX};
use self::cast::Cast;
use self::known::Known;
use self::outcome::Outcome;
pub(crate) use self::outcome::{outcome, signal_minutes};
use self::visits::{Visit, Visits};
use super::start::{CONCURRENT_MAX, rest};
use super::stop::Stop;

/// How often a person does one task in one case before leaving it alone: a net may run in circles for ever.
const VISITS_MAX: u32 = 1_000;
/// How often time moves for the timers of one case: a net may wait in circles for ever.
const TICKS_MAX: u32 = 1_000;
const SECOND: u64 = 1_000_000_000;
/// Minutes after which somebody looks again at work that nobody could do who was there.
const LOOK_AGAIN: u32 = 60;

/// Why somebody may not do an item that another may.
const LEAVES_IT: [&str; 11] = [
    "work/separation",
    "work/role",
    "work/who",
    "work/capability",
    "work/not-offered",
    "work/familiar",
    "work/four-eyes",
    "work/filter",
    "actor/inactive",
    "work/off-duty",
    "work/absent",
];
/// The same, but at another time they may.
const NOT_NOW: [&str; 2] = ["work/off-duty", "work/absent"];

/// A simulated world at work.
pub(crate) struct Play<'e> {
    engine: &'e Engine,
    clock: VirtualClock,
    seed: u64,
    cast: Cast,
    agenda: Agenda,
    known: HashMap<CaseId, Known>,
    visits: Visits,
}

/// An item that somebody is to begin.
struct Begin {
    row: WorkRow,
    outcome: Outcome,
    people: Vec<ActorId>,
    /// Somebody may do it at another time.
    later: bool,
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
            if !nets.iter().any(|net| net.hash == row.net) {
                nets.extend(engine.net(row.net));
            }
        }
        let newest = std::cell::Cell::new(actum::Time(0));
        engine.cases().select(|row| {
            newest.set(newest.get().max(row.changed));
            false
        });
        clock.advance_to(newest.get());
        let cast = Cast::register(engine, nets).await?;
        let (agenda, known, visits) = (Agenda::default(), HashMap::new(), Visits::new(resumed));
        Ok(Play { engine, clock, seed, cast, agenda, known, visits })
    }

    /// Lets things happen until there is nothing more to come.
    pub(crate) async fn run(&mut self, stop: &Stop) -> Result<(), CommandError> {
        self.settled(stop).await;
        let mut touched = self.open_cases();
        let mut idle = 0;
        while !stop.is_asked() {
            let changed = self.react(&touched).await?;
            if !changed.is_empty() {
                // Beginning one thing may make another possible, or impossible.
                self.settled(stop).await;
                touched = changed;
                continue;
            }
            let timers = again_when_busy(|| self.engine.timers(TIMERS_MAX)).await?;
            let engine = self.engine;
            // Calls that wait for a limit of their task go on as time does, and no case says when.
            let held = again_when_busy(|| engine.calls(None)).await?.iter().any(|call| call.waits);
            let (time, jobs) = match self.agenda.next(&timers, |job| is_live(engine, job)) {
                None if held && idle < TICKS_MAX => {
                    idle += 1;
                    (actum::Time(self.clock.now().0.saturating_add(SECOND)), Vec::new())
                }
                None => break,
                Some(Step::Jobs(time, jobs)) => (time, jobs),
                Some(Step::Timers(time)) => (time, Vec::new()),
            };
            touched = due_by(&timers, time);
            if !touched.is_empty() && self.goes_in_circles(&touched) && jobs.is_empty() {
                tracing::warn!("the timers of what is left fired {TICKS_MAX} times; the play ends here");
                break;
            }
            self.clock.advance_to(time);
            touched.extend(self.happen(jobs).await?);
            self.settled(stop).await;
            if held {
                touched = self.open_cases();
            }
        }
        Ok(())
    }

    fn open_cases(&self) -> BTreeSet<CaseId> {
        let open = self.engine.cases().select(|row| row.status == CaseStatus::Open);
        open.into_iter().map(|(case, _)| case).collect()
    }

    /// Handlers may go in circles for ever, so that a wish to stop ends the wait too.
    async fn settled(&self, stop: &Stop) {
        tokio::select! {
            () = self.engine.settled() => {}
            () = stop.asked() => {}
        }
    }

    /// Counts that time moves for the timers of some cases. True if it did so too often for each of them.
    fn goes_in_circles(&mut self, cases: &BTreeSet<CaseId>) -> bool {
        let mut all = true;
        for case in cases {
            let known = self.known.entry(*case).or_default();
            known.ticks += 1;
            all &= known.ticks > TICKS_MAX;
        }
        all
    }

    /// Takes in what is new in some cases: signals are planned, people asked, work begun. Returns the cases that this changed.
    async fn react(&mut self, touched: &BTreeSet<CaseId>) -> Result<BTreeSet<CaseId>, CommandError> {
        let mut begins = Vec::new();
        let mut offers = Vec::new();
        for case in touched {
            let Some(row) = self.engine.row(*case) else { continue };
            if row.status != CaseStatus::Open {
                self.known.remove(case);
                self.visits.forget(*case);
                continue;
            }
            if row.suspended {
                continue;
            }
            let Some(net) = self.engine.net(row.net) else { continue };
            let key = row.key.as_deref().map_or_else(|| format!("#{case}"), str::to_owned);
            for wait in self.engine.waits().of_case(*case) {
                offers.extend(self.hear(*case, &net, &key, &wait));
            }
            for work in self.engine.worklist().of_case(*case) {
                begins.extend(self.plan(work, &net, &key, &row.failed));
            }
        }
        let mut changed = self.begin(begins).await?;
        for (case, item) in offers {
            let asked = again_when_busy(|| self.engine.offer(case, item, &[])).await;
            ignore_rejection(asked)?;
            if self.engine.waits().of_case(case).iter().any(|wait| wait.item == item) {
                self.look_again(case, item);
            } else {
                changed.insert(case);
            }
        }
        Ok(changed)
    }

    /// Plans when the signal comes that an item waits for; gives an item back that people must be asked to do.
    fn hear(&mut self, case: CaseId, net: &Net, key: &str, wait: &WaitRow) -> Option<(CaseId, ItemId)> {
        let task = net.tasks.get(wait.task.index())?;
        if wait.suspended {
            return None;
        }
        let known = self.known.entry(case).or_default();
        let signal = task.trigger.as_ref().filter(|_| !wait.signalled).map(|trigger| (&trigger.signal, true));
        let message = match &task.work {
            Work::Receive { message, .. } => Some((message, false)),
            _ => None,
        };
        let Some((name, is_signal)) = signal.or(message) else {
            let is_work = matches!(task.work, Work::Manual { .. });
            return (is_work && known.offered.insert(wait.item)).then_some((case, wait.item));
        };
        if known.heard.insert(wait.item) {
            let visit = self.visits.of(self.engine, net, case, wait.task, wait.item, Visit::Signal);
            if let Some(minutes) = signal_minutes(self.seed, key, net, name, visit) {
                let name = name.clone();
                let deed = if is_signal { Deed::Signal { name } } else { Deed::Message { name } };
                self.agenda.add(Job { case, item: wait.item, deed }, minutes, wait.since);
            }
        }
        None
    }

    /// Who could do an item and what would come of it; `None` for items that are planned already.
    fn plan(&mut self, row: WorkRow, net: &Net, key: &str, failed: &[ItemId]) -> Option<Begin> {
        let known = self.known.entry(row.case).or_default();
        let is_new = match &row.holder {
            Holder::Started(_) => !failed.contains(&row.item) && known.begun.insert(row.item),
            _ => known.asked.insert(row.item, row.since) != Some(row.since),
        };
        if row.suspended || !is_new {
            return None;
        }
        let visit = self.visits.of(self.engine, net, row.case, row.task, row.item, Visit::Work);
        if visit > VISITS_MAX {
            return None;
        }
        let outcome = outcome(self.seed, key, net, row.task, visit);
        let people = match &row.holder {
            Holder::Offered(role, to) => {
                let mut people = match role {
                    Some(role) => self.cast.people(net.hash, *role).to_vec(),
                    None => to.clone(),
                };
                people.retain(|person| to.is_empty() || to.contains(person));
                outcome.shuffle(&mut people);
                people
            }
            Holder::Allocated(actor) => vec![*actor],
            Holder::Started(actor) => {
                let (actor, since) = (*actor, row.since);
                self.plan_end(&row, actor, outcome, since);
                return None;
            }
        };
        Some(Begin { row, outcome, people, later: false })
    }

    fn plan_end(&mut self, row: &WorkRow, actor: ActorId, outcome: Outcome, since: actum::Time) {
        let deed = Deed::Finish { actor, result: outcome.result };
        self.agenda.add(Job { case: row.case, item: row.item, deed }, outcome.minutes, since);
    }

    /// Gives each item to somebody who may do it, and lets them begin. Returns the cases in which somebody did.
    async fn begin(&mut self, mut waiting: Vec<Begin>) -> Result<BTreeSet<CaseId>, CommandError> {
        let mut begun = BTreeSet::new();
        // Each round asks the next person for every item that nobody has begun yet.
        for round in 0.. {
            let (asks, given_up): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|begin: &Begin| begin.people.len() > round);
            for begin in given_up.iter().filter(|begin| begin.later) {
                self.look_again(begin.row.case, begin.row.item);
            }
            waiting = asks;
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
                        self.known.entry(begin.row.case).or_default().begun.insert(begin.row.item);
                        self.plan_end(&begin.row, begin.people[round], begin.outcome, self.clock.now());
                    }
                    Err(CommandError::Rejected(no)) if LEAVES_IT.contains(&no.code) => {
                        left.push(Begin { later: begin.later || NOT_NOW.contains(&no.code), ..begin });
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

    /// Somebody looks at an item again later, though not for ever.
    fn look_again(&mut self, case: CaseId, item: ItemId) {
        if self.known.entry(case).or_default().may_look_again(item) {
            self.agenda.add(Job { case, item, deed: Deed::LookAgain }, LOOK_AGAIN, self.clock.now());
        }
    }

    /// Lets what is due happen; returns the cases that it concerns.
    async fn happen(&mut self, jobs: Vec<Job>) -> Result<BTreeSet<CaseId>, CommandError> {
        let engine = self.engine;
        let done: Vec<(CaseId, ItemId, bool)> = stream::iter(jobs)
            .map(|job| async move {
                let (case, item) = (job.case, job.item);
                match job.deed {
                    Deed::Finish { actor, result } => {
                        complete_or_fail(engine, case, item, actor, result).await.map(|done| (case, item, done))
                    }
                    Deed::Signal { name } => {
                        let sent = again_when_busy(|| engine.signal(case, ActorId::ENGINE, &name, Value::Null)).await;
                        ignore_rejection(sent).map(|_| (case, item, false))
                    }
                    Deed::Message { name } => {
                        let sent = send(engine, case, item, &name).await;
                        ignore_rejection(sent).map(|_| (case, item, false))
                    }
                    Deed::LookAgain => Ok((case, item, true)),
                }
            })
            .buffered(CONCURRENT_MAX)
            .try_collect()
            .await?;
        let mut touched = BTreeSet::new();
        for (case, item, is_new) in done {
            touched.insert(case);
            if is_new && let Some(known) = self.known.get_mut(&case) {
                known.forget(item);
            }
        }
        Ok(touched)
    }
}

/// Cases with a timer that is due by a time.
fn due_by(timers: &[Timer], time: actum::Time) -> BTreeSet<CaseId> {
    timers.iter().filter(|timer| timer.at <= time).map(|timer| timer.case).collect()
}

/// Sends the message that an item waits for, if it does.
async fn send(engine: &Engine, case: CaseId, item: ItemId, name: &str) -> Result<(), CommandError> {
    let state = again_when_busy(|| engine.case(case)).await?;
    let key = state.as_ref().and_then(|state| state.control.awaited_by(item)).map(|awaited| awaited.key.clone());
    let Some(key) = key else { return Ok(()) };
    let message = || Message::new(name, key.clone(), Value::Null);
    again_when_busy(|| engine.message(message(), ActorId::ENGINE)).await.map(drop)
}

/// Whether there is still somebody or something that a job is about.
fn is_live(engine: &Engine, job: &Job) -> bool {
    match &job.deed {
        Deed::Finish { actor, .. } => {
            let work = engine.worklist().of_case(job.case);
            work.iter().any(|row| row.item == job.item && row.holder == Holder::Started(*actor))
        }
        Deed::Signal { .. } | Deed::Message { .. } => {
            engine.waits().of_case(job.case).iter().any(|wait| wait.item == job.item && !wait.signalled)
        }
        Deed::LookAgain => engine.row(job.case).is_some_and(|row| row.status == CaseStatus::Open),
    }
}

/// Asks again for as long as the engine is busy.
async fn again_when_busy<T, F: Future<Output = Result<T, CommandError>>>(
    ask: impl Fn() -> F,
) -> Result<T, CommandError> {
    loop {
        match ask().await {
            Err(CommandError::Busy { retry_after_ms }) => rest(retry_after_ms).await,
            other => return other,
        }
    }
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

/// A result that the net refuses fails the work, as a person would who cannot do it. False if the case went on without it.
async fn complete_or_fail(
    engine: &Engine,
    case: CaseId,
    item: ItemId,
    actor: ActorId,
    result: Value,
) -> Result<bool, CommandError> {
    match again_when_busy(|| engine.complete(case, item, actor, result.clone())).await {
        Err(CommandError::Rejected(no)) if ["work/result-form", "work/output"].contains(&no.code) => {
            ignore_rejection(again_when_busy(|| engine.fail(case, item, actor, no.code, &no.message)).await)
        }
        other => ignore_rejection(other),
    }
}

/// False if the case went on without what was asked.
fn ignore_rejection(answer: Result<(), CommandError>) -> Result<bool, CommandError> {
    match answer {
        Err(CommandError::Rejected(_)) => Ok(false),
        other => other.map(|()| true),
    }
}
