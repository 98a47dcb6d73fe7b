//! An error at every single commit, in every manner: what was acknowledged is there, what failed said so.

use std::collections::BTreeMap;
use std::sync::Arc;

use actum::{CaseId, CommandError, Engine, OpenError};
use actum_log::{EventStore, Fault, FaultyStore, FileSigner, Genesis, MemoryStore, Signer};
use actum_tests::{COUNT, counting, from, tries};
use actum_verify::{Trust, verify_source};

/// Commits at which to fail, from 0; a campaign sets `ACTUM_FAULTS`.
const COMMITS: u64 = 100;
/// Starts under way at the same time, so that commits hold several blocks.
const CONCURRENT: i64 = 3;
/// Blocks on their way at the same time.
const IN_FLIGHT: u64 = 4;

fn signer() -> Arc<dyn Signer> {
    Arc::new(FileSigner::from_seed(&[7; 32]))
}

/// Runs an engine until its store fails at commit `fails_at`. Gives what was acknowledged by key.
async fn run(store: MemoryStore, fails_at: u64, fault: Fault) -> BTreeMap<i64, CaseId> {
    let faulty = FaultyStore::new(store, fails_at, fault);
    let mut limits = actum::Limits::default();
    limits.blocks_in_flight_max = IN_FLIGHT;
    let mut acknowledged = BTreeMap::new();
    let engine = match counting(Engine::on_store(faulty, signer())).limits(limits).open().await {
        Ok(engine) => engine,
        Err(OpenError::Write(_)) if fails_at == 0 => return acknowledged,
        Err(error) => panic!("{error}"),
    };
    let Ok((net, _)) = engine.deploy(COUNT).await else {
        assert!(fails_at <= 2, "deploying is among the first commits");
        return acknowledged;
    };
    let net = net.hash;
    let mut stopped = false;
    for first in (0..).step_by(CONCURRENT as usize) {
        let starts = (first..first + CONCURRENT).map(|key| {
            let engine = &engine;
            async move { (key, engine.start_case(net, Some(&key.to_string()), from(key)).await) }
        });
        for (key, started) in futures_util::future::join_all(starts).await {
            match started {
                Ok(started) => drop(acknowledged.insert(key, started.case)),
                Err(CommandError::Stopped(_)) => stopped = true,
                Err(other) => panic!("{other}"),
            }
        }
        if stopped {
            break;
        }
    }
    let again = engine.start_case(net, None, from(0)).await;
    assert!(matches!(again, Err(CommandError::Stopped(_))), "a stopped engine takes nothing more: {again:?}");
    assert!(matches!(engine.case(CaseId(1)).await, Err(CommandError::Stopped(_))), "nor does it answer");
    for row in acknowledged.values() {
        assert!(engine.row(*row).is_some(), "what was acknowledged is shown");
    }
    acknowledged
}

async fn check(fault: Fault) {
    for fails_at in 0..tries("ACTUM_FAULTS", COMMITS) {
        let name = format!("{fault:?} at commit {fails_at}");
        let genesis = Genesis::new([1; 16], "example.com/faults", 0, signer().public_key()).unwrap();
        let store = MemoryStore::new(genesis.to_string());
        let acknowledged = run(store.clone(), fails_at, fault).await;
        let head = store.head(0);
        verify_source(&store, &Trust::self_signed(), &mut |_| {}).unwrap_or_else(|fault| panic!("{name}: {fault}"));

        let engine = counting(Engine::on_store(store.clone(), signer())).open().await.unwrap();
        for (key, case) in &acknowledged {
            let row = engine.row(*case).unwrap_or_else(|| panic!("{name}: case {case} was acknowledged and is gone"));
            assert_eq!(row.key.as_deref(), Some(key.to_string().as_str()), "{name}");
        }
        let net = engine.deploy(COUNT).await.unwrap().0.hash;
        // A start that failed is made again under its key: it starts once, whether it had been stored or not.
        let next = acknowledged.keys().next_back().map_or(0, |key| key + 1);
        let one = engine.start_case(net, Some(&next.to_string()), from(next)).await.unwrap();
        let two = engine.start_case(net, Some(&next.to_string()), from(next)).await.unwrap();
        assert_eq!((one.case, false), (two.case, two.is_new), "{name}");
        engine.settled().await;
        let cases = engine.cases();
        assert_eq!(cases.count(actum::CaseStatus::Completed), cases.len(), "{name}: every case goes on and ends");
        engine.close().await.unwrap();
        assert!(store.head(0).unwrap().size > head.map_or(0, |head| head.size), "{name}: the log goes on");
        verify_source(&store, &Trust::self_signed(), &mut |_| {}).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    }
}

#[tokio::test]
async fn an_error_before_storing() {
    check(Fault::BeforeStoring).await;
}

#[tokio::test]
async fn an_error_after_storing() {
    check(Fault::AfterStoring).await;
}

#[tokio::test]
async fn a_commit_that_is_half_stored() {
    check(Fault::HalfStored).await;
}
