//! Logs of several partitions: what takes all of them, and what says that it does not.

mod support;

use support::Place;

fn two(place: &Place) {
    place.good("run automatic.yaml --cases 6 --partitions 2 --data d1");
}

#[test]
fn a_log_of_two_partitions_runs_and_goes_on() {
    let place = Place::new();
    let summary = place.json("run automatic.yaml --cases 6 --partitions 2 --data d1 -o json");
    assert_eq!(summary["cases"]["completed"], 6);
    assert_eq!(summary["seal"], serde_json::Value::Null, "there is not one seal");
    let seals = summary["seals"].as_array().unwrap();
    assert_eq!(seals.len(), 2);
    let events: u64 = seals.iter().map(|seal| seal["size"].as_u64().unwrap()).sum();
    assert_eq!(summary["events"], events);
    // Who does not ask gets what there is.
    assert_eq!(place.json("run automatic.yaml --data d1 -o json")["seals"].as_array().unwrap().len(), 2);
    for asked in [1, 3] {
        let said = place.bad(&format!("run automatic.yaml --partitions {asked} --data d1"), 2);
        assert!(said.contains("the log has 2 partitions") && said.contains(&asked.to_string()), "{said}");
    }
    let only = place.json("run automatic.yaml --data d2 -o json");
    assert_eq!(only["seal"], only["seals"][0], "as it ever was with one");
}

#[test]
fn all_partitions_are_listed_and_verified() {
    let place = Place::new();
    two(&place);
    let text = place.good("log --data d1");
    let positions: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(positions.contains(&"0:0") && positions.contains(&"1:0"), "{text}");
    for case in 1..=6 {
        let text = place.good(&format!("log {case} --data d1"));
        let all_in_one = text.lines().all(|line| line.trim_start().starts_with(&format!("{}:", case % 2)));
        assert!(text.contains("CaseCompleted") && all_in_one, "{text}");
    }
    let text = place.good("verify --data d1");
    assert!(text.contains("in partition 0;") && text.contains("in partition 1;"), "{text}");
    let verdict = place.json("verify --data d1 -o json");
    assert_eq!(verdict["partitions"].as_array().unwrap().len(), 2);
    // Copies of what partition 0 decided say where they are from.
    let lines = place.good("log --data d1 -o json");
    let copies: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|event: &serde_json::Value| event["remote_cause"]["partition"] == 0)
        .collect();
    assert_eq!(copies.len(), 1, "the net's deployment");
    assert_eq!((&copies[0]["kind"], &copies[0]["partition"]), (&"NetDeployed".into(), &1.into()));
    place.good("doctor --data d1");
    place.good("export --format log -O d1.actum --data d1");
    let of_archive = place.json("verify d1.actum -o json");
    for partition in 0..2 {
        let root = |verdict: &serde_json::Value| verdict["partitions"][partition]["root"].clone();
        assert!(root(&verdict).is_string() && root(&of_archive) == root(&verdict), "{of_archive}");
    }
    assert_eq!(place.good("export --format jsonl -O - --data d1").lines().count(), lines.lines().count());
}

#[test]
fn a_changed_or_lost_partition_is_named() {
    let place = Place::new();
    two(&place);
    place.good("export --format log -O d1.actum --data d1");
    let whole = place.read("d1.actum");
    // The last quarter is partition 1's.
    let mut changed = whole.clone();
    let at = whole.len() * 7 / 8;
    changed[at] ^= 1;
    place.write("changed.actum", &changed);
    let ran = place.run("verify changed.actum");
    assert!([4, 5].contains(&ran.code) && ran.err.contains("partition 1"), "{}", ran.err);
    std::fs::remove_file(place.path("d1/head-1")).unwrap();
    let said = place.bad("verify --data d1", 5);
    assert!(said.contains("head-1"), "{said}");
}

#[test]
fn what_cannot_take_several_partitions_says_so() {
    let place = Place::new();
    two(&place);
    place.good("export --format log -O d1.actum --data d1");
    place.write("rules.yaml", "actum: 1\naudit: a\nrules: {}\n");
    for line in [
        "show 1",
        "why 1 90",
        "who 1 0",
        "replay 1",
        "diff 1 2",
        "bisect 1 --when true",
        "dead list",
        "verify --lawful",
        "log --from 4",
        "prove 5 -O p.proof",
        "checkpoint",
        "key rotate",
        "message payment 7",
        "export --format xes -O x.xes",
        "export --format csv -O x.csv",
        "export --format ocel -O x.json",
        "export --format pnml -O x.pnml",
        "conform --net automatic.yaml --log d1",
        "recover --from d1.actum",
    ] {
        let data = if line.starts_with("recover") { "d9" } else { "d1" };
        let said = place.bad(&format!("{line} --data {data}"), 2);
        assert!(said.contains("2 partitions"), "{line}: {said}");
    }
    for never in ["p.proof", "x.xes", "x.csv", "x.json", "x.pnml", "d9"] {
        assert!(!place.path(never).exists(), "{never}");
    }
    place.good("verify --data d1");
}
