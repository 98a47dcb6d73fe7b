//! Commands that read: the same answers from a directory and from an archive, and every way to fail.

mod support;

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use serde_json::Value as Json;
use support::Place;

/// Three cases, one of them played, in `d1` and in `d1.actum`.
fn place() -> Place {
    let place = Place::new();
    place.write("a.jsonl", "{\"key\": \"A\"}\n{\"key\": \"B\", \"amount\": 3}\n{\"key\": \"C\"}\n");
    place.good("run manual.yaml --input @a.jsonl --play 7 --data d1");
    place.good("export --format log -O d1.actum --data d1");
    place
}

fn lines(text: &str) -> Vec<Json> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn a_directory_and_its_archive_give_the_same_answers() {
    let place = place();
    for command in
        ["log", "log 2", "log B -o json", "log --from 30 --limit 5", "show 1", "show B -o json", "show 1 --at @v3"]
    {
        let answer = place.good(&format!("{command} --data d1"));
        assert!(!answer.is_empty(), "{command}");
        assert_eq!(answer, place.good(&format!("{command} --data d1.actum")), "{command}");
    }
    assert_eq!(place.good("export --format jsonl --data d1"), place.good("export --format jsonl --data d1.actum"));
    assert_eq!(place.run("export --format log --data d1").out, place.read("d1.actum"));
    let (directory, archive) = (place.json("verify d1 -o json"), place.json("verify d1.actum -o json"));
    assert_eq!(directory["partitions"][0]["root"], archive["partitions"][0]["root"]);
    assert_eq!(
        (&directory["partitions"][0]["head_kept"], &archive["partitions"][0]["head_kept"]),
        (&true.into(), &false.into())
    );
}

#[test]
fn every_event_object_has_the_promised_keys() {
    let place = place();
    let events = lines(&place.good("export --format jsonl --data d1"));
    for (event, seq) in events.iter().zip(0..) {
        assert_eq!(event["seq"], seq, "no event is missing");
        let keys: Vec<&str> = event.as_object().unwrap().keys().map(String::as_str).collect();
        let head = ["seq", "case", "stream", "version", "kind", "time", "actor", "cause"];
        let expected: Vec<&str> = head.into_iter().filter(|key| *key != "stream" || event["case"].is_null()).collect();
        assert_eq!(keys[..expected.len()], expected[..], "{event}");
    }
    assert_eq!(lines(&place.good("log -o json --data d1")), events);
    place.good("export --format jsonl -O e.jsonl --data d1");
    assert_eq!(lines(&String::from_utf8(place.read("e.jsonl")).unwrap()), events);
}

#[test]
fn the_state_of_a_case_is_shown_as_it_was() {
    let place = place();
    let begun = place.json("show 2 --at @v1 --data d1 -o json");
    assert_eq!(
        (&begun["status"], &begun["variables"]["amount"], &begun["version"]),
        (&"open".into(), &3.into(), &1.into())
    );
    let seq = begun["seq"].as_u64().unwrap();
    assert_eq!(place.json(&format!("show 2 --at {seq} --data d1 -o json")), begun);
    let now = place.json("show 2 --data d1 -o json");
    assert_eq!(now["status"], "completed");
    let time = now["changed"].as_str().unwrap();
    assert_eq!(place.json(&format!("show 2 --at {time} --data d1 -o json")), now);
}

#[test]
fn what_is_not_there_has_exit_code_3() {
    let place = place();
    for command in [
        "log --data d9",
        "show 1 --data d9",
        "verify d9",
        "verify d9.actum",
        "export --format jsonl --data d9",
        "log 9 --data d1",
        "log NOKEY --data d1",
        "show 9 --data d1",
        "show NOKEY --data d1.actum",
        "show 1 --at 0 --data d1",
        "show 1 --at 99999 --data d1",
        "show 1 --at @v99 --data d1",
        "show 1 --at 1999-01-01T00:00:00Z --data d1",
        "check d9.yaml",
        "verify d1 --key @d9.vkey",
        "export --format jsonl --data d1 -O nowhere/e.jsonl",
    ] {
        place.bad(command, 3);
    }
    std::fs::create_dir(place.path("empty")).unwrap();
    place.bad("verify empty", 3);
}

#[test]
fn mistakes_in_typing_have_exit_code_2() {
    let place = place();
    let ran = place.run("verfy");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("verify"), "did you mean: {}", ran.err);
    let ran = place.run("verify --kee x");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--key"), "did you mean: {}", ran.err);
    for command in [
        "",
        "show",
        "show 1 --at yesterday",
        "export",
        "export --format xml",
        "log --limit many",
        "run",
        "run manual.yaml --cases -1",
        "schema",
        "completions tcsh",
        "verify --require luck",
        "-o yaml check manual.yaml",
    ] {
        assert_eq!(place.run(command).code, 2, "{command}");
    }
    place.bad("verify d1 --key nonsense", 2);
}

#[test]
fn a_verdict_names_its_anchor() {
    let place = place();
    let own = place.json("verify d1 -o json");
    assert_eq!((&own["verified"], &own["anchor"], &own["clock"]), (&true.into(), &"self".into(), &"simulated".into()));
    let key = own["partitions"][0]["verifier_key"].as_str().unwrap().to_owned();
    assert_eq!(place.json(&format!("verify d1.actum --key {key} -o json"))["anchor"], "pinned");
    place.write("trusted.vkey", format!("{key}\n"));
    let text = place.good("verify d1 --key @trusted.vkey --require pinned");
    assert!(text.contains("the key you gave (pinned)"), "{text}");
    assert!(text.contains("nothing after that can be excluded"), "{text}");
    assert!(place.bad("verify d1 --require pinned", 1).contains("only on its own word"));
    place.good("run automatic.yaml --data other");
    let other = place.json("verify other -o json")["partitions"][0]["verifier_key"].as_str().unwrap().to_owned();
    assert!(place.bad(&format!("verify d1 --key {other}"), 4).contains("key is not the pinned one"));
}

#[test]
fn a_changed_archive_is_found_out_and_the_place_named() {
    let place = place();
    let whole = place.read("d1.actum");
    for at in (0..whole.len()).step_by(173).chain([whole.len() - 1]) {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        place.write("changed.actum", &changed);
        let ran = place.run("verify changed.actum -o json");
        assert!([4, 5].contains(&ran.code), "byte {at}: {} {}", ran.code, ran.err);
        let found: Json = serde_json::from_str(&ran.text()).unwrap();
        assert_eq!(found["kind"], if ran.code == 4 { "tampered" } else { "corrupt" });
        assert!(found["place"]["part"].is_string() && ran.err.lines().count() == 1, "byte {at}: {}", ran.err);
    }
    place.write("cut.actum", &whole[..whole.len() / 2]);
    place.bad("verify cut.actum", 5);
    place.bad("show 1 --data cut.actum", 5);
    place.write("long.actum", [&whole[..], b"x"].concat());
    place.bad("log --data long.actum", 5);
    place.write("note.actum", "not an archive at all");
    place.bad("verify note.actum", 5);
}

#[test]
fn nothing_is_left_of_an_export_that_failed() {
    let place = place();
    let mut changed = place.read("d1.actum");
    let at = changed.len() * 2 / 3;
    changed[at] ^= 1;
    place.write("changed.actum", &changed);
    for format in ["log", "jsonl"] {
        let ran = place.run(&format!("export --format {format} --data changed.actum -O out"));
        assert!([4, 5].contains(&ran.code), "{}", ran.err);
    }
    let left: Vec<_> = std::fs::read_dir(place.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("out")), "{left:?}");
    assert!(place.bad("export --format log --data d1 -O d1.actum", 1).contains("--force"));
    place.good("export --format log --data d1 -O d1.actum --force");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named() {
    let place = Place::new();
    place.good("run automatic.yaml --cases 3000 --data d1");
    for format in ["log", "jsonl"] {
        let said = place.bad(&format!("export --format {format} --data d1 -O /dev/full"), 6);
        assert_eq!(said, "error: /dev/full cannot be written: the disk is full; make room and run the command again");
    }
}

#[test]
fn a_changed_directory_is_found_out_or_gives_the_same_answers() {
    let place = place();
    let before = place.good("export --format jsonl --data d1");
    let mut files = Vec::new();
    collect(&place.path("d1"), &mut files);
    assert!(files.iter().any(|file| file.ends_with("genesis")) && files.len() > 4, "{files:?}");
    for file in files {
        let whole = std::fs::read(&file).unwrap();
        for at in [0, whole.len() / 3, whole.len() * 2 / 3, whole.len().saturating_sub(1)] {
            let mut changed = whole.clone();
            let Some(byte) = changed.get_mut(at) else { continue };
            *byte ^= 0x10;
            std::fs::write(&file, &changed).unwrap();
            let ran = place.run("export --format jsonl --data d1");
            match ran.code {
                0 => assert_eq!(ran.text(), before, "{} at {at}", file.display()),
                3..=5 => {
                    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
                    assert!(!ran.err.contains("scratch") && !ran.err.contains(" { "), "{}", ran.err);
                }
                code => panic!("{} at {at}: exit code {code}: {}", file.display(), ran.err),
            }
            assert_eq!(std::fs::read(&file).unwrap(), changed, "reading repairs nothing");
        }
        std::fs::write(&file, &whole).unwrap();
    }
    assert_eq!(place.good("export --format jsonl --data d1"), before);
    let left: Vec<_> = std::fs::read_dir(place.path("tmp")).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(left.is_empty(), "scratch copies are removed: {left:?}");
}

fn collect(directory: &std::path::Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

#[test]
fn a_missing_part_of_a_directory_is_named() {
    for (part, codes) in [("genesis", [5, 5]), ("head-0", [4, 5]), ("store", [5, 5])] {
        let place = place();
        let path = place.path("d1").join(part);
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else {
            std::fs::remove_file(path).unwrap();
        }
        for command in ["verify d1", "run manual.yaml --play 7 --data d1"] {
            let ran = place.run(command);
            assert!(codes.contains(&ran.code), "{part}: {command}: {} {}", ran.code, ran.err);
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    // Far more than a pipe holds.
    place.good("run automatic.yaml --cases 3000 --data d1");
    for line in ["log --data d1", "export --format jsonl --data d1", "export --format log --data d1"] {
        let mut command = place.command(line);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = Vec::new();
        BufReader::with_capacity(1, child.stdout.take().unwrap()).read_until(b'\n', &mut first).unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""), "{line}");
    }
}

#[test]
fn nothing_is_written_into_a_data_directory() {
    let place = place();
    let genesis = place.read("d1/genesis");
    for file in ["d1/genesis", "d1/new.actum", "d1/store/x", "d1/store/../keys/seal.pem"] {
        let ran = place.run(&format!("export --format log --force -O {file} --data d1"));
        assert_eq!(ran.code, 2, "{file}: {}", ran.err);
        assert!(ran.err.contains("lies in the data directory"), "{}", ran.err);
    }
    assert_eq!(place.read("d1/genesis"), genesis);
    place.good("verify d1");
}
