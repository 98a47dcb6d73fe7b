//! What was kept: seals, tails, checkpoints, completeness.

mod support;

use support::Place;

fn place() -> (Place, String) {
    let place = Place::new();
    place.write("a.jsonl", "{\"key\": \"A\"}\n{\"key\": \"B\"}\n");
    place.good("run automatic.yaml --input @a.jsonl --data d1");
    place.good("verify d1 --save-seal one.seal");
    let key = place.json("verify d1 -o json")["partitions"][0]["verifier_key"].as_str().unwrap().to_owned();
    (place, key)
}

#[test]
fn a_log_is_held_against_a_seal_that_was_kept() {
    let (place, key) = place();
    place.good("run automatic.yaml --cases 2 --data d1");
    let verdict = place.json("verify d1 --since one.seal -o json");
    let since = &verdict["anchors"][1];
    assert_eq!((&since["anchor"], &since["prefix_read"]), (&"since".into(), &true.into()));
    assert!(place.good(&format!("verify d1 --since one.seal --key {key}")).contains("the seal you kept"));
    // Another log, and this one rolled back.
    place.good("run automatic.yaml --data d2");
    place.bad("verify d2 --since one.seal", 4);
    place.good("verify d1 --save-seal two.seal");
    place.good("export --format log --data d1 -O now.actum");
    place.good("run automatic.yaml --cases 2 --data d1");
    place.good("verify d1 --save-seal three.seal");
    place.good("verify now.actum --since two.seal");
    assert!(place.bad("verify now.actum --since three.seal", 4).contains("seal you kept"));
    // Files of other kinds.
    place.bad("verify d1 --since a.jsonl", 2);
    place.bad("verify d1 --since missing.seal", 3);
    place.bad("verify d1 --trust one.seal", 2);
    place.write("long", vec![b'x'; 100_000]);
    for option in ["--since long", "--trust long", "--key @long"] {
        assert!(place.bad(&format!("verify d1 {option}"), 2).contains("too long"), "{option}");
    }
    place.bad("verify d1 --save-seal one.seal", 1);
    place.good("verify d1 --save-seal one.seal --force");
    place.bad("verify d1 --require witnessed", 1);
    assert_eq!(place.run(&format!("verify d1 --trust x --key {key}")).code, 2);
}

#[test]
fn a_tail_is_verified_against_the_seal_where_it_begins() {
    let (place, key) = place();
    place.good("run automatic.yaml --cases 2 --data d1");
    place.good("export --format log --data d1 -O d1.actum");
    for data in ["d1", "d1.actum"] {
        place.good(&format!("export --format log --since one.seal --data {data} -O tail.actum --force"));
        assert!(place.read("tail.actum").len() < place.read("d1.actum").len());
        let verdict = place.json(&format!("verify tail.actum --since one.seal --key {key} --require pinned -o json"));
        let partition = &verdict["partitions"][0];
        assert!(partition["skipped_events"].as_u64().unwrap() > 0);
        assert_eq!(verdict["anchors"][1]["prefix_read"], false);
        assert_eq!(partition["root"], place.json("verify d1 -o json")["partitions"][0]["root"]);
    }
    assert!(place.bad("verify tail.actum", 1).contains("--since"));
    assert!(place.bad("log --data tail.actum", 1).contains("give the seal"));
    place.good("verify d1 --save-seal two.seal");
    place.bad("verify tail.actum --since two.seal", 1);
    let said = place.bad("export --format log --since two.seal --data tail.actum -O x.actum", 1);
    assert!(said.contains("from the whole log") && !said.contains("tampered"), "{said}");
    // A log that was rolled back behind the seal.
    place.good("run automatic.yaml --cases 2 --data d1");
    place.good("verify d1 --save-seal three.seal");
    let said = place.bad("export --format log --since three.seal --data d1.actum -O x.actum", 4);
    assert!(said.contains("seal you kept"), "{said}");
    place.bad("verify d1.actum --since three.seal", 4);
    let mut changed = place.read("tail.actum");
    let at = changed.len() * 3 / 4;
    changed[at] ^= 4;
    place.write("changed.actum", changed);
    assert!([4, 5].contains(&place.run("verify changed.actum --since one.seal").code));
    place.good("run automatic.yaml --data d2");
    place.bad("export --format log --since one.seal --data d2 -O x.actum", 2);
    place.bad("export --format jsonl --since one.seal --data d1 -O x", 2);
    assert!(!place.path("x.actum").exists());
}

#[test]
fn completeness_is_proven_as_of_a_checkpoint() {
    let (place, key) = place();
    assert!(place.bad("prove A --as-of latest --data d1 -O p", 3).contains("actum checkpoint"));
    let checkpoint = place.json("checkpoint --data d1 -o json")["checkpoint"].as_u64().unwrap();
    place.good("run automatic.yaml --cases 1 --data d1");
    for (subject, what) in
        [("A", "completeness"), ("case:2", "completeness"), ("case:3", "absence"), ("case:77", "absence")]
    {
        for as_of in ["latest".to_owned(), checkpoint.to_string()] {
            place.good(&format!("prove {subject} --as-of {as_of} --data d1 -O p --force"));
            let proven = place.json(&format!("verify-proof p --key {key} --require pinned -o json"));
            assert_eq!((&proven["what"], &proven["checkpoint"]), (&what.into(), &checkpoint.into()), "{subject}");
        }
    }
    let text = place.good(&format!("verify-proof p --key {key}"));
    assert!(text.contains("had no event when the log had"), "{text}");
    place.bad("prove A --as-of 5 --data d1 -O q", 3);
    place.bad("prove 5 --as-of latest --data d1 -O q", 2);
    assert_eq!(place.run("prove A --as-of yesterday --data d1 -O q").code, 2);
    place.bad("checkpoint --data nowhere", 3);
    let events = place.good("log --data d1 -o json");
    assert!(events.contains("CheckpointWritten"));
    place.bad("verify-proof p", 2);
    assert!(place.bad(&format!("verify-proof one.seal --key {key}"), 5).contains("proof"));
}

#[test]
fn a_proof_of_a_log_that_does_not_verify_is_not_made() {
    let (place, _) = place();
    place.good("export --format log --data d1 -O d1.actum");
    let mut changed = place.read("d1.actum");
    let at = changed.len() / 2;
    changed[at] ^= 1;
    place.write("changed.actum", changed);
    let ran = place.run("prove 2 --data changed.actum -O p");
    assert!([4, 5].contains(&ran.code), "{}", ran.err);
    assert!(!place.path("p").exists());
}
