//! Allocation, whatever the organisation and the rules: who is chosen came into question, and no rule took them out.

mod office;

use std::collections::BTreeSet;

use actum_kernel::resource::{Choice, Glance, Held, Practice, Standing, choose, pick};
use actum_model::{ActorId, ActorSet, Case, CaseCommand, CaseId, Meta, OrganisationEvent, Seq, Time};
use actum_net::Strategy as Chooses;
use office::{Office, nothing};
use proptest::prelude::*;

fn who() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "roles: clerk",
        "roles: [clerk, boss]",
        "groups: head-office",
        "positions: accountant",
        "capabilities: { audit: 3 }",
        "groups: nowhere",
        "roles: clerk, capabilities: { audit: 1 }",
    ])
}

fn rule() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        ", calendar: true",
        ", when: 'who.cost < 60'",
        ", not_if: 'who.load > 1'",
        ", when: 'who.nothing > 1'",
        ", four_eyes: first",
        ", same_as: first",
        ", separate_from: first",
        ", four_eyes: first, calendar: true, not_if: '\"boss\" in who.roles'",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn who_is_chosen_is_a_candidate_that_no_rule_took_out(
        who in who(),
        rule in rule(),
        strategy in prop::sample::select(Chooses::ALL),
        hour in 0_u64..24 * 14,
        seed in any::<u64>(),
        left in prop::collection::btree_set(1_u32..6, 0..3),
        standing in prop::collection::vec((1_u32..6, 0_u64..9, 0_u32..4, 0_u32..4, 0_u32..4, 0_u32..4), 0..5),
    ) {
        let net = format!(
            "actum: 1\nnet: n\nroles: {{ clerk: {{}}, boss: {{}} }}\nstart: first\ntasks:\n  first: {{ role: clerk, flow: a }}\n  a: {{ resources: {{ who: {{ {who} }}, allocate: {{ by: {} }}{rule} }}, flow: end }}\n",
            strategy.name()
        );
        let mut office = Office::of(&net);
        office.start();
        office.do_as(office::ANA, "first");
        // Again, with everything else as it may be.
        let mut office = Office::of(&net);
        office.now = Time(office::at("2026-01-01T00:00:00Z").0 + hour * 3_600_000_000_000);
        office.seed = seed;
        office.standing = standing.into_iter().map(|(who, last, a, b, c, d)| (ActorId(who), last, a, b, c, d)).collect();
        office.start();
        for actor in left {
            office.change(OrganisationEvent::ActivityChanged { actor: ActorId(actor), active: false });
        }
        let item = office.item("first").id;
        let did = [office::ANA, office::BEN, office::CEM].into_iter().find(|who| {
            office.ask(*who, &CaseCommand::TakeWork { item }).is_ok()
        });
        let Some(did) = did else { return Ok(()) };
        office.does(did, CaseCommand::StartWork { item });
        office.does(did, CaseCommand::CompleteWork { item, result: nothing() });
        let decision = office.decision();
        let left: BTreeSet<_> = decision.candidates.iter().copied().collect();
        let mut taken_out = BTreeSet::new();
        for (_, removed) in &decision.rules {
            for actor in removed {
                prop_assert!(taken_out.insert(*actor), "{:?} taken out twice", actor);
            }
        }
        prop_assert!(left.is_disjoint(&taken_out));
        prop_assert!(left.iter().all(|actor| office.directory.active().contains(*actor)));
        prop_assert_eq!(decision.chosen.is_some(), !left.is_empty());
        if let Some(chosen) = decision.chosen {
            prop_assert!(left.contains(&chosen));
            prop_assert_eq!(office.item("a").resource, Some(chosen));
        }
    }

    /// With a list at hand or without, with the record or without: the same answer, and one of the candidates.
    #[test]
    fn every_way_of_asking_gives_the_same_answer(
        strategy in prop::sample::select(Chooses::ALL),
        members in prop::collection::btree_set(1_u32..70, 0..70),
        columns in prop::collection::vec((0_u64..5, 0_u32..4, 0_u32..4, 0_u32..4, 0_u32..4), 70),
        seed in any::<u64>(),
    ) {
        let office = Office::of("actum: 1\nnet: n\nstart: a\ntasks: { a: { flow: end } }");
        let candidates: ActorSet = members.into_iter().map(ActorId).collect();
        let list: Vec<ActorId> = candidates.iter().collect();
        let column = |of: fn(&(u64, u32, u32, u32, u32)) -> u32| columns.iter().map(of).collect::<Vec<_>>();
        let (given, done, queued, all) = (column(|c| c.1), column(|c| c.2), column(|c| c.3), column(|c| c.4));
        let last: Vec<u64> = columns.iter().map(|c| c.0).collect();
        let with = Choice {
            net: &office.net,
            task: actum_model::TaskIx(0),
            candidates: &candidates,
            list: Some(&list),
            directory: &office.directory,
            held: Held { queued: &queued, all: &all },
            practice: Practice { last: &last, given: &given, done: &done },
            now: office.now,
            seed,
        };
        let without = Choice { list: None, ..with };
        let chosen = choose(strategy, &with);
        prop_assert_eq!(&chosen, &choose(strategy, &without));
        let who = chosen.as_ref().map(|chosen| chosen.actor);
        prop_assert_eq!((who, who), (pick(strategy, &with), pick(strategy, &without)));
        prop_assert_eq!(who.is_some(), !candidates.is_empty());
        if let Some(chosen) = chosen {
            prop_assert!(candidates.contains(chosen.actor));
            let own = chosen.scores.iter().find(|(actor, _)| *actor == chosen.actor).map(|(_, score)| *score);
            prop_assert!(chosen.scores.iter().all(|(_, score)| own.is_some_and(|own| own <= *score)));
        }
    }

    /// The counters are what counting the open items and the log gives.
    #[test]
    fn counters_are_a_fold(steps in prop::collection::vec((0_u32..5, 0_usize..8), 0..80)) {
        let net = "actum: 1\nnet: n\nroles: { clerk: {} }\nstart: s\ntasks:\n  s: { split: and, flow: [{ to: a }, { to: b }, { to: c }] }\n  a: { resources: { who: { roles: clerk }, may: [put-back, suspend, delegate, reallocate] }, flow: j }\n  b: { role: clerk, flow: j }\n  c: { role: clerk, flow: j }\n  j: { join: and, flow: end }\n";
        let mut office = Office::of(net);
        let mut standing = Standing::default();
        let mut shadow = Case::unborn(CaseId(1));
        office.start();
        for (step, (who, what)) in steps.into_iter().enumerate() {
            let Some(item) = office.case.control.items.get(step % 3).map(|item| item.id) else { continue };
            let (actor, to) = (ActorId(who), ActorId(1 + (who + 1) % 3));
            let command = match what {
                0 => CaseCommand::TakeWork { item },
                1 => CaseCommand::StartWork { item },
                2 => CaseCommand::CompleteWork { item, result: nothing() },
                3 => CaseCommand::PutBackWork { item },
                4 => CaseCommand::DelegateWork { item, to },
                5 => CaseCommand::ReallocateWork { item, to, keep_state: step % 2 == 0 },
                6 => CaseCommand::SuspendWork { item, until: None },
                _ => CaseCommand::ResumeWork { item },
            };
            let _refused = office.ask(actor, &command);
        }
        let mut given = [0_u32; 8];
        for (seq, event) in office.events.iter().enumerate() {
            let actor = match event {
                actum_model::CaseEvent::WorkCompleted { item, .. } => {
                    shadow.control.item(*item).and_then(|item| item.resource).unwrap_or(ActorId::ENGINE)
                }
                _ => ActorId::ENGINE,
            };
            let meta = Meta { seq: Seq(seq as u64), version: 0, time: Time(0), actor, cause: None };
            let before = Glance::at(&shadow.control, event);
            shadow.apply(&meta, event);
            standing.apply(office.net.hash, &before, &shadow.control, &meta, event);
            if let actum_model::CaseEvent::WorkAllocated { to, task, .. }
            | actum_model::CaseEvent::WorkDelegated { to, task, .. } = event
                && *task == office.net.task("a").unwrap()
            {
                given[to.0 as usize] += 1;
            }
        }
        let held = standing.held();
        let practice = standing.practice(office.net.hash, office.net.task("a").unwrap());
        for actor in (1..6).map(ActorId) {
            let items = shadow.control.items.iter().filter(|item| item.resource == Some(actor));
            let waiting = items.clone().filter(|item| {
                item.suspended_from.unwrap_or(item.phase) == actum_model::Phase::Allocated
            });
            let entry = |column: &[u32]| column.get(actor.0 as usize - 1).copied().unwrap_or(0) as usize;
            prop_assert_eq!((entry(held.all), entry(held.queued)), (items.count(), waiting.count()));
            prop_assert_eq!(entry(practice.given), given[actor.0 as usize] as usize);
        }
    }
}
