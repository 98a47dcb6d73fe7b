//! `prove` and `verify-proof`: what is proven without the log, and every way to be refused.

mod support;

use serde_json::Value as Json;
use support::Place;

/// Three cases, played; and the log's key.
fn place() -> (Place, String) {
    let place = Place::new();
    place.write("a.jsonl", "{\"key\": \"A\"}\n{\"key\": \"B\", \"amount\": 3}\n{\"key\": \"C\"}\n");
    place.good("run manual.yaml --input @a.jsonl --play 7 --data d1");
    place.good("export --format log -O d1.actum --data d1");
    let key = place.json("verify d1 -o json")["partitions"][0]["verifier_key"].as_str().unwrap().to_owned();
    (place, key)
}

fn seqs(place: &Place, case: &str) -> Vec<u64> {
    let events = place.good(&format!("log {case} -o json --data d1"));
    events.lines().map(|line| serde_json::from_str::<Json>(line).unwrap()["seq"].as_u64().unwrap()).collect()
}

#[test]
fn what_is_proven_needs_only_file_and_key() {
    let (place, key) = place();
    let seqs = seqs(&place, "B");
    let (one, two) = (seqs[1], seqs[2]);
    let count = seqs.len();
    for (line, what, events, withheld) in [
        (format!("prove {one}"), "event", 1, 0),
        (format!("prove {one} --withhold {one}"), "event", 1, 1),
        ("prove B".to_owned(), "case", count, 0),
        (format!("prove case:2 --withhold {one},{two}"), "case", count, 2),
        (format!("prove B --only {one},{two} --withhold {two}"), "dossier", 3, 1),
    ] {
        for data in ["d1", "d1.actum"] {
            place.good(&format!("{line} --data {data} -O p.tlog-proof --force"));
            let verdict = place.json(&format!("verify-proof p.tlog-proof --key {key} -o json"));
            assert_eq!((&verdict["what"], &verdict["anchor"]), (&what.into(), &"pinned".into()), "{line}");
            let shown = verdict["events"].as_array().unwrap();
            assert_eq!(shown.len(), events, "{line}");
            assert_eq!(shown.iter().filter(|event| event["payload"].is_null()).count(), withheld, "{line}");
            assert!(
                place.good(&format!("verify-proof p.tlog-proof --key {key}")).contains("rests on  the key you gave")
            );
        }
    }
    assert_eq!(place.run(&format!("prove {one} --data d1 -O -")).text().lines().next(), Some("c2sp.org/tlog-proof@v1"));
}

#[test]
fn what_is_wrong_has_its_exit_code() {
    let (place, key) = place();
    place.good("prove 20 --data d1 -O p");
    place.bad("prove 20 --data d1 -O p", 1);
    for missing in ["prove 9999", "prove case:99", "prove NOKEY", "prove B --withhold 1", "prove seal:7777"] {
        place.bad(&format!("{missing} --data d1 -O q"), 3);
    }
    place.bad("prove 20 --data nowhere -O q", 3);
    for usage in ["prove 20 --only 5", "prove case:0"] {
        place.bad(&format!("{usage} --data d1 -O q"), 2);
    }
    assert!(!place.path("q").exists(), "what cannot be proven leaves no file");
    let proof = String::from_utf8(place.read("p")).unwrap();
    place.write("other-index", proof.replace("\nindex 20\n", "\nindex 21\n"));
    place.write("cut", &proof[..proof.len() / 2]);
    assert!(place.bad(&format!("verify-proof other-index --key {key}"), 4).contains("tampered"));
    assert!(place.bad(&format!("verify-proof cut --key {key}"), 5).contains("corrupt"));
    assert!(place.bad(&format!("verify-proof manual.yaml --key {key}"), 5).contains("a proof begins with"));
    place.bad(&format!("verify-proof nofile --key {key}"), 3);
    place.bad("verify-proof p --key nonsense", 2);
    // A seal that the proof is not of is not what it rests on.
    place.good("verify d1 --save-seal one.seal");
    place.good("checkpoint --data d1");
    place.good("prove 21 --data d1 -O later");
    let said = place.good(&format!("verify-proof later --since one.seal --key {key}"));
    assert!(said.contains("not on    the seal you kept") && !said.contains("and on"), "{said}");
    // The key of another log.
    place.good("run automatic.yaml --data d2");
    let other = place.json("verify d2 -o json")["partitions"][0]["verifier_key"].as_str().unwrap().to_owned();
    assert!(place.bad(&format!("verify-proof p --key {other}"), 4).contains("pinned"));
}
