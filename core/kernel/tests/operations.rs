//! What people do with work beside doing it: each operation, and each way it is refused.

mod office;

use actum_model::{ActorId, CaseCommand, CaseEvent, CaseStatus, OrganisationEvent, Phase};
use office::{ANA, BEN, CEM, DIA, EVE, Office, nothing};

const ENGINE: ActorId = ActorId::ENGINE;

/// One task of the clerks that allows these operations, then another, then the end.
fn net(may: &str, more: &str) -> String {
    format!(
        "actum: 1\nnet: n\nroles: {{ clerk: {{}}, boss: {{}} }}\nstart: a\ntasks:\n  a: {{ resources: {{ who: {{ roles: clerk }}, may: [{may}]{more} }}, flow: b }}\n  b: {{ role: boss, flow: end }}\n"
    )
}

/// An office where Ana has taken the task.
fn taken(may: &str) -> Office {
    let mut office = Office::of(&net(may, ""));
    office.start();
    let item = office.item("a").id;
    office.does(ANA, CaseCommand::TakeWork { item });
    office
}

fn begun(may: &str) -> Office {
    let mut office = taken(may);
    let item = office.item("a").id;
    office.does(ANA, CaseCommand::StartWork { item });
    office
}

#[test]
fn what_waits_for_a_signal_is_not_given_to_anybody_before_it_comes() {
    let source = net("escalate", "").replace("flow: b }", "flow: b, trigger: { signal: go } }");
    let mut office = Office::of(&source);
    office.start();
    let item = office.item("a").id;
    office.refuses(ENGINE, CaseCommand::OfferWork { item, to: vec![] }, "work/waits");
    office.refuses(ENGINE, CaseCommand::EscalateWork { item, reason: String::new() }, "work/waits");
    office.does(ENGINE, CaseCommand::Signal { name: "go".to_owned(), data: actum_model::Value::Null });
    assert_eq!(office.item("a").phase, Phase::Offered);
    office.does(ENGINE, CaseCommand::OfferWork { item, to: vec![] });
}

#[test]
fn every_operation_needs_leave_and_an_owner() {
    let mut office = begun("");
    let item = office.item("a").id;
    let reason = String::new();
    let commands = |item| {
        vec![
            CaseCommand::PutBackWork { item },
            CaseCommand::DelegateWork { item, to: BEN },
            CaseCommand::ReallocateWork { item, to: BEN, keep_state: true },
            CaseCommand::SuspendWork { item, until: None },
            CaseCommand::SkipWork { item },
            CaseCommand::PileWork { item, on: true },
            CaseCommand::EscalateWork { item, reason: reason.clone() },
        ]
    };
    for command in commands(item) {
        office.refuses(ANA, command, "work/not-allowed");
    }
    let mut office = begun("put-back, delegate, reallocate, suspend, skip, pile, escalate");
    let item = office.item("a").id;
    for command in commands(item) {
        office.refuses(BEN, command.clone(), "work/not-yours");
        office.refuses(ActorId(99), command, "actor/unknown");
    }
    for command in commands(actum_model::ItemId(77)) {
        office.refuses(ANA, command, "work/not-found");
    }
}

#[test]
fn work_that_is_put_back_is_handed_out_again() {
    let mut office = taken("put-back");
    let item = office.item("a").id;
    office.does(ANA, CaseCommand::PutBackWork { item });
    assert_eq!((office.item("a").phase, office.item("a").resource), (Phase::Offered, None));
    office.refuses(ANA, CaseCommand::PutBackWork { item }, "work/phase");
    office.do_as(BEN, "a");
    // Begun work keeps its tokens, and takes none again.
    let mut office = begun("put-back");
    let tokens = office.case.control.marking.clone();
    office.does(ANA, CaseCommand::PutBackWork { item });
    assert_eq!((office.item("a").phase, &office.case.control.marking), (Phase::Offered, &tokens));
    office.do_as(BEN, "a");
    assert_eq!(office.item("b").phase, Phase::Offered);
}

#[test]
fn what_the_system_gave_does_not_come_back_to_who_put_it_back() {
    let mut office = Office::of(&net("put-back", ", allocate: { by: cheapest }"));
    office.start();
    let item = office.item("a").id;
    for (gives_back, gets) in [(BEN, ANA), (ANA, BEN)] {
        assert_eq!(office.item("a").resource, Some(gives_back));
        office.does(gives_back, CaseCommand::PutBackWork { item });
        assert_eq!(office.item("a").resource, Some(gets));
        assert!(office.decision().rules.contains(&("put-back".to_owned(), vec![gives_back])));
    }
}

#[test]
fn delegated_work_is_the_others_to_begin() {
    let mut office = taken("delegate");
    let item = office.item("a").id;
    office.refuses(ANA, CaseCommand::DelegateWork { item, to: ANA }, "work/same-person");
    office.refuses(ANA, CaseCommand::DelegateWork { item, to: DIA }, "work/role");
    office.refuses(ANA, CaseCommand::DelegateWork { item, to: EVE }, "actor/inactive");
    office.refuses(ANA, CaseCommand::DelegateWork { item, to: ActorId(99) }, "actor/unknown");
    office.now = office::at("2026-07-03T12:00:00Z");
    office.refuses(ANA, CaseCommand::DelegateWork { item, to: CEM }, "work/absent");
    office.does(ANA, CaseCommand::DelegateWork { item, to: BEN });
    office.refuses(ANA, CaseCommand::StartWork { item }, "work/not-yours");
    office.does(BEN, CaseCommand::StartWork { item });
    office.refuses(BEN, CaseCommand::DelegateWork { item, to: ANA }, "work/phase");
}

#[test]
fn begun_work_is_handed_over_with_its_state_or_without() {
    for keep_state in [true, false] {
        let mut office = begun("reallocate");
        let item = office.item("a").id;
        office.refuses(ANA, CaseCommand::ReallocateWork { item, to: DIA, keep_state }, "work/role");
        office.does(ANA, CaseCommand::ReallocateWork { item, to: BEN, keep_state });
        let expected = if keep_state { Phase::Started } else { Phase::Allocated };
        assert_eq!((office.item("a").phase, office.item("a").resource), (expected, Some(BEN)));
        if !keep_state {
            office.refuses(BEN, CaseCommand::ReallocateWork { item, to: ANA, keep_state }, "work/phase");
            office.does(BEN, CaseCommand::StartWork { item });
        }
        office.does(BEN, CaseCommand::CompleteWork { item, result: nothing() });
        assert_eq!(office.item("b").phase, Phase::Offered);
    }
}

#[test]
fn work_is_laid_aside_and_gone_on_with() {
    let mut office = begun("suspend");
    let item = office.item("a").id;
    office.does(ANA, CaseCommand::SuspendWork { item, until: None });
    assert_eq!(office.item("a").phase, Phase::Suspended);
    office.refuses(ANA, CaseCommand::SuspendWork { item, until: None }, "work/phase");
    office.refuses(ANA, CaseCommand::CompleteWork { item, result: nothing() }, "work/phase");
    office.refuses(BEN, CaseCommand::ResumeWork { item }, "work/not-yours");
    office.does(ANA, CaseCommand::ResumeWork { item });
    office.does(ANA, CaseCommand::CompleteWork { item, result: nothing() });
}

#[test]
fn skipped_work_goes_on_as_if_it_had_been_done_by_nobody() {
    for start in [false, true] {
        let mut office = if start { begun("skip") } else { taken("skip") };
        let item = office.item("a").id;
        office.does(ANA, CaseCommand::SkipWork { item });
        assert_eq!(office.item("b").phase, Phase::Offered);
        assert!(office.case.control.performers.is_empty(), "nobody did it");
    }
    let mut office = Office::of(&net("skip", ""));
    office.start();
    let item = office.item("a").id;
    office.refuses(ANA, CaseCommand::SkipWork { item }, "work/phase");
}

#[test]
fn a_skipped_join_swallows_what_comes_late_as_if_it_had_fired() {
    let mut office = Office::of(
        "actum: 1\nnet: n\nroles: { clerk: {} }\ntermination: implicit\nstart: s\ntasks:\n  s: { split: and, flow: [x, y] }\n  x: { flow: a }\n  y: { role: clerk, flow: a }\n  a: { join: { of: 1, rest: absorb }, resources: { who: { roles: clerk }, may: [skip] }, flow: b }\n  b: { role: clerk }\n",
    );
    office.start();
    let item = office.item("a").id;
    office.does(ANA, CaseCommand::TakeWork { item });
    office.does(ANA, CaseCommand::SkipWork { item });
    let item = office.item("y").id;
    office.does(ANA, CaseCommand::TakeWork { item });
    office.does(ANA, CaseCommand::StartWork { item });
    office.does(ANA, CaseCommand::CompleteWork { item, result: nothing() });
    let a = office.net.task("a").unwrap();
    assert!(office.case.control.item_of(a).is_none(), "the late token is not for another firing");
}

#[test]
fn piled_work_comes_begun_to_who_asked_for_it() {
    let mut office = Office::of(&net("pile", ""));
    office.start();
    let item = office.item("a").id;
    office.refuses(DIA, CaseCommand::PileWork { item, on: true }, "work/role");
    office.refuses(ENGINE, CaseCommand::PileWork { item, on: true }, "work/not-yours");
    office.refuses(BEN, CaseCommand::PileWork { item, on: false }, "work/no-pile");
    office.does(BEN, CaseCommand::PileWork { item, on: true });
    assert_eq!((office.item("a").phase, office.item("a").resource), (Phase::Started, Some(BEN)));
    let (net_hash, task) = (office.net.hash, office.net.task("a").unwrap());
    // The engine records it in the directory; the next case finds it there.
    let pile = |actor| OrganisationEvent::PileChanged { net: net_hash, task, actor };
    let mut next = Office::of(&net("pile", ""));
    next.change(pile(Some(BEN)));
    next.start();
    assert_eq!((next.item("a").phase, next.item("a").resource), (Phase::Started, Some(BEN)));
    assert_eq!((next.decision().strategy.as_str(), next.decision().chosen), ("pile", Some(BEN)));
    let item = next.item("a").id;
    next.does(BEN, CaseCommand::PileWork { item, on: false });
    // Who may not do it any more gets none.
    let mut last = Office::of(&net("pile", ""));
    last.change(pile(Some(BEN)));
    last.change(OrganisationEvent::ActivityChanged { actor: BEN, active: false });
    last.start();
    assert_eq!((last.item("a").phase, last.item("a").resource), (Phase::Offered, None));
}

#[test]
fn escalated_work_goes_to_who_is_above() {
    let mut office = taken("escalate");
    let item = office.item("a").id;
    office.does(ANA, CaseCommand::EscalateWork { item, reason: "too large".to_owned() });
    assert_eq!((office.item("a").phase, office.item("a").resource), (Phase::Allocated, Some(CEM)));
    let told = office.events.iter().any(|event| {
        matches!(event, CaseEvent::WorkEscalated { to: Some(to), reason, .. } if *to == CEM && reason == "too large")
    });
    assert!(told && office.decision().strategy == "escalation");
    office.does(CEM, CaseCommand::EscalateWork { item, reason: String::new() });
    assert_eq!(office.item("a").resource, Some(DIA));
    office.refuses(DIA, CaseCommand::EscalateWork { item, reason: String::new() }, "work/no-superior");
    office.does(DIA, CaseCommand::StartWork { item });
    office.does(DIA, CaseCommand::CompleteWork { item, result: nothing() });
    // What nobody has goes above those it was offered to; begun work stays begun.
    let mut office = Office::of(&net("escalate", ""));
    office.start();
    let item = office.item("a").id;
    office.refuses(DIA, CaseCommand::EscalateWork { item, reason: String::new() }, "work/role");
    office.does(ENGINE, CaseCommand::EscalateWork { item, reason: String::new() });
    assert_eq!(office.item("a").phase, Phase::Allocated);
    let mut office = begun("escalate");
    let item = office.item("a").id;
    office.does(ENGINE, CaseCommand::EscalateWork { item, reason: String::new() });
    assert_eq!((office.item("a").phase, office.item("a").resource), (Phase::Started, Some(CEM)));
    office.does(CEM, CaseCommand::CompleteWork { item, result: nothing() });
    office.does(DIA, CaseCommand::TakeWork { item: office.item("b").id });
    assert_eq!(office.case.control.status, CaseStatus::Open);
}
