//! `doctor`: every problem has its name, its exit code and a remedy; nothing is written.

mod support;

use std::fs;
use std::path::Path;

use serde_json::Value as Json;
use support::Place;

fn place() -> Place {
    let place = Place::new();
    place.good("run automatic.yaml --cases 3 --data d1");
    place
}

/// The findings after `harm`, which must leave exit code `exit` and the finding `code`, and every byte as it was.
fn check(harm: impl FnOnce(&Place, &Path), exit: i32, code: &str) -> Json {
    let place = place();
    let dir = place.path("d1");
    harm(&place, &dir);
    let before = contents(&dir);
    let ran = place.run("doctor --data d1 -o json");
    let found: Json = serde_json::from_str(&ran.text()).expect("JSON");
    assert_eq!(ran.code, exit, "{code}: {found:#}{}", ran.err);
    assert_eq!((&found["exit"], &found["healthy"]), (&exit.into(), &(exit == 0).into()));
    let findings = found["findings"].as_array().unwrap();
    let finding =
        findings.iter().find(|finding| finding["code"] == code).unwrap_or_else(|| panic!("{code}: {found:#}"));
    assert!(!finding["what"].as_str().unwrap().is_empty());
    let own = if code.starts_with("scratch/") { "os error" } else { "scratch-" };
    for never in [own, " { ", "Some(", "Os {", "os error"] {
        assert!(!finding["what"].as_str().unwrap().contains(never), "{finding:#}");
    }
    let text = place.run("doctor --data d1");
    assert_eq!((text.code, text.text().contains(code)), (exit, true), "{}", text.text());
    assert_eq!(contents(&dir), before, "{code}: nothing is written");
    finding.clone()
}

fn contents(dir: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.clone(), fs::read(path).unwrap_or_default()));
            }
        }
    }
    found.sort();
    found
}

fn flip(path: &Path, at: impl Fn(usize) -> usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at(bytes.len());
    bytes[at] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_sound_directory_is_healthy() {
    let note = check(|_, _| {}, 0, "log/verified");
    assert_eq!(note["severity"], "note");
}

#[test]
fn what_is_no_log_is_said_so() {
    check(|_, dir| fs::remove_dir_all(dir).unwrap(), 3, "directory/missing");
    check(
        |_, dir| {
            fs::remove_dir_all(dir).unwrap();
            fs::create_dir(dir).unwrap();
        },
        3,
        "directory/no-log",
    );
    check(
        |_, dir| {
            fs::remove_dir_all(dir).unwrap();
            fs::write(dir, "x").unwrap();
        },
        3,
        "directory/file",
    );
    check(
        |_, dir| {
            for name in ["genesis", "head-0"] {
                fs::remove_file(dir.join(name)).unwrap();
            }
            fs::create_dir(dir.join("creating")).unwrap();
        },
        3,
        "creation/interrupted",
    );
}

#[test]
fn damage_is_told_apart_from_tampering() {
    check(|_, dir| fs::remove_file(dir.join("genesis")).unwrap(), 5, "genesis/missing");
    check(|_, dir| fs::write(dir.join("genesis"), "x").unwrap(), 5, "genesis/corrupt");
    check(|_, dir| fs::remove_file(dir.join("head-0")).unwrap(), 5, "head/missing");
    check(|_, dir| fs::write(dir.join("head-0"), "x").unwrap(), 5, "head/corrupt");
    check(|_, dir| fs::remove_dir_all(dir.join("store")).unwrap(), 5, "store/missing");
    check(|_, dir| flip(&dir.join("store/keyspaces/1/current"), |_| 9), 5, "store/corrupt");
    check(|_, dir| fs::remove_file(dir.join("store/version")).unwrap(), 5, "store/corrupt");
    // The middle of an acknowledged commit.
    check(
        |_, dir| {
            let path = dir.join("store/0.jnl");
            let end = fs::read(&path).unwrap().iter().rposition(|byte| *byte != 0).unwrap();
            flip(&path, |_| end - 60);
        },
        5,
        "journal/corrupt",
    );
    let lost = check(
        |_, dir| {
            let path = dir.join("store/0.jnl");
            let mut bytes = fs::read(&path).unwrap();
            let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
            bytes[end - 300..].fill(0);
            fs::write(path, bytes).unwrap();
        },
        4,
        "store/behind-head",
    );
    assert!(lost["remedy"].as_str().unwrap().contains("--accept-loss"));
    check(
        |place, dir| {
            place.good("run manual.yaml --play 7 --data other");
            fs::copy(place.path("other/genesis"), dir.join("genesis")).unwrap();
        },
        4,
        "store/tampered",
    );
}

#[test]
fn what_a_power_loss_leaves_is_no_problem() {
    check(|_, dir| flip(&dir.join("head-0"), |_| 100 + 4096 * older_slot(dir)), 0, "head/torn");
    check(
        |_, dir| {
            let path = dir.join("store/0.jnl");
            let mut bytes = fs::read(&path).unwrap();
            let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
            // Begins as a batch does, and stops.
            bytes.truncate(end + 1);
            bytes.extend([1, 9, 0, 0, 0, 7, 7]);
            fs::write(path, bytes).unwrap();
        },
        0,
        "store/torn-tail",
    );
    check(
        |_, dir| {
            // As if the newest head had not been written: what was stored is ahead of it.
            let mut bytes = fs::read(dir.join("head-0")).unwrap();
            let newer = 1 - older_slot(dir);
            bytes[4096 * newer + 100] ^= 1;
            fs::write(dir.join("head-0"), bytes).unwrap();
        },
        0,
        "store/ahead",
    );
}

fn older_slot(dir: &Path) -> usize {
    let bytes = fs::read(dir.join("head-0")).unwrap();
    let generation = |slot: usize| u64::from_le_bytes(bytes[4096 * slot + 8..4096 * slot + 16].try_into().unwrap());
    usize::from(generation(1) < generation(0))
}

#[cfg(unix)]
#[test]
fn keys_are_held_against_the_log() {
    use std::os::unix::fs::PermissionsExt;
    let key = |dir: &Path, name: &str| dir.join("keys").join(name);
    check(|_, dir| fs::remove_file(key(dir, "seal.pem")).unwrap(), 3, "key/seal-missing");
    check(|_, dir| flip(&key(dir, "seal.pem"), |_| 40), 5, "key/seal-corrupt");
    check(|_, dir| fs::remove_file(key(dir, "next.pem")).unwrap(), 3, "key/next-missing");
    check(|_, dir| flip(&key(dir, "next.pem"), |_| 40), 5, "key/next-corrupt");
    let swapped = |name: &'static str| {
        move |place: &Place, dir: &Path| {
            place.good("run automatic.yaml --data other");
            fs::copy(place.path("other/keys/seal.pem"), key(dir, name)).unwrap();
        }
    };
    check(swapped("seal.pem"), 4, "key/seal-mismatch");
    let finding = check(swapped("next.pem"), 4, "key/next-mismatch");
    assert!(finding["what"].as_str().unwrap().contains("the log itself is sound"));
    check(
        |_, dir| fs::set_permissions(key(dir, "seal.pem"), fs::Permissions::from_mode(0o644)).unwrap(),
        6,
        "key/seal-permissions",
    );
}

#[test]
fn who_has_it_open_and_what_was_left_over_is_told() {
    let lock = std::cell::RefCell::new(None);
    let note = check(
        |_, dir| {
            let file = fs::File::open(dir).unwrap();
            file.lock().unwrap();
            lock.replace(Some(file));
        },
        0,
        "directory/locked",
    );
    assert!(note["what"].as_str().unwrap().contains("process"), "{note:#}");
    check(|_, dir| fs::create_dir(dir.join("creating")).unwrap(), 0, "creation/left-over");
    check(|place, _| fs::create_dir(place.path(".d1.restoring")).unwrap(), 0, "recover/left-over");
    check(
        |place, _| {
            let scratch = place.path("tmp/actum-scratch-0000000000000001");
            fs::create_dir_all(&scratch).unwrap();
            fs::write(scratch.join("scratch"), "").unwrap();
            // Another one, where nobody reads.
            let beside = place.path("actum-scratch-0000000000000002");
            fs::create_dir_all(&beside).unwrap();
            fs::write(beside.join("scratch"), "").unwrap();
        },
        0,
        "scratch/left-over",
    );
}

#[test]
fn failures_are_objects_where_json_was_asked_for() {
    let place = place();
    for (line, code, exit) in [
        ("log --data nowhere -o json", "not-found", 3),
        ("show 77 --data d1 -o json", "not-found", 3),
        ("verify nowhere -o json", "not-found", 3),
        ("key rotate --data nowhere -o json", "not-found", 3),
        ("run missing.yaml --data d1 -o json", "not-found", 3),
        ("verify d1 --key rubbish -o json", "usage", 2),
    ] {
        let ran = place.run(line);
        let object: Json = serde_json::from_str(&ran.text()).unwrap_or_else(|_| panic!("{line}: {}", ran.text()));
        assert_eq!((ran.code, &object["error"]["code"], &object["error"]["exit"]), (exit, &code.into(), &exit.into()));
        let message = object["error"]["message"].as_str().unwrap();
        assert_eq!(ran.err.trim_end(), format!("error: {message}"), "{line}");
    }
}

#[test]
fn wrong_files_are_called_wrong_and_not_damaged() {
    let place = place();
    place.good("prove 3 --data d1 -O p");
    let key = place.json("verify d1 -o json")["partitions"][0]["verifier_key"].as_str().unwrap().to_owned();
    place.write("empty", "");
    place.good("export --format log --data d1 -O d1.actum");
    for (file, word) in [
        ("p", "verify-proof"),
        ("empty", "is empty"),
        ("d1/keys/seal.pem", "a key"),
        ("d1/genesis", "its directory"),
        ("automatic.yaml", "does not begin"),
    ] {
        let said = place.bad(&format!("verify {file}"), 5);
        assert!(said.contains(word) && !said.contains("evidence"), "{said}");
    }
    assert!(place.bad(&format!("verify-proof d1.actum --key {key}"), 5).contains("is an archive"));
}

#[cfg(unix)]
#[test]
fn missing_permissions_say_what_to_mend() {
    use std::os::unix::fs::PermissionsExt;
    let place = place();
    let journal = place.path("d1/store/0.jnl");
    fs::set_permissions(&journal, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&journal).is_ok() {
        // Whoever may read everything learns nothing here.
        return;
    }
    let said = place.bad("verify d1", 6);
    assert!(said.contains("permission") && !said.contains("try again"), "{said}");
    fs::set_permissions(&journal, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn what_was_found_and_dropped_is_an_event_of_the_log() {
    let place = place();
    let dir = place.path("d1");
    flip(&dir.join("head-0"), |_| 100 + 4096 * older_slot(&dir));
    let path = dir.join("store/0.jnl");
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes.truncate(end + 1);
    bytes.extend([1, 9, 0, 0, 0, 7, 7]);
    fs::write(path, bytes).unwrap();
    place.good("run automatic.yaml --data d1");
    let events = place.good("log --data d1 -o json");
    let events = events.lines().map(|line| serde_json::from_str::<Json>(line).expect("JSON"));
    let opened = events.filter(|event| event["kind"] == "EngineOpened");
    let told: Vec<_> = opened.map(|event| (event["dropped_bytes"].clone(), event["torn_heads"].clone())).collect();
    assert_eq!(told, [(0.into(), 0.into()), (7.into(), 1.into())]);
}
