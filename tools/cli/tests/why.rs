//! `run --org` loads the organisation, `why` explains who got work.

mod support;

use support::Place;

const ORGANISATION: &str = include_str!("../../examples/organisation.yaml");

const NET: &str = "\
actum: 1
net: audit
roles: { clerk: {} }
start: ask
tasks:
  ask: { role: clerk, flow: audit }
  audit:
    resources:
      who: { roles: clerk, capabilities: { audit: 1 } }
      separate_from: ask
      not_if: 'who.cost > 60'
      allocate: { by: cheapest }
    flow: end
play: { participants: { clerk: [ana] } }
";

fn place() -> Place {
    let place = Place::new();
    place.write("staff.yaml", ORGANISATION);
    place.write("audit.yaml", NET);
    place
}

#[test]
fn the_reasons_of_an_allocation_are_told() {
    let place = place();
    place.good("run audit.yaml --org staff.yaml --play 7 --data d1");
    let log = place.good("log 1 -o json --data d1");
    let events: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let decided = events.iter().find(|event| event["kind"] == "AllocationDecided").expect("a decision");
    let allocated = events.iter().rfind(|event| event["kind"] == "WorkAllocated").expect("an allocation");
    for seq in [&decided["seq"], &allocated["seq"]] {
        let why = place.json(&format!("why 1 {seq} -o json --data d1"));
        let chain = why["chain"].as_array().unwrap();
        assert_eq!((&chain[0]["seq"], &chain[chain.len() - 1]["kind"]), (seq, &"CaseStarted".into()));
        assert_eq!(why["decided"], decided["seq"]);
        assert_eq!(
            (&why["task"], &why["strategy"], &why["chosen"]),
            (&"audit".into(), &"cheapest".into(), &"ben".into())
        );
        assert_eq!(why["considered"], serde_json::json!(["ana", "ben", "cem"]));
        let rules: Vec<(String, String)> = why["rules"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| (rule["rule"].as_str().unwrap().to_owned(), rule["removed"].to_string()))
            .collect();
        let rule = |name: &str| rules.iter().find(|(rule, _)| rule == name).map(|(_, removed)| removed.as_str());
        assert_eq!((rule("separate-from"), rule("not-if")), (Some("[\"ana\"]"), Some("[\"cem\"]")));
        assert!(why["directory"].as_u64().unwrap() < decided["seq"].as_u64().unwrap());
    }
    let text = place.good(&format!("why 1 {} --data d1", decided["seq"]));
    for part in
        ["ben costs least", "rule        separate-from: took out ana", "rule        not-if: took out cem", "38.000"]
    {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    place.good("verify d1");
    place.good("export --format log -O d1.actum --data d1");
    assert_eq!(text, place.good(&format!("why 1 {} --data d1.actum", decided["seq"])));
    // An event about no work has its causes, and nobody was chosen for it.
    let first = place.json("why 1 @v1 -o json --data d1");
    assert_eq!((&first["chain"][0]["kind"], first.get("chosen")), (&"CaseStarted".into(), None));
    place.bad("why 9 1 --data d1", 3);
    place.bad("why 1 9999 --data d1", 3);
}

#[test]
fn an_organisation_is_loaded_once_and_its_mistakes_have_places() {
    let place = place();
    place.good("run audit.yaml --org staff.yaml --cases 0 --play 7 --data d1");
    let first = place.good("log -o json --data d1").lines().filter(|line| line.contains("ActorFiguresChanged")).count();
    place.good("run audit.yaml --org staff.yaml --cases 0 --play 7 --data d1");
    let again = place.good("log -o json --data d1").lines().filter(|line| line.contains("ActorFiguresChanged")).count();
    assert!(first >= 4 && first == again, "{first} and {again}");
    place.write("bad.yaml", "actum: 1\norganisation: x\nparticipants: { ana: { calendar: night } }\n");
    let ran = place.run("run audit.yaml --org bad.yaml --data d2");
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("bad.yaml:3:34: net/unknown-node"), "{}", ran.err);
    assert!(!place.path("d2").exists(), "nothing was started");
    assert!(place.good("schema organisation").contains("Actum organisation"));
}
