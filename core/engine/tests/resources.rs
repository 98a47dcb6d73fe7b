//! People and an organisation in a running engine: what is decided is recorded, and survives a restart.

use std::collections::BTreeMap;

use actum::{ActorId, CaseEvent, CaseId, CommandError, DeployError, Engine, Phase, Value, organisation};
use actum_model::{Absence, OrganisationEvent, Time};

const STAFF: &str = include_str!("../../../tools/examples/organisation.yaml");

const NET: &str = "actum: 1\nnet: n\nroles: { clerk: {} }\nstart: a\ntasks:\n  a: { resources: { who: { roles: clerk }, allocate: { by: shortest-queue }, may: [put-back, delegate, pile, skip, escalate, suspend, reallocate] }, flow: end }\n";

fn nothing() -> Value {
    Value::Map(BTreeMap::new())
}

async fn owner(engine: &Engine, case: CaseId) -> Option<ActorId> {
    let case = engine.case(case).await.unwrap().unwrap();
    case.control.items.first().and_then(|item| item.resource)
}

fn code(error: CommandError) -> &'static str {
    match error {
        CommandError::Rejected(rejection) => rejection.code,
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_are_kept_in_mind_over_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let mut owners = Vec::new();
    let mut net = None;
    for opening in 0..2 {
        let engine = Engine::at(directory.path()).open().await.unwrap();
        let changes = engine.organise(organisation(STAFF).unwrap()).await.unwrap();
        assert_eq!(changes > 0, opening == 0, "{changes} changes at opening {opening}");
        let (deployed, _) = engine.deploy(NET).await.unwrap();
        net = Some(deployed.hash);
        for _ in 0..3 {
            let case = engine.start_case(deployed.hash, None, BTreeMap::new()).await.unwrap().case;
            owners.push(owner(&engine, case).await.unwrap());
        }
        assert_eq!(engine.held_by(owners[0]).len(), opening + 1);
        engine.close().await.unwrap();
    }
    assert!(net.is_some());
    // Everybody has one before anybody has two.
    let counts = |owners: &[ActorId]| {
        owners.iter().fold(BTreeMap::new(), |mut counts, who| {
            *counts.entry(*who).or_insert(0) += 1;
            counts
        })
    };
    assert_eq!(counts(&owners[..3]).values().copied().collect::<Vec<_>>(), [1, 1, 1]);
    assert_eq!(counts(&owners).values().copied().collect::<Vec<_>>(), [2, 2, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_goes_through_the_engine() {
    let engine = Engine::in_memory().open().await.unwrap();
    engine.organise(organisation(STAFF).unwrap()).await.unwrap();
    let (net, _) = engine.deploy(NET).await.unwrap();
    let case = engine.start_case(net.hash, None, BTreeMap::new()).await.unwrap().case;
    let item = engine.case(case).await.unwrap().unwrap().control.items[0].id;
    let first = owner(&engine, case).await.unwrap();
    engine.put_back(case, item, first).await.unwrap();
    let second = owner(&engine, case).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(code(engine.put_back(case, item, first).await.unwrap_err()), "work/not-yours");
    engine.delegate(case, item, second, first).await.unwrap();
    engine.start(case, item, first).await.unwrap();
    engine.suspend_work(case, item, first).await.unwrap();
    engine.resume_work(case, item, first).await.unwrap();
    engine.reallocate(case, item, first, second, true).await.unwrap();
    engine.escalate(case, item, second, "too large").await.unwrap();
    let above = owner(&engine, case).await.unwrap();
    assert_ne!(above, second);
    engine.complete(case, item, above, nothing()).await.unwrap();
    let history = engine.history(case).unwrap();
    let decisions = history.iter().filter(|logged| matches!(logged.event, CaseEvent::AllocationDecided { .. })).count();
    assert_eq!(decisions, 3, "at first, after it was put back, and above");
    // A pile concerns the cases to come.
    let case = engine.start_case(net.hash, None, BTreeMap::new()).await.unwrap().case;
    let item = engine.case(case).await.unwrap().unwrap().control.items[0].id;
    let piles = owner(&engine, case).await.unwrap();
    engine.pile(case, item, piles, true).await.unwrap();
    for _ in 0..3 {
        let case = engine.start_case(net.hash, None, BTreeMap::new()).await.unwrap().case;
        let state = engine.case(case).await.unwrap().unwrap();
        assert_eq!((state.control.items[0].phase, state.control.items[0].resource), (Phase::Started, Some(piles)));
    }
    engine.pile(case, item, piles, false).await.unwrap();
    let case = engine.start_case(net.hash, None, BTreeMap::new()).await.unwrap().case;
    assert_eq!(engine.case(case).await.unwrap().unwrap().control.items[0].phase, Phase::Allocated);
    let item = engine.case(case).await.unwrap().unwrap().control.items[0].id;
    engine.skip(case, item, owner(&engine, case).await.unwrap()).await.unwrap();
    assert_eq!(engine.case(case).await.unwrap(), None, "skipped to its end");
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_organisation_changes_and_offers_by_name_are_seen() {
    let engine = Engine::in_memory().open().await.unwrap();
    engine.organise(organisation(STAFF).unwrap()).await.unwrap();
    let offered = NET.replace("allocate: { by: shortest-queue }", "when: 'who.cost < 60'");
    let (net, _) = engine.deploy(&offered).await.unwrap();
    let (ana, _) = engine.actor("ana").unwrap();
    let (ben, _) = engine.actor("ben").unwrap();
    let (cem, _) = engine.actor("cem").unwrap();
    let always = Absence { from: Time(0), until: Time(u64::MAX), reason: "leave".to_owned() };
    engine.change_organisation(OrganisationEvent::AbsenceAdded { actor: ben, absence: always.clone() }).await.unwrap();
    let case = engine.start_case(net.hash, None, BTreeMap::new()).await.unwrap().case;
    let seen = |who| engine.offered_to(who).len();
    assert_eq!((seen(ana), seen(ben), seen(cem)), (1, 0, 0), "Ben is away, Cem costs too much");
    let item = engine.offered_to(ana)[0].item;
    engine.take(case, item, ana).await.unwrap();
    assert_eq!((seen(ana), engine.held_by(ana).len()), (0, 1));
    // Two take at once: one has it.
    let nobody = ActorId(99);
    let change = OrganisationEvent::AbsenceAdded { actor: nobody, absence: always };
    assert_eq!(code(engine.change_organisation(change).await.unwrap_err()), "actor/unknown");
    let change = OrganisationEvent::CalendarAssigned { actor: ana, calendar: Some("none".to_owned()) };
    assert_eq!(code(engine.change_organisation(change).await.unwrap_err()), "directory/change");
    let case = engine.start_case(net.hash, None, BTreeMap::new()).await.unwrap().case;
    engine
        .change_organisation(OrganisationEvent::AbsenceRemoved { actor: ben, from: Time(0), until: Time(u64::MAX) })
        .await
        .unwrap();
    engine.offer(case, item, &[]).await.unwrap();
    let (one, other) = tokio::join!(engine.take(case, item, ana), engine.take(case, item, ben));
    assert!(one.is_ok() != other.is_ok());
    assert_eq!(code(one.and(other).unwrap_err()), "work/phase");
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strategy_that_nobody_registered_is_refused_at_deployment() {
    let engine = Engine::in_memory().open().await.unwrap();
    let net = NET.replace("{ by: shortest-queue }", "{ own: mine }");
    let Err(DeployError::UnknownStrategies(names)) = engine.deploy(&net).await else { panic!("a refusal") };
    assert_eq!(names, ["mine"]);
    engine.close().await.unwrap();
}
