//! Resources: given an organisation and a net, when work becomes possible or somebody asks, then who gets it, and why.

mod office;

use std::collections::BTreeMap;

use actum_kernel::resource::{AllocationStrategy, Choice, Chosen};
use actum_model::{ActorId, CaseCommand, CaseEvent, CaseStatus, OrganisationEvent, Phase};
use actum_net::Strategy;
use office::{ANA, BEN, CEM, DIA, EVE, Office};

/// One task with these resources, then the end.
fn one(resources: &str) -> String {
    format!(
        "actum: 1\nnet: n\ndata: {{ limit: {{ type: int, default: 3 }} }}\nroles: {{ clerk: {{}}, boss: {{}} }}\nstart: a\ntasks:\n  a: {{ resources: {resources}, flow: end }}\n"
    )
}

/// Two tasks: `first` is the clerks', the second has these resources.
fn two(resources: &str) -> String {
    format!(
        "actum: 1\nnet: n\nroles: {{ clerk: {{}}, boss: {{}} }}\nstart: first\ntasks:\n  first: {{ role: clerk, flow: a }}\n  a: {{ resources: {resources}, flow: end }}\n"
    )
}

#[test]
fn every_demand_says_who_comes_into_question() {
    for (who, expected) in [
        ("roles: clerk", vec![ANA, BEN, CEM]),
        ("roles: [clerk, boss]", vec![ANA, BEN, CEM, DIA]),
        ("positions: accountant", vec![ANA, BEN]),
        ("groups: finance", vec![ANA, BEN, CEM]),
        ("groups: head-office", vec![ANA, BEN, CEM, DIA]),
        ("participants: [dia, nobody-of-that-name]", vec![DIA]),
        ("capabilities: { audit: 1 }", vec![ANA, BEN, CEM]),
        ("capabilities: { audit: 3 }", vec![ANA, CEM]),
        ("roles: clerk, capabilities: { audit: 4 }", vec![CEM]),
    ] {
        let mut office = Office::of(&one(&format!("{{ who: {{ {who} }}, when: 'true' }}")));
        office.start();
        assert_eq!(office.decision().candidates, expected, "{who}");
        assert_eq!(office.item("a").offered_to, expected, "{who}");
    }
}

/// Whom each rule takes out, and what who was taken out hears.
#[test]
fn every_rule_keeps_somebody_from_the_work() {
    let (wednesday_noon, sunday) = ("2026-01-07T11:30:00Z", "2026-01-04T11:30:00Z");
    for (rules, now, rule, removed, code) in [
        ("when: 'who.cost < 50'", wednesday_noon, "when", vec![CEM], "work/filter"),
        ("not_if: 'who.capabilities.audit < limit'", wednesday_noon, "not-if", vec![BEN], "work/filter"),
        ("calendar: true", sunday, "calendar", vec![ANA, BEN], "work/off-duty"),
        ("when: 'true'", "2026-07-03T12:00:00Z", "absent", vec![CEM], ""),
        ("calendar: true", "2026-07-03T09:00:00Z", "absent", vec![CEM], "work/absent"),
        (
            "when: 'who.name.missing == 1'",
            wednesday_noon,
            "when cannot be evaluated",
            vec![ANA, BEN, CEM],
            "work/filter",
        ),
    ] {
        let mut office = Office::of(&one(&format!("{{ who: {{ roles: clerk }}, {rules} }}")));
        office.now = office::at(now);
        office.start();
        let decision = office.decision();
        let by_rule: BTreeMap<_, _> = decision.rules.iter().cloned().collect();
        assert_eq!(by_rule.get(rule), Some(&removed), "{rules}: {decision:?}");
        let item = office.item("a").id;
        if !code.is_empty() && removed.len() < 3 {
            office.refuses(removed[0], CaseCommand::TakeWork { item }, code);
        }
        office.refuses(
            EVE,
            CaseCommand::TakeWork { item },
            if removed.len() < 3 { "actor/inactive" } else { "work/phase" },
        );
        if removed.len() < 3 {
            office.refuses(DIA, CaseCommand::TakeWork { item }, "work/role");
        }
    }
}

#[test]
fn a_lacking_capability_is_a_rule() {
    let mut office = Office::of(&one("{ who: { groups: finance, capabilities: { audit: 3 } } }"));
    office.start();
    assert_eq!(office.decision().rules, [("capability audit".to_owned(), vec![BEN])]);
    let item = office.item("a").id;
    office.refuses(BEN, CaseCommand::TakeWork { item }, "work/capability");
    office.refuses(DIA, CaseCommand::TakeWork { item }, "work/who");
    office.does(CEM, CaseCommand::TakeWork { item });
}

#[test]
fn the_history_of_the_case_decides() {
    for (rules, rule, left, code) in [
        ("separate_from: first", "separate-from", vec![BEN, CEM], "work/separation"),
        ("four_eyes: first", "four-eyes", vec![BEN, CEM], "work/four-eyes"),
        ("same_as: first", "same-as", vec![ANA], "work/familiar"),
        ("when: '\"first\" in who.did'", "when", vec![ANA], "work/filter"),
        ("not_if: '\"first\" in who.did'", "not-if", vec![BEN, CEM], "work/filter"),
    ] {
        let mut office = Office::of(&two(&format!(
            "{{ who: {{ roles: clerk }}, offer: system, calendar: false, {rules}, may: [] }}"
        )));
        office.start();
        office.do_as(ANA, "first");
        let item = office.item("a").id;
        if rule != "separate-from" {
            let decision = office.decision();
            assert_eq!(decision.candidates, left, "{rules}");
            assert!(decision.rules.iter().any(|(name, removed)| name == rule && !removed.is_empty()), "{decision:?}");
        }
        let refused = [ANA, BEN, CEM].into_iter().find(|who| !left.contains(who)).unwrap();
        office.refuses(refused, CaseCommand::TakeWork { item }, code);
        office.does(left[0], CaseCommand::TakeWork { item });
    }
}

#[test]
fn without_a_first_pair_of_eyes_nobody_is_the_second() {
    let net = "actum: 1\nnet: n\nroles: { clerk: {} }\nconditions: { c: { flow: [b, a] } }\nstart: s\ntasks:\n  s: { flow: c }\n  b: { role: clerk, flow: end }\n  a: { resources: { who: { roles: clerk }, four_eyes: b }, flow: end }\n";
    let mut office = Office::of(net);
    office.start();
    assert_eq!(office.decision().candidates, []);
    assert_eq!(office.item("a").phase, Phase::Enabled);
}

fn allocated(strategy: &str) -> String {
    one(&format!("{{ who: {{ roles: clerk }}, allocate: {{ by: {strategy} }} }}"))
}

#[test]
fn every_strategy_chooses_whom_it_says() {
    for strategy in Strategy::ALL {
        let mut office = Office::of(&allocated(strategy.name()));
        // Ana did the task once, and has an item of it that is not begun; Ben has one that is begun, Cem none.
        office.standing.push((ANA, 10, 1, 1, 1, 1));
        office.standing.push((BEN, 20, 2, 2, 0, 2));
        office.standing.push((CEM, 5, 3, 0, 0, 3));
        office.now = office::at("2026-01-07T11:30:00Z");
        office.start();
        let decision = office.decision();
        assert_eq!(decision.strategy, strategy.name());
        let chosen = decision.chosen.unwrap();
        match strategy {
            Strategy::RoundRobinTime => assert_eq!(chosen, CEM, "the longest ago"),
            Strategy::RoundRobinFrequency => assert_eq!(chosen, ANA, "given fewest"),
            Strategy::RoundRobinExperience => assert_eq!(chosen, ANA, "one done; Cem brought twelve along"),
            Strategy::ShortestQueue => assert_eq!(chosen, CEM, "nothing waits for Ben either, but Cem waits longer"),
            Strategy::LeastLoaded => assert_eq!(chosen, ANA, "the fewest in all"),
            Strategy::Cheapest => assert_eq!(chosen, BEN, "38 an hour"),
            Strategy::Fastest => assert_eq!(chosen, ANA, "speed 1.1"),
            Strategy::LeastRisk => assert_eq!(chosen, CEM, "no risk is known"),
            Strategy::Calendar => assert_eq!(chosen, CEM, "always on duty until July"),
            Strategy::Random => assert_ne!(decision.seed, 0),
            other => panic!("{other:?} has no test"),
        }
        assert!(decision.candidates.contains(&chosen));
        if *strategy != Strategy::Random {
            let best = decision.scores.iter().min_by_key(|(_, score)| score).unwrap();
            let own = decision.scores.iter().find(|(who, _)| *who == chosen).unwrap();
            assert_eq!((own.1, decision.scores.len()), (best.1, 3), "{decision:?}");
        }
        assert_eq!(office.item("a").resource, Some(chosen));
        assert_eq!(office.item("a").phase, Phase::Allocated);
    }
}

#[test]
fn a_lot_falls_on_everybody_and_the_same_seed_on_the_same() {
    let mut seen = BTreeMap::new();
    for seed in 0..60 {
        let draw = || {
            let mut office = Office::of(&allocated("random"));
            office.seed = seed;
            office.start();
            office.decision()
        };
        let decision = draw();
        assert_eq!(decision, draw());
        *seen.entry(decision.chosen.unwrap()).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[test]
fn what_one_decision_gives_in_turn_sees_what_it_gave_before() {
    for strategy in ["shortest-queue", "round-robin-time", "round-robin-frequency", "least-loaded"] {
        let net = format!(
            "actum: 1\nnet: n\nroles: {{ clerk: {{}} }}\nstart: a\ntasks:\n  a: {{ instances: {{ count: 6, max: 6 }}, resources: {{ who: {{ roles: clerk }}, allocate: {{ by: {strategy} }} }}, flow: end }}\n"
        );
        let mut office = Office::of(&net);
        office.start();
        let mut owners: Vec<_> = office.case.control.items.iter().filter_map(|item| item.resource).collect();
        owners.sort_unstable();
        assert_eq!(owners, [ANA, ANA, BEN, BEN, CEM, CEM], "{strategy}");
    }
}

#[derive(Debug)]
struct Last;

impl AllocationStrategy for Last {
    fn choose(&self, choice: &Choice<'_>) -> Option<Chosen> {
        let actor = choice.candidates.iter().last()?;
        Some(Chosen { actor, scores: vec![(actor, 7)] })
    }
}

#[derive(Debug)]
struct Outsider;

impl AllocationStrategy for Outsider {
    fn choose(&self, _choice: &Choice<'_>) -> Option<Chosen> {
        Some(Chosen { actor: DIA, scores: Vec::new() })
    }
}

#[test]
fn a_strategy_of_ones_own_chooses_among_candidates_only() {
    let net = one("{ who: { roles: clerk }, allocate: { own: mine } }");
    let mut office = Office::of(&net);
    office.own = Some(Box::new(Last));
    office.start();
    let decision = office.decision();
    assert_eq!((decision.strategy.as_str(), decision.chosen, decision.scores), ("mine", Some(CEM), vec![(CEM, 7)]));
    let mut office = Office::of(&net);
    office.own = Some(Box::new(Outsider));
    office.start();
    assert_eq!((office.decision().chosen, office.item("a").phase), (None, Phase::Enabled));
    let mut office = Office::of(&net);
    office.start();
    assert_eq!(office.decision().chosen, None, "nobody registered it");
}

#[test]
fn each_of_the_three_steps_is_the_systems_or_a_persons() {
    let clerk = "who: { roles: clerk }";
    for (steps, phase) in [
        ("offer: person", Phase::Enabled),
        ("offer: system", Phase::Offered),
        ("allocate: { by: cheapest }", Phase::Allocated),
        ("allocate: { by: cheapest }, start: system", Phase::Started),
        ("offer: person, allocate: { by: cheapest }, start: system", Phase::Enabled),
        ("start: system", Phase::Offered),
    ] {
        let mut office = Office::of(&one(&format!("{{ {clerk}, {steps} }}")));
        office.start();
        let item = office.item("a").clone();
        assert_eq!(item.phase, phase, "{steps}");
        let id = item.id;
        if phase == Phase::Enabled {
            office.refuses(ANA, CaseCommand::OfferWork { item: id, to: vec![DIA] }, "work/role");
            office.does(ActorId::ENGINE, CaseCommand::OfferWork { item: id, to: vec![ANA, CEM] });
            let item = office.item("a").clone();
            if steps.contains("allocate") {
                assert_eq!(
                    (item.resource, item.phase),
                    (Some(ANA), Phase::Started),
                    "the cheaper of the two who were asked"
                );
                assert!(office.decision().rules.contains(&("asked".to_owned(), vec![BEN])));
            } else {
                assert_eq!(item.offered_to, [ANA, CEM]);
                office.refuses(BEN, CaseCommand::TakeWork { item: id }, "work/not-offered");
            }
        }
        if steps == "start: system" {
            office.does(BEN, CaseCommand::TakeWork { item: id });
            assert_eq!(office.item("a").phase, Phase::Started);
        }
        if office.item("a").phase == Phase::Started {
            let who = office.item("a").resource.unwrap();
            office.refuses(CEM, CaseCommand::CompleteWork { item: id, result: office::nothing() }, "work/not-yours");
            office.does(who, CaseCommand::CompleteWork { item: id, result: office::nothing() });
            assert_eq!(office.case.control.status, CaseStatus::Completed);
        }
    }
}

#[test]
fn one_of_two_who_take_at_once_gets_it() {
    let mut office = Office::of(&one("{ who: { roles: clerk }, when: 'true' }"));
    office.start();
    let item = office.item("a").id;
    office.does(BEN, CaseCommand::TakeWork { item });
    office.refuses(ANA, CaseCommand::TakeWork { item }, "work/phase");
    assert_eq!(office.item("a").resource, Some(BEN));
}

#[test]
fn nobody_can_and_the_net_says_what_then() {
    let net = |answer: &str| {
        format!(
            "actum: 1\nnet: n\nroles: {{ clerk: {{}} }}\nstart: a\ntasks:\n  a: {{ resources: {{ who: {{ groups: nowhere }}, allocate: {{ by: cheapest }} }}, exceptions: {{ unavailable: {answer} }}, flow: end }}\n"
        )
    };
    for (answer, status) in [
        ("continue", CaseStatus::Open),
        ("suspend", CaseStatus::Open),
        ("complete", CaseStatus::Completed),
        ("{ do: fail, scope: case }", CaseStatus::Failed),
    ] {
        let mut office = Office::of(&net(answer));
        office.start();
        assert_eq!(office.case.control.status, status, "{answer}");
        let raised = office
            .events
            .iter()
            .any(|event| matches!(event, CaseEvent::ExceptionRaised { kind, .. } if kind.name() == "unavailable"));
        assert!(raised && office.decision().chosen.is_none(), "{answer}");
    }
}

#[test]
fn work_that_nobody_could_do_is_handed_out_when_somebody_can() {
    let mut office = Office::of(&one("{ who: { groups: sales }, allocate: { by: cheapest } }"));
    office.start();
    assert_eq!(office.item("a").phase, Phase::Enabled);
    office.change(OrganisationEvent::GroupsChanged { actor: DIA, groups: vec!["sales".to_owned()] });
    let item = office.item("a").id;
    office.does(ActorId::ENGINE, CaseCommand::OfferWork { item, to: vec![] });
    assert_eq!(office.item("a").resource, Some(DIA));
}

#[test]
fn who_lost_the_role_since_the_offer_cannot_take_it() {
    let mut office = Office::of(&one("{ who: { capabilities: { audit: 1 } } }"));
    office.start();
    let item = office.item("a").id;
    office.change(OrganisationEvent::CapabilitiesChanged { actor: ANA, capabilities: vec![] });
    office.change(OrganisationEvent::ActivityChanged { actor: BEN, active: false });
    office.refuses(ANA, CaseCommand::TakeWork { item }, "work/capability");
    office.refuses(BEN, CaseCommand::TakeWork { item }, "actor/inactive");
    office.does(CEM, CaseCommand::TakeWork { item });
}

#[test]
fn the_decision_names_the_directory_it_rests_on() {
    let mut office = Office::of(&allocated("cheapest"));
    let before = office.directory.position();
    office.change(OrganisationEvent::ActivityChanged { actor: BEN, active: false });
    office.start();
    let decision = office.decision();
    assert!(decision.directory > before && decision.directory == office.directory.position());
    assert_eq!(decision.chosen, Some(ANA));
}
