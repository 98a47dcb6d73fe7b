//! One run: opens the engine, starts cases, waits for them, closes.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use actum::{CaseId, CaseStatus, CommandError, DeployError, Engine, OpenError, Time, VirtualClock};
use actum_log::{Clock, Genesis, Seal};
use indicatif::ProgressBar;

use super::Order;
use super::play::Play;
use super::report::Report;
use super::start::{self, Started};
use super::stop::Stop;
use super::summary::{Begun, Summary};
use crate::failure::{Exit, Failure, Outcome, advice, chain, no_log};
use crate::log::probe;
use crate::progress;

/// Where virtual time begins: 2026-01-05T08:00:00Z, a Monday.
const PLAY_BEGINS: Time = Time(1_767_600_000_000_000_000);

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
        _ => probe(&order.data),
    }
}

/// Runs the order; the engine is closed when this returns, also after a failure.
pub(super) async fn run(order: &Order) -> Outcome<Summary> {
    let clock = order.play.map(|_| VirtualClock::new(PLAY_BEGINS));
    let builder = Engine::at(&order.data);
    let builder = match &clock {
        Some(clock) => builder.clock(clock.clone()),
        None => builder,
    };
    let engine = builder.open().await.map_err(|error| cannot_open(&order.data, &error))?;
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
    let net = deploy(engine, order).await?;
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
                () = engine.settled() => {}
                () = stop.asked() => {}
            }
            Ok(())
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

/// Keeps a bar at the number of cases that ended.
fn watch(engine: Engine, bar: ProgressBar, cases_before: usize) -> tokio::task::JoinHandle<()> {
    let open_before = engine.cases().count(CaseStatus::Open);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(PROGRESS_EVERY).await;
            let new = engine.cases().len() - cases_before;
            let open = engine.cases().count(CaseStatus::Open);
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
    let head = engine.head().map_err(|error| Failure::read(&order.data.display().to_string(), &error))?;
    let seal = head.and_then(|head| Seal::parse(&head.seal).ok()).map(|seal| seal.text);
    let events = seal.as_ref().map_or(0, |seal| seal.size);
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
        seal,
        verifier_key: engine.opened().verifier_key.clone(),
        example,
        interrupted: stop.is_asked(),
    })
}

fn cannot_open(data: &Path, error: &OpenError) -> Failure {
    let place = data.display().to_string();
    match error {
        OpenError::Read(actum_log::ReadError::NotFound(_)) => no_log(&place),
        OpenError::Read(error) => Failure::read(&place, error),
        OpenError::Locked(_) => {
            let sentence = format!(
                "another process is running on {place}; wait for it, stop it, or name another directory with --data"
            );
            Failure::new(Exit::Unavailable, sentence)
        }
        OpenError::Key(why) if !data.join("genesis").exists() => {
            let sentence =
                format!("no log can be made at {place}: {why}; name another directory with --data, or mend that");
            Failure::new(Exit::Unavailable, sentence)
        }
        OpenError::Key(why) if is_out_of_reach(&data.join("keys").join("seal.pem")) => {
            Failure::new(Exit::Unavailable, format!("{place} cannot be written: {why}; mend its permissions"))
        }
        OpenError::Key(why) => {
            let sentence =
                format!("{place} cannot be written, since its signing key cannot be used: {why}; restore it");
            Failure::new(Exit::Corrupt, sentence)
        }
        OpenError::Write(error) => {
            Failure::new(Exit::Unavailable, format!("{place}: {error}; make room and try again"))
        }
        other => Failure::new(Exit::Failure, format!("{place}: {}", chain(other))),
    }
}

/// A file is there, but this process may not read it, or has too many open.
fn is_out_of_reach(path: &Path) -> bool {
    std::fs::File::open(path).is_err_and(|error| error.kind() != std::io::ErrorKind::NotFound)
}

/// The engine cannot go on. What was acknowledged is safe.
fn stopped(data: &Path, error: &CommandError) -> Failure {
    let place = data.display();
    match error {
        CommandError::Rejected(rejection) => Failure::new(Exit::Failure, rejection.message.clone()),
        CommandError::Stopped(error) => Failure::new(
            Exit::Unavailable,
            format!(
                "{place}: {error}; what was acknowledged is safe; mend that (make room?) and give the same command again"
            ),
        ),
        other => Failure::new(Exit::Failure, format!("{place}: {other}{}", advice(Exit::Failure))),
    }
}
