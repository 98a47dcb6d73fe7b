//! One run: opens the engine, starts cases, waits for them, closes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use actum::{ActorId, CaseId, CaseStatus, Clock as _, CommandError, DeployError, Engine, SystemClock, VirtualClock};
use actum_log::{Clock, Genesis, Seal};
use indicatif::ProgressBar;

use super::Order;
use super::play::Play;
use super::report::Report;
use super::start::{self, Started};
use super::stop::Stop;
use super::summary::{Begun, Summary};
use crate::engine::{VIRTUAL_TIME_BEGINS, open, stopped};
use crate::failure::{Exit, Failure, Outcome, chain};
use crate::number::counted;
use crate::progress;

/// Least wait before looking whether a timer has fired.
const TIMER_LOOK: Duration = Duration::from_millis(5);
/// How often the progress bar is told how many cases ended.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// Looks at an existing data directory before an engine opens it in this process.
pub(super) fn prepare(order: &Order) -> Outcome<()> {
    let place = order.data.display();
    if order.data.is_file() {
        let sentence = format!("{place} is a file; an engine needs a directory of its own, name one with --data");
        return Err(Failure::new(Exit::Failure, sentence));
    }
    let Ok(genesis) = std::fs::read(order.data.join("genesis")) else { return Ok(()) };
    // The engine says what is wrong with a genesis that does not parse.
    match Genesis::parse(&genesis).map(|genesis| genesis.clock()) {
        Ok(Clock::Simulated) if order.play.is_none() => Err(Failure::new(
            Exit::Usage,
            format!(
                "the log at {place} keeps simulated time; go on with it by --play SEED, or name another with --data"
            ),
        )),
        Ok(Clock::Real) if order.play.is_some() => Err(Failure::new(
            Exit::Usage,
            format!("the log at {place} keeps real time, in which nothing can be simulated; name another with --data"),
        )),
        _ => Ok(()),
    }
}

/// Runs the order; the engine is closed when this returns, also after a failure.
pub(super) async fn run(order: &Order) -> Outcome<Summary> {
    let clock = order.play.map(|_| VirtualClock::new(VIRTUAL_TIME_BEGINS));
    let builder = Engine::at(&order.data);
    let builder = match &clock {
        Some(clock) => builder.clock(clock.clone()),
        None => builder,
    };
    let builder = match order.partitions {
        Some(partitions) => builder.partitions(partitions),
        None => builder,
    };
    let engine = open(builder, &order.data).await?;
    let bar = progress::bar(order.format, "running", Some(order.plan.len()));
    let stop = Stop::listen(&bar);
    let outcome = drive(&engine, order, clock, &bar, &stop).await;
    bar.finish_and_clear();
    let closed = engine.close().await;
    match (outcome, closed) {
        (Ok(_), Err(error)) => Err(stopped(&order.data, &error)),
        (outcome, _) => outcome,
    }
}

async fn drive(
    engine: &Engine,
    order: &Order,
    clock: Option<VirtualClock>,
    bar: &ProgressBar,
    stop: &Stop,
) -> Outcome<Summary> {
    let begun = Begun {
        at: Instant::now(),
        events: engine.opened().events,
        work_items: engine.cases().work_completed(),
        resumed: engine.opened().open_cases as u64,
    };
    let broken = |error: CommandError| stopped(&order.data, &error);
    organise(engine, order).await?;
    let net = deploy(engine, order).await?;
    if order.retry_failed {
        retry_failed(engine).await.map_err(broken)?;
    }
    let resumed: BTreeSet<CaseId> = open_cases(engine);
    let mut play = match (order.play, clock) {
        (Some(seed), Some(clock)) => {
            Some(Play::prepare(engine, clock, seed, net.clone(), resumed.clone()).await.map_err(broken)?)
        }
        _ => None,
    };
    let watcher = (!bar.is_hidden()).then(|| watch(engine.clone(), bar.clone(), engine.cases().len()));
    let started = start::start(engine, net.hash, &order.plan, stop).await;
    let went = match (&started, &mut play) {
        (Err(_), _) => Ok(()),
        (Ok(_), Some(play)) => play.run(stop).await,
        (Ok(_), None) => {
            tokio::select! {
                waited = wait_for_timers(engine, order.wait) => waited,
                () = stop.asked() => Ok(()),
            }
        }
    };
    if let Some(watcher) = watcher {
        watcher.abort();
    }
    bar.finish_and_clear();
    let started = started.map_err(broken)?;
    went.map_err(broken)?;
    summarise(engine, order, &begun, started, resumed, stop)
}

/// Returns when nothing is going on, and no timer is due within what is left of a wait.
async fn wait_for_timers(engine: &Engine, wait: Duration) -> Result<(), CommandError> {
    engine.settled().await;
    let end = Instant::now() + wait;
    loop {
        let timer = match engine.timers(1).await {
            Err(CommandError::Busy { retry_after_ms }) => {
                start::rest(retry_after_ms).await;
                continue;
            }
            other => other?.first().copied(),
        };
        let Some(timer) = timer else { return Ok(()) };
        let left = Duration::from_nanos(timer.at.0.saturating_sub(SystemClock.now().0)).max(TIMER_LOOK);
        if Instant::now() + left > end {
            return Ok(());
        }
        tokio::time::sleep(left).await;
        engine.settled().await;
    }
}

/// Tries all work again that failed.
async fn retry_failed(engine: &Engine) -> Result<(), CommandError> {
    let failed = engine.cases().select(|row| row.status == CaseStatus::Open && !row.failed.is_empty());
    let items = failed.iter().flat_map(|(case, row)| row.failed.iter().map(|item| (*case, *item)));
    for (case, item) in items {
        loop {
            match engine.retry(case, item, ActorId::ENGINE).await {
                Err(CommandError::Busy { retry_after_ms }) => start::rest(retry_after_ms).await,
                // It rests, or is part of what does; the report says so.
                Ok(()) | Err(CommandError::Rejected(_)) => break,
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// Loads the organisation, if one is given: what the directory says already changes nothing.
async fn organise(engine: &Engine, order: &Order) -> Outcome<()> {
    let Some(organisation) = &order.organisation else { return Ok(()) };
    match engine.organise(organisation.clone()).await {
        Ok(_) => Ok(()),
        Err(error) => Err(stopped(&order.data, &error)),
    }
}

async fn deploy(engine: &Engine, order: &Order) -> Outcome<std::sync::Arc<actum::Net>> {
    match engine.deploy(&order.source).await {
        Ok((net, _)) => Ok(net),
        Err(DeployError::UnknownHandlers(names)) => {
            let file = order.net_file.display();
            let sentence = format!(
                "{file} needs the handler(s) {}, which `actum run` does not have (it has `expr` and `log`); embed the engine \
                 to bring your own",
                names.join(", ")
            );
            Err(Failure::new(Exit::Failure, sentence))
        }
        Err(DeployError::Command(error)) => Err(stopped(&order.data, &error)),
        Err(error) => Err(Failure::new(Exit::Failure, chain(&error))),
    }
}

fn open_cases(engine: &Engine) -> BTreeSet<CaseId> {
    engine.cases().select(|row| row.status == CaseStatus::Open).into_iter().map(|(case, _)| case).collect()
}

/// Keeps a bar at the number of cases that ended; long cases show that they move by the work that is done.
fn watch(engine: Engine, bar: ProgressBar, cases_before: usize) -> tokio::task::JoinHandle<()> {
    let open_before = engine.cases().count(CaseStatus::Open);
    let work_before = engine.cases().work_completed();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(PROGRESS_EVERY).await;
            let new = engine.cases().len() - cases_before;
            let open = engine.cases().count(CaseStatus::Open);
            let work = engine.cases().work_completed() - work_before;
            bar.set_message(format!("{} done, cases", counted(work, "work item")));
            bar.set_length((open_before + new) as u64);
            bar.set_position((open_before + new).saturating_sub(open) as u64);
        }
    })
}

fn summarise(
    engine: &Engine,
    order: &Order,
    begun: &Begun,
    started: Started,
    resumed: BTreeSet<CaseId>,
    stop: &Stop,
) -> Outcome<Summary> {
    let mut cases = started.cases;
    cases.extend(resumed);
    let seconds = begun.at.elapsed().as_secs_f64();
    let report = Report::of(engine, &cases, stop.is_asked());
    let unreadable = |error| Failure::read(&order.data.display().to_string(), &error);
    let mut seals = Vec::new();
    for partition in 0..engine.partitions() {
        let head = engine.head_of(partition).map_err(unreadable)?;
        seals.extend(head.and_then(|head| Seal::parse(&head.seal).ok()).map(|seal| seal.text));
    }
    let events: u64 = seals.iter().map(|seal| seal.size).sum();
    // The most interesting case: the first that did not complete.
    let example = report.reasons.values().map(|(_, case)| *case).min().or(cases.first().copied());
    Ok(Summary {
        net: order.net.name.clone(),
        again: order.again.clone(),
        data: order.data.clone(),
        report,
        started: started.new,
        skipped: started.skipped,
        resumed: begun.resumed,
        work_items: engine.cases().work_completed() - begun.work_items,
        events: events.saturating_sub(begun.events),
        seconds,
        seals,
        verifier_key: engine.opened().verifier_key.clone(),
        recovered: engine.opened().recovered.clone(),
        example,
        interrupted: stop.is_asked(),
    })
}
