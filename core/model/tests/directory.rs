//! The directory: whatever happens, what it keeps ready is what its people say.

use std::collections::BTreeSet;

use actum_model::{
    Absence, ActorId, ActorSet, Directory, Figures, Group, OrganisationEvent, Position, Seq, Shift, SystemEvent, Time,
};
use proptest::prelude::*;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const PEOPLE: u32 = 6;

fn names() -> impl Strategy<Value = Vec<String>> {
    prop::collection::btree_set(prop::sample::select(&NAMES[..]), 0..3)
        .prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(&NAMES[..]).prop_map(str::to_owned)
}

fn change() -> impl Strategy<Value = SystemEvent> {
    // Also of people who are not there.
    let actor = || (0..PEOPLE + 2).prop_map(ActorId);
    let organisation = prop_oneof![
        (actor(), names()).prop_map(|(actor, positions)| OrganisationEvent::PositionsChanged { actor, positions }),
        (actor(), names()).prop_map(|(actor, groups)| OrganisationEvent::GroupsChanged { actor, groups }),
        (actor(), names(), 0_u32..4).prop_map(|(actor, names, level)| {
            let capabilities = names.into_iter().map(|name| (name, level)).collect();
            OrganisationEvent::CapabilitiesChanged { actor, capabilities }
        }),
        (actor(), prop::option::of(name()))
            .prop_map(|(actor, calendar)| OrganisationEvent::CalendarAssigned { actor, calendar }),
        (actor(), 0_u64..9).prop_map(|(actor, cost_milli)| OrganisationEvent::FiguresChanged {
            actor,
            figures: Figures { cost_milli, ..Figures::default() },
        }),
        (actor(), 0_u64..5).prop_map(|(actor, from)| OrganisationEvent::AbsenceAdded {
            actor,
            absence: Absence { from: Time(from), until: Time(from + 3), reason: String::new() },
        }),
        (actor(), 0_u64..5).prop_map(|(actor, from)| OrganisationEvent::AbsenceRemoved {
            actor,
            from: Time(from),
            until: Time(from + 3),
        }),
        (actor(), any::<bool>()).prop_map(|(actor, active)| OrganisationEvent::ActivityChanged { actor, active }),
        (name(), prop::option::of(name()))
            .prop_map(|(name, parent)| OrganisationEvent::GroupDefined { name, group: Group { parent } }),
        (name(), prop::option::of(name()), prop::option::of(name())).prop_map(|(name, group, reports_to)| {
            OrganisationEvent::PositionDefined { name, position: Position { group, reports_to } }
        }),
        (name(), 0_u16..3).prop_map(|(name, hour)| OrganisationEvent::CalendarDefined {
            name,
            zone: "UTC".to_owned(),
            shifts: vec![Shift { day: 3, from_minute: hour, until_minute: hour + 1 }],
            closed: Vec::new(),
        }),
    ];
    prop_oneof![
        1 => (actor(), names()).prop_map(|(actor, roles)| SystemEvent::ActorRolesChanged { actor, roles }),
        1 => (actor(), names()).prop_map(|(actor, roles)| SystemEvent::ActorRegistered {
            actor,
            name: "again".to_owned(),
            roles,
        }),
        8 => organisation.prop_map(SystemEvent::Organisation),
    ]
}

fn people() -> Directory {
    let mut directory = Directory::default();
    for ordinal in 1..=PEOPLE {
        let event =
            SystemEvent::ActorRegistered { actor: ActorId(ordinal), name: format!("p{ordinal}"), roles: Vec::new() };
        directory.apply(&event);
    }
    directory
}

fn who(directory: &Directory, is: impl Fn(&actum_model::Actor) -> bool) -> ActorSet {
    directory.iter().filter(|(_, actor)| is(actor)).map(|(id, _)| id).collect()
}

proptest! {
    /// What is kept ready for filters is what a search of the people finds.
    #[test]
    fn sets_are_what_people_say(changes in prop::collection::vec(change(), 0..60), now in 0_u64..9) {
        let mut directory = people();
        changes.iter().for_each(|change| directory.apply(change));
        let empty = ActorSet::default();
        prop_assert_eq!(directory.active(), &who(&directory, |actor| actor.active));
        prop_assert_eq!(directory.absent(Time(now)), who(&directory, |actor| actor.is_absent(Time(now))));
        for name in NAMES {
            let has = |list: &[String]| list.iter().any(|one| one == name);
            prop_assert_eq!(directory.with_role(name).unwrap_or(&empty), &who(&directory, |actor| has(&actor.roles)));
            prop_assert_eq!(
                directory.with_position(name).unwrap_or(&empty),
                &who(&directory, |actor| has(&actor.positions))
            );
            for level in 0..4 {
                let able = who(&directory, |actor| actor.level(name).is_some_and(|has| has >= level));
                prop_assert_eq!(directory.with_capability(name, level), able);
            }
            prop_assert_eq!(directory.with_group(name), who(&directory, |actor| {
                let by_position = actor.positions.iter().filter_map(|name| directory.position_named(name)?.group.clone());
                actor.groups.iter().cloned().chain(by_position).any(|group| ancestors(&directory, group).contains(name))
            }));
        }
        let off = who(&directory, |actor| {
            actor.calendar.as_ref().is_some_and(|name| !directory.calendar(name).is_some_and(|one| one.is_on(Time(now))))
        });
        prop_assert_eq!(directory.off_duty(Time(now)), off);
        let figures: Vec<Figures> = directory.iter().map(|(_, actor)| actor.figures).collect();
        prop_assert_eq!(directory.figures(), figures);
    }

    /// A fold: the same events give the same directory, in one go or event by event, and others change nothing.
    #[test]
    fn a_directory_is_a_fold_of_its_events(changes in prop::collection::vec(change(), 0..40)) {
        let (mut one, mut other) = (people(), people());
        for (index, change) in changes.iter().enumerate() {
            one.apply_at(Seq(index as u64 + 100), change);
            let foreign = SystemEvent::NetDeployed {
                net: actum_model::NetHash::default(),
                name: String::new(),
                canonical: Vec::new(),
            };
            other.apply_at(Seq(index as u64 + 100), change);
            other.apply_at(Seq(9_999), &foreign);
        }
        prop_assert_eq!(&one, &other);
        if !changes.is_empty() {
            prop_assert_eq!(one.position(), Seq(changes.len() as u64 + 99));
        }
    }
}

fn ancestors(directory: &Directory, group: String) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut next = Some(group);
    while let Some(group) = next.filter(|group| seen.insert(group.clone())) {
        next = directory.group(&group).and_then(|group| group.parent.clone());
    }
    seen
}

#[test]
fn work_is_escalated_past_positions_that_nobody_holds() {
    let mut directory = people();
    let define = |name: &str, above: Option<&str>| {
        SystemEvent::Organisation(OrganisationEvent::PositionDefined {
            name: name.to_owned(),
            position: Position { group: None, reports_to: above.map(str::to_owned) },
        })
    };
    let hold = |actor: u32, position: &str| {
        SystemEvent::Organisation(OrganisationEvent::PositionsChanged {
            actor: ActorId(actor),
            positions: vec![position.to_owned()],
        })
    };
    for event in [
        define("clerk", Some("deputy")),
        define("deputy", Some("head")),
        define("head", None),
        hold(1, "clerk"),
        hold(2, "head"),
        hold(3, "head"),
    ] {
        directory.apply(&event);
    }
    let ids = |set: ActorSet| set.iter().map(|actor| actor.0).collect::<Vec<_>>();
    assert_eq!(ids(directory.superiors(ActorId(1))), [2, 3]);
    assert_eq!(ids(directory.superiors(ActorId(2))), [0; 0]);
    directory.apply(&hold(4, "deputy"));
    assert_eq!(ids(directory.superiors(ActorId(1))), [4]);
    let gone = OrganisationEvent::ActivityChanged { actor: ActorId(4), active: false };
    directory.apply(&SystemEvent::Organisation(gone));
    assert_eq!(ids(directory.superiors(ActorId(1))), [2, 3]);
    // Positions above each other in a circle end the search.
    directory.apply(&define("head", Some("head")));
    assert_eq!(ids(directory.superiors(ActorId(2))), [3]);
    directory.apply(&hold(3, "clerk"));
    assert_eq!(ids(directory.superiors(ActorId(2))), [0; 0]);
}
