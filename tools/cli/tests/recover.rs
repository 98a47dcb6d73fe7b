//! `recover`: a log put in place from a backup, and nothing lost silently.

mod support;

use support::Place;

fn place() -> Place {
    let place = Place::new();
    place.good("run automatic.yaml --cases 5 --data d1");
    place.good("export --format log --data d1 -O b.actum");
    place
}

fn last_event(place: &Place, data: &str) -> serde_json::Value {
    let events = place.good(&format!("export --format jsonl --data {data}"));
    serde_json::from_str(events.lines().last().unwrap()).unwrap()
}

#[test]
fn a_lost_directory_is_restored_and_the_log_says_so() {
    let place = place();
    let backup = place.json("verify b.actum -o json");
    std::fs::rename(place.path("d1"), place.path("gone")).unwrap();
    assert!(place.bad("recover --from b.actum --data d1", 3).contains("--keys"));
    assert!(!place.path("d1").exists());
    let said = place.json("recover --from b.actum --keys gone/keys --data d1 -o json");
    assert_eq!((&said["size"], &said["kept"]), (&backup["events"], &serde_json::Value::Null));
    let event = last_event(&place, "d1");
    assert_eq!(
        (&event["kind"], &event["source"], &event["replaced"]),
        (&"LogRestored".into(), &"archive".into(), &serde_json::Value::Null)
    );
    assert_eq!(event["size"], backup["events"]);
    place.good("run automatic.yaml --cases 2 --data d1");
    assert_eq!(place.json("doctor --data d1 -o json")["healthy"], true);
    // From another directory, with its keys in it.
    place.good("recover --from d1 --data d2");
    assert_eq!(last_event(&place, "d2")["source"], "directory");
    place.good("verify d2");
    assert!(
        std::fs::read_dir(place.path(""))
            .unwrap()
            .all(|entry| { !entry.unwrap().file_name().to_string_lossy().contains("restoring") })
    );
}

#[test]
fn what_is_ahead_of_the_backup_is_not_replaced_silently() {
    let place = place();
    place.good("run automatic.yaml --cases 2 --data d1");
    let ahead = place.json("verify d1 -o json");
    let said = place.bad("recover --from b.actum --data d1", 1);
    assert!(said.contains("ahead of the backup") && said.contains("--accept-loss"), "{said}");
    assert_eq!(place.json("verify d1 -o json")["events"], ahead["events"]);
    let done = place.json("recover --from b.actum --data d1 --accept-loss -o json");
    let kept = done["kept"].as_str().unwrap();
    assert_eq!(kept, "d1.replaced-1");
    assert_eq!(place.json(&format!("verify {kept} -o json"))["events"], ahead["events"]);
    assert_eq!(last_event(&place, "d1")["replaced"]["size"], ahead["events"]);
    // Damaged heads could have been ahead.
    std::fs::write(place.path("d1/head-0"), b"x").unwrap();
    assert!(place.bad("recover --from b.actum --data d1", 1).contains("cannot be read"));
    place.good("recover --from b.actum --data d1 --accept-loss");
    place.good("verify d1");
}

#[test]
fn a_longer_log_that_parted_from_what_is_there_does_not_replace_it_silently() {
    let place = place();
    place.good("recover --from b.actum --keys d1/keys --data other");
    place.good("run automatic.yaml --cases 1 --data d1");
    place.good("run automatic.yaml --cases 30 --data other");
    place.good("export --format log --data other -O other.actum");
    let there = place.json("verify d1 -o json");
    for from in ["other", "other.actum"] {
        let said = place.bad(&format!("recover --from {from} --data d1"), 4);
        assert!(said.contains("parted") && said.contains("--accept-loss"), "{said}");
        assert_eq!(place.json("verify d1 -o json")["partitions"], there["partitions"]);
    }
    let done = place.json("recover --from other --data d1 --accept-loss -o json");
    let kept = done["kept"].as_str().unwrap();
    assert_eq!(place.json(&format!("verify {kept} -o json"))["partitions"], there["partitions"]);
    assert_eq!(last_event(&place, "d1")["replaced"]["size"], there["events"]);
    // What is there, and more, needs no consent.
    place.good("export --format log --data d1 -O more.actum");
    place.good("recover --from more.actum --data d1");
}

#[test]
fn wrong_sources_and_targets_are_refused_and_nothing_changes() {
    let place = place();
    place.good("run automatic.yaml --data other");
    assert!(place.bad("recover --from b.actum --data other", 1).contains("another log"));
    place.bad("recover --from missing.actum --data d1", 3);
    place.bad("recover --from automatic.yaml --data d1", 5);
    place.bad("recover --from d1 --data d1", 2);
    place.bad("recover --from b.actum --data automatic.yaml", 2);
    place.bad("recover --from b.actum --data no/where", 3);
    assert_eq!(place.run("recover --data d1").code, 2);
    let mut changed = place.read("b.actum");
    let at = changed.len() - 700;
    changed[at] ^= 1;
    place.write("changed.actum", changed);
    assert!([4, 5].contains(&place.run("recover --from changed.actum --data d3 --keys d1/keys").code));
    assert!(!place.path("d3").exists());
    let lock = std::fs::File::open(place.path("d1")).unwrap();
    lock.lock().unwrap();
    assert!(place.bad("recover --from b.actum --data d1", 6).contains("running"));
    drop(lock);
    place.good("verify d1");
}

#[test]
fn a_key_that_was_rotated_away_since_the_backup_is_replaced_by_the_next() {
    let place = place();
    let key = place.json("verify b.actum -o json")["partitions"][0]["verifier_key"].as_str().unwrap().to_owned();
    place.good("key rotate --data d1");
    assert!(place.bad("recover --from b.actum --data d1 --accept-loss", 3).contains("--lost-key"));
    place.good("recover --from b.actum --data d1 --accept-loss --lost-key");
    place.good("run automatic.yaml --data d1");
    place.good(&format!("verify d1 --key {key} --require pinned"));
    assert_eq!(place.json("key show --data d1 -o json")["keys"][0]["revoked"], true);
}

#[test]
fn killed_at_any_moment_the_directory_is_the_old_one_or_the_new_one() {
    let place = place();
    place.good("run automatic.yaml --cases 2 --data d1");
    let old = place.json("verify d1 -o json")["events"].as_u64().unwrap();
    let kills = place.killed_everywhere("recover --from b.actum --data d1 --accept-loss", |at| {
        let events = place.json("verify d1 -o json")["events"].as_u64().unwrap();
        assert!(events == old || last_event(&place, "d1")["kind"] == "LogRestored", "{at}: {events}");
        assert_eq!(place.json("doctor --data d1 -o json")["healthy"], true, "{at}");
    });
    assert!(kills >= 8, "{kills}");
    place.good("recover --from b.actum --data d1 --accept-loss");
    place.good("run automatic.yaml --data d1");
    assert!(!place.path(".d1.restoring").exists());
}
