//! `key`: rotation, revocation, keys from the environment; killed at any moment.

mod support;

use serde_json::Value as Json;
use support::Place;

fn place() -> Place {
    let place = Place::new();
    place.good("run automatic.yaml --cases 3 --data d1");
    place
}

fn key_of(place: &Place) -> String {
    place.json("verify d1 -o json")["partitions"][0]["verifier_key"].as_str().unwrap().to_owned()
}

fn show(place: &Place) -> Json {
    place.json("key show --data d1 -o json")
}

#[test]
fn a_rotated_log_verifies_from_its_first_key_on() {
    let place = place();
    let first = key_of(&place);
    for rotations in 1..=2 {
        let said = place.good("key rotate --data d1");
        assert!(said.contains("is in force"), "{said}");
        place.good("run automatic.yaml --cases 2 --data d1");
        let shown = show(&place);
        assert_eq!(shown["keys"].as_array().unwrap().len(), rotations + 1);
        assert_eq!(
            shown["files"],
            serde_json::json!({
                "seal.pem": "in-force", "next.pem": "next", "after-next.pem": "missing"
            })
        );
    }
    let id = show(&place)["keys"][0]["id"].as_str().unwrap().to_owned();
    let revoked = place.json(&format!("key revoke {id} --reason stolen --data d1 -o json"));
    let keys = show(&place)["keys"].clone();
    assert_eq!((&revoked["revoked"], &revoked["in_force"]), (&keys[0]["public_key"], &keys[2]["public_key"]));
    let verdict = place.json(&format!("verify d1 --key {first} --require pinned -o json"));
    let spans = verdict["partitions"][0]["keys"].as_array().unwrap();
    assert_eq!(spans.iter().map(|span| span["revoked"].as_bool().unwrap()).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!((&spans[0]["first_block"], &spans[2]["in_force"]), (&0.into(), &true.into()));
    let text = place.good(&format!("verify d1 --key {first}"));
    assert!(text.contains(&format!("by key {id}, revoked")), "{text}");
    // Proofs carry the rotations, archives too; the log is shown.
    place.good("prove case:4 --data d1 -O p");
    let proven = place.json(&format!("verify-proof p --key {first} -o json"));
    assert_eq!((&proven["rotations"], &proven["anchor"]), (&2.into(), &"pinned".into()));
    place.good("export --format log --data d1 -O d1.actum");
    place.good(&format!("verify d1.actum --key {first} --require pinned"));
    let events = place.good("export --format jsonl --data d1.actum");
    for kind in ["KeyRotated", "KeyRevoked"] {
        assert!(events.contains(&format!("\"kind\":\"{kind}\"")), "{kind}");
    }
    // The trust file pins the same, and knows of the revocation.
    place.write("t", place.good("key show --trust-file --data d1"));
    assert_eq!(place.json("verify d1 --trust t --require pinned -o json")["anchor"], "pinned");
    place.good("verify-proof p --trust t");
}

#[test]
fn a_log_whose_newest_seal_is_by_a_revoked_key_is_refused() {
    let place = place();
    place.good("export --format log --data d1 -O old.actum");
    place.good("verify d1 --save-seal old.seal");
    place.good("key rotate --data d1");
    let id = show(&place)["keys"][0]["id"].as_str().unwrap().to_owned();
    place.good(&format!("key revoke {id} --data d1"));
    place.write("t", place.good("key show --trust-file --data d1"));
    assert!(place.bad("verify old.actum --trust t", 4).contains("revoked"));
    // Whoever kept that seal knows that it was there before.
    place.good("verify old.actum --trust t --since old.seal");
    place.good("verify d1 --trust t");
}

#[test]
fn a_lost_key_is_replaced_and_what_is_wrong_is_said() {
    let place = place();
    std::fs::remove_file(place.path("d1/keys/seal.pem")).unwrap();
    assert!(place.bad("run automatic.yaml --data d1", 5).contains("key revoke --lost"));
    assert!(place.bad("key rotate --data d1", 5).contains("seal.pem is missing"));
    place.good("key revoke --lost --reason broken --data d1");
    let shown = show(&place);
    assert_eq!((&shown["keys"][0]["revoked"], &shown["keys"][0]["reason"]), (&true.into(), &"broken".into()));
    place.good("run automatic.yaml --data d1");
    std::fs::write(place.path("d1/keys/next.pem"), "nothing").unwrap();
    assert!(place.bad("key rotate --data d1", 1).contains("next.pem"));
    let said = place.bad("key revoke --lost --data d1", 5);
    assert!(said.contains("next.pem") && !said.contains("--lost"), "its own advice leads nowhere: {said}");
    place.good("run automatic.yaml --data d1");
    place.bad("key revoke 00000000 --data d1", 3);
    place.bad("key show --data nowhere", 3);
    place.bad("key rotate --data nowhere", 3);
    // A log is there, but none that can be written.
    place.good("export --format log --data d1 -O d1.actum");
    for line in ["key rotate", "key revoke --lost", "checkpoint"] {
        assert!(place.bad(&format!("{line} --data d1.actum"), 2).contains("is a file"), "{line}");
    }
    for usage in ["key", "key revoke --data d1", "key rotate --then xyz --data d1", "key rotate --then none --data d1"]
    {
        assert_eq!(place.run(usage).code, 2, "{usage}");
    }
    place.good("verify d1");
}

#[test]
fn keys_from_the_environment_need_no_files_and_are_shown_nowhere() {
    let place = place();
    let pem = |path: &str| String::from_utf8(place.read(path)).unwrap();
    let (one, two) = (pem("d1/keys/seal.pem"), pem("d1/keys/next.pem"));
    let run = |line: &str, seal: &str, next: &str| {
        let mut command = place.command(line);
        command.env("ACTUM_SEAL_KEY", seal);
        if !next.is_empty() {
            command.env("ACTUM_NEXT_KEY", next);
        }
        let ran = support::Ran::from(command.output().unwrap());
        let secret = |pem: &str| pem.lines().nth(1).unwrap_or(pem).to_owned();
        for secret in [secret(seal), secret(next)].iter().filter(|secret| secret.len() > 20) {
            assert!(!ran.text().contains(secret) && !ran.err.contains(secret), "{line}");
        }
        ran
    };
    let good = |line: &str, seal: &str, next: &str| {
        let ran = run(line, seal, next);
        assert_eq!(ran.code, 0, "{line}: {}{}", ran.text(), ran.err);
        ran.text()
    };
    good("run automatic.yaml --data d2", &one, &two);
    assert!(!place.path("d2/keys").exists());
    place.bad("run automatic.yaml --data d2", 5);
    good("run automatic.yaml --data d2", &one, "");
    assert_eq!(run("run automatic.yaml --data d2", &two, "").code, 1, "another key than that in force");
    assert_eq!(run("run automatic.yaml --data d2", "rubbish that is long enough", "").code, 2);
    assert_eq!(run("key rotate --data d2", &one, &two).code, 2, "the one after it has to be named");
    let shown = good("key show --data d2", &one, &two);
    assert!(shown.contains("ACTUM_NEXT_KEY is the next key"), "{shown}");
    good("key rotate --then none --data d2", &one, &two);
    good("run automatic.yaml --data d2", &two, "");
    assert_eq!(run("run automatic.yaml --data d2", &one, "").code, 1);
    assert_eq!(run("doctor --data d2", &one, "").code, 4);
    good("doctor --data d2", &two, "");
    assert_eq!(run("key rotate --then none --data d2", &two, &one).code, 1, "the log committed no next key");
    place.good("verify d2");
}

#[test]
fn a_rotation_killed_at_any_moment_leaves_a_log_that_goes_on() {
    let place = place();
    let first = key_of(&place);
    let kills = place.killed_everywhere("key rotate --data d1", |at| {
        let found = place.json("doctor --data d1 -o json");
        assert_eq!(found["healthy"], true, "{at}: {found:#}");
    });
    assert!(kills >= 8, "{kills}");
    place.good("run automatic.yaml --data d1");
    place.good("key rotate --data d1");
    place.good(&format!("verify d1 --key {first} --require pinned"));
    let shown = show(&place);
    assert_eq!((&shown["files"]["seal.pem"], &shown["files"]["next.pem"]), (&"in-force".into(), &"next".into()));
}

#[test]
fn only_one_process_changes_keys() {
    let place = place();
    let lock = std::fs::File::open(place.path("d1")).unwrap();
    lock.lock().unwrap();
    for line in
        ["key rotate --data d1", "key revoke --lost --data d1", "checkpoint --data d1", "run automatic.yaml --data d1"]
    {
        assert!(place.bad(line, 6).contains("another process"), "{line}");
    }
    place.good("key show --data d1");
}
