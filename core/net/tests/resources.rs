//! Resources: how `resources` of a task is read, and organisation files.

use std::collections::BTreeSet;

use actum_model::{ActorId, Directory, OrganisationEvent, Seq, SystemEvent};
use actum_net::{
    Allocate, By, JSON_SCHEMA, ORGANISATION_SCHEMA, Operation, Resourcing, Strategy, Work, compile, organisation,
};

fn net(resources: &str) -> String {
    format!(
        "actum: 1\nnet: n\ndata: {{ n: {{ type: int, default: 1 }} }}\nroles: {{ clerk: {{}}, boss: {{}} }}\nstart: a\ntasks:\n  a: {{ role: clerk, flow: b }}\n  b: {{ role: boss, flow: c }}\n  c: {{ resources: {resources}, flow: end }}\n"
    )
}

fn resourcing(resources: &str) -> Resourcing {
    let net = compile(&net(resources)).unwrap_or_else(|found| panic!("{resources}: {found:#?}")).net;
    let task = net.task("c").unwrap();
    let Work::Manual { resourcing, .. } = &net.tasks[task.index()].work else { panic!("manual work") };
    resourcing.clone()
}

/// Codes and places of what is wrong in a net with these resources.
#[track_caller]
fn refused(resources: &str, expected: &[&str]) {
    let found = compile(&net(resources)).expect_err(resources);
    assert_eq!(found.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>(), expected, "{found:#?}");
}

const ALL: &str = "{ offer: person, allocate: { by: cheapest }, start: system, who: { roles: [clerk, boss], positions: head, groups: [x, y], participants: [zoe], capabilities: { welding: 3, audit: 0 } }, separate_from: a, same_as: b, four_eyes: [a, b], not_if: 'who.load > n', when: 'who.cost < 50 || \"a\" in who.did', calendar: true, may: [skip, pile] }";

#[test]
fn every_part_is_read() {
    let read = resourcing(ALL);
    assert_eq!(
        (read.offer, read.allocate.clone(), read.start),
        (By::Person, Allocate::System(Strategy::Cheapest), By::System)
    );
    assert_eq!((read.who.roles.len(), read.who.positions.len(), read.who.groups.len()), (2, 1, 2));
    assert_eq!(read.who.participants, ["zoe"]);
    assert_eq!(read.who.capabilities, [("audit".to_owned(), 0), ("welding".to_owned(), 3)]);
    assert_eq!((read.separate_from.len(), read.same_as.len(), read.four_eyes.len()), (1, 1, 2));
    assert!(read.not_if.is_some() && read.when.is_some() && read.calendar);
    assert_eq!(read.may.iter().collect::<Vec<_>>(), [Operation::Skip, Operation::Pile]);
    assert_eq!(read.open_role(), None);
    assert_eq!(
        resourcing("{ allocate: { own: mine }, who: { groups: x } }").allocate,
        Allocate::Own("mine".to_owned())
    );
    for strategy in Strategy::ALL {
        let read = resourcing(&format!("{{ allocate: {{ by: {} }}, who: {{ groups: x }} }}", strategy.name()));
        assert_eq!(read.allocate, Allocate::System(*strategy));
    }
}

#[test]
fn defaults_are_those_of_a_role_alone() {
    let read = resourcing("{ who: { roles: clerk } }");
    assert_eq!(Resourcing { who: read.who.clone(), ..Resourcing::default() }, read);
    assert!(read.open_role().is_some());
    assert!(resourcing("{ who: { roles: clerk, capabilities: { x: 1 } } }").open_role().is_none());
}

#[test]
fn the_canonical_form_keeps_everything_and_no_defaults() {
    for resources in [
        ALL,
        "{ who: { roles: clerk }, offer: system, allocate: person, start: person, may: [put-back, suspend, delegate], calendar: false }",
        "{ who: { positions: [b, a, a] }, may: [] }",
        "{ allocate: { own: mine }, who: { groups: x } }",
    ] {
        let net = compile(&net(resources)).unwrap().net;
        assert_eq!(actum_net::Net::from_canonical(&net.canonical).as_ref(), Ok(&net), "{resources}");
    }
    let plain = compile(&net("{ who: { roles: [clerk] } }")).unwrap().net;
    let written_out =
        compile(&net("{ who: { roles: clerk }, offer: system, start: person, allocate: person }")).unwrap().net;
    assert_eq!(plain.hash, written_out.hash);
    let text = String::from_utf8(plain.canonical).unwrap();
    assert!(text.contains(r#""resources":{"who":{"roles":["clerk"]}}"#), "{text}");
}

#[test]
fn mistakes_are_found() {
    refused("{}", &["net/missing-key"]);
    refused("{ who: { roles: clark } }", &["net/unknown-role"]);
    refused("{ who: { groups: x }, allocate: { by: quickest } }", &["net/bad-value"]);
    refused("{ who: { groups: x }, allocate: { by: random, own: x } }", &["net/bad-value"]);
    refused("{ who: { groups: x }, allocate: system }", &["net/wrong-type"]);
    refused("{ who: { groups: x }, offer: nobody }", &["net/bad-value"]);
    refused("{ who: { groups: x }, may: [fly] }", &["net/bad-value"]);
    refused("{ who: { groups: x }, four_eyes: c }", &["net/not-manual"]);
    refused("{ who: { groups: x }, same_as: nowhere }", &["net/unknown-node"]);
    refused("{ who: { capabilities: { x: -1 } } }", &["net/missing-key", "net/bad-value"]);
}

#[test]
fn filters_see_who_and_the_data_and_nothing_else_does() {
    refused("{ who: { groups: x }, when: 'result.x' }", &["net/unknown-variable"]);
    let elsewhere = "actum: 1\nnet: n\nstart: a\ntasks:\n  a: { split: xor, flow: [{ to: b, when: 'who.load > 1' }, { to: end, default: true }] }\n  b: { flow: end }\n";
    let found = compile(elsewhere).expect_err("who is not seen in a flow");
    assert_eq!(found[0].code.as_str(), "net/unknown-variable");
}

const ORGANISATION: &str = include_str!("../../../tools/examples/organisation.yaml");

#[test]
fn the_example_is_loaded_by_one_event_a_change_and_only_once() {
    let read = organisation(ORGANISATION).unwrap_or_else(|found| panic!("{found:#?}"));
    let mut directory = Directory::default();
    let events = read.changes(&directory);
    let names: BTreeSet<_> = events
        .iter()
        .map(|event| match event {
            SystemEvent::Organisation(event) => std::mem::discriminant(event),
            _ => std::mem::discriminant(&OrganisationEvent::ActivityChanged { actor: ActorId(0), active: true }),
        })
        .collect::<Vec<_>>()
        .into_iter()
        .map(|kind| format!("{kind:?}"))
        .collect();
    assert!(names.len() >= 8, "{names:?}");
    for (index, event) in events.iter().enumerate() {
        directory.apply_at(Seq(index as u64), event);
    }
    assert_eq!(read.changes(&directory), []);
    let ana = directory.id_of("ana").unwrap();
    assert!(directory.with_capability("audit", 3).contains(ana));
    assert_eq!(directory.with_group("head-office").len(), 5);
    assert_eq!(directory.actor(ana).unwrap().figures.cost_milli, 42_500);
    assert_eq!(directory.superiors(ana).iter().collect::<Vec<_>>(), [directory.id_of("cem").unwrap()]);
    assert!(!directory.active().contains(directory.id_of("eve").unwrap()));
    let calendar = directory.calendar_of(ana).unwrap();
    assert_eq!((calendar.shifts.len(), calendar.closed.len()), (9, 1));
    // Somebody known is changed, not registered again.
    let again = organisation("actum: 1\norganisation: x\nparticipants: { ana: { roles: boss } }").unwrap();
    let changes = again.changes(&directory);
    assert!(changes.iter().all(|event| !matches!(event, SystemEvent::ActorRegistered { .. })), "{changes:?}");
    assert!(changes.contains(&SystemEvent::ActorRolesChanged { actor: ana, roles: vec!["boss".to_owned()] }));
}

#[test]
fn mistakes_in_an_organisation_have_places() {
    let source = "actum: 1
organisation: x
roles: { clerk: }
groups: { a: { parent: b }, b: { parent: a }, c: { parent: d } }
positions: { head: { reports_to: head } }
calendars:
  office: { zone: Europe/Berlim, hours: { mon-fry: '09:00-17:00', tue: '9-5' }, closed: [yesterday] }
participants:
  engine: {}
  ana: { roles: clark, positions: boss, calendar: night, cost: -1, speed: 1.0001, capabilities: { x: two }, colour: red }
  ben: { absences: [{ from: 2026-07-02T00:00:00Z, until: 2026-07-01T00:00:00Z }, { from: now }] }
";
    let found = organisation(source).expect_err("many findings");
    let places: Vec<String> = found.iter().map(|one| format!("{}:{} {}", one.line, one.column, one.code)).collect();
    assert_eq!(
        places,
        [
            "4:11 net/bad-value",
            "4:29 net/bad-value",
            "4:60 net/unknown-node",
            "5:14 net/bad-value",
            "7:19 net/bad-value",
            "7:43 net/bad-value",
            "7:72 net/bad-value",
            "7:90 net/bad-value",
            "9:3 net/reserved-name",
            "10:17 net/unknown-role",
            "10:35 net/unknown-node",
            "10:51 net/unknown-node",
            "10:64 net/bad-value",
            "10:75 net/bad-value",
            "10:102 net/wrong-type",
            "10:109 net/unknown-key",
            "11:21 net/bad-value",
            "11:84 net/missing-key",
            "11:90 net/bad-value",
        ],
        "{found:#?}"
    );
}

/// Whatever a file holds, reading it ends with findings or with an organisation.
#[test]
fn no_file_is_too_strange() {
    for source in
        ["", "[]", "actum: 1", "{{{{", "actum: 2\norganisation: x", "actum: 1\norganisation: [x]\nparticipants: []"]
    {
        assert!(organisation(source).is_err(), "{source}");
    }
    for cut in (0..ORGANISATION.len()).step_by(7) {
        let _any = organisation(&ORGANISATION[..cut]);
    }
}

#[test]
fn the_schemas_agree_with_the_readers() {
    let schema = |text: &str| jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap();
    let (nets, organisations) = (schema(JSON_SCHEMA), schema(ORGANISATION_SCHEMA));
    for (resources, good) in [
        (
            r#"{"offer":"person","allocate":{"by":"cheapest"},"start":"system","who":{"roles":["clerk"],"capabilities":{"x":3}},"four_eyes":["a"],"when":"who.load < 3","calendar":true,"may":[]}"#,
            true,
        ),
        (r#"{"who":{"groups":"x"},"allocate":{"own":"mine"}}"#, true),
        (r#"{"who":{"groups":"x"},"allocate":{"by":"quickest"}}"#, false),
        (r#"{"who":{"groups":"x"},"may":["fly"]}"#, false),
        (r#"{"whom":{}}"#, false),
    ] {
        let text = format!(
            r#"{{"actum":1,"net":"n","roles":{{"clerk":{{}}}},"start":"a","tasks":{{"a":{{"role":"clerk","flow":"c"}},"c":{{"resources":{resources},"flow":"end"}}}}}}"#
        );
        assert_eq!(nets.is_valid(&serde_json::from_str(&text).unwrap()), good, "{resources}");
        assert_eq!(compile(&text).is_ok(), good, "{resources}");
    }
    for (text, good) in [
        (
            r#"{"actum":1,"organisation":"x","calendars":{"c":{"zone":"UTC","hours":{"mon-fri":"09:00-17:00"}}},"participants":{"a":{"calendar":"c","cost":1.5},"b":null}}"#,
            true,
        ),
        (r#"{"actum":1,"organisation":"x","participants":{"a":{"colour":"red"}}}"#, false),
        (r#"{"actum":1,"organisation":"x","calendars":{"c":{"zone":"UTC"}}}"#, false),
        (r#"{"actum":1}"#, false),
    ] {
        assert_eq!(organisations.is_valid(&serde_json::from_str(text).unwrap()), good, "{text}");
        assert_eq!(organisation(text).is_ok(), good, "{text}");
    }
}
