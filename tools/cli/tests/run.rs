//! `run`: what it does with cases, inputs and people, and how it ends.

mod support;

use serde_json::Value as Json;
use support::Place;

fn sums(place: &Place, line: &str) -> Json {
    let ran = place.run(line);
    serde_json::from_str(&ran.text()).unwrap_or_else(|error| panic!("{line}: {error}: {}", ran.err))
}

#[test]
fn automatic_cases_run_to_their_end() {
    let place = Place::new();
    let text = place.good("run automatic.yaml --cases 3 --data d1");
    assert!(text.starts_with("automatic: 3 cases completed\n"), "{text}");
    for part in ["3 work items", "seal", "actum verify --data d1 --key ", "actum log 1 --data d1"] {
        assert!(text.contains(part) || part == "3 work items", "{part}: {text}");
    }
    let summary = place.json("run automatic.yaml --input {\"amount\":5} --data d1 -o json");
    assert_eq!(summary["cases"]["total"], 1);
    assert_eq!(summary["cases"]["completed"], 1);
    assert_eq!((&summary["started"], &summary["resumed"], &summary["work_items"]), (&1.into(), &0.into(), &1.into()));
    assert_eq!(place.json("show 4 --data d1 -o json")["variables"]["double"], 10);
}

#[test]
fn the_run_says_for_what_cases_wait() {
    let place = Place::new();
    let ran = place.run("run manual.yaml --cases 2 --data d1");
    assert_eq!(ran.code, 8);
    let text = ran.text();
    assert!(text.contains("2 cases wait for somebody with role `clerk` to do `propose` (case 1 and others)"), "{text}");
    let summary = sums(&place, "run manual.yaml --cases 0 --data d1 -o json");
    assert_eq!(summary["reasons"][0]["reason"], "offered");
    assert_eq!((&summary["resumed"], &summary["cases"]["waiting"]), (&2.into(), &2.into()));
}

#[test]
fn failed_work_is_named() {
    let place = Place::new();
    let ran = place.run("run automatic.yaml --input {\"amount\":0} --data d1");
    assert_eq!(ran.code, 8);
    assert!(ran.text().contains("1 case waits since `work` failed: work/input: "), "{}", ran.text());
    let summary = sums(&place, "run automatic.yaml --cases 0 --data d1 -o json");
    assert_eq!(
        (&summary["reasons"][0]["task"], &summary["reasons"][0]["code"]),
        (&"work".into(), &"work/input".into())
    );
}

#[test]
fn each_line_starts_a_case_once() {
    let place = Place::new();
    place.write("a.jsonl", "{\"key\": \"A\", \"amount\": 1}\n\n{\"amount\": 2}\n");
    let first = sums(&place, "run automatic.yaml --input @a.jsonl --data d1 -o json");
    assert_eq!((&first["started"], &first["skipped"]), (&2.into(), &0.into()));
    place.write("a.jsonl", "{\"key\": \"A\", \"amount\": 1}\n\n{\"amount\": 2}\n{\"key\": \"B\"}\n");
    let again = sums(&place, "run automatic.yaml --input @a.jsonl --data d1 -o json");
    assert_eq!((&again["started"], &again["skipped"], &again["cases"]["completed"]), (&1.into(), &2.into(), &3.into()));
    assert_eq!(place.json("show 3 --data d1 -o json")["key"], "B", "a number is a case's, not a key");
    assert_eq!(place.json("show A --data d1 -o json")["case"], 1);
}

#[test]
fn bad_lines_are_all_reported_before_anything_starts() {
    let place = Place::new();
    place.write("a.jsonl", "{\"amount\": 1}\n{\"amount\": \"x\"}\nnonsense\n{\"other\": 1}\n");
    let ran = place.run("run automatic.yaml --input @a.jsonl --data d1");
    assert_eq!(ran.code, 1);
    for line in ["a.jsonl:2: ", "a.jsonl:3: ", "a.jsonl:4: ", "error: a.jsonl: 3 lines cannot start a case"] {
        assert!(ran.err.contains(line), "{line}: {}", ran.err);
    }
    assert!(!place.path("d1").exists());
}

#[test]
fn simulated_people_do_the_work() {
    let place = Place::new();
    let lines: String = (0..40).map(|number| format!("{{\"key\": \"K{number}\"}}\n")).collect();
    place.write("a.jsonl", lines);
    for data in ["d1", "d2"] {
        let text = place.good(&format!("run manual.yaml --input @a.jsonl --play 7 --data {data}"));
        assert!(text.starts_with("manual: 40 cases completed\n"), "{text}");
    }
    let variables =
        |data: &str, key: &str| place.json(&format!("show {key} --data {data} -o json"))["variables"].clone();
    for key in ["K0", "K1", "K2", "K3", "K39"] {
        assert_eq!(variables("d1", key), variables("d2", key), "an outcome depends on seed and key alone");
    }
    let done = place.json("show K0 --data d1 -o json")["done"].clone();
    assert_ne!(done[0]["actor"], done[1]["actor"], "nobody approves what they proposed");
}

#[test]
fn simulated_people_go_on_where_a_run_without_an_end_stopped() {
    let place = Place::new();
    // Nobody else may approve: the cases wait, simulated.
    let alone = support::MANUAL.replace("[ana, ben]", "[ana]");
    place.write("alone.yaml", alone);
    let ran = place.run("run alone.yaml --cases 2 --play 7 --data d1");
    assert_eq!(ran.code, 8, "{}", ran.text());
    assert!(ran.text().contains("role `clerk` to do `approve`"), "{}", ran.text());
    let summary = sums(&place, "run manual.yaml --cases 1 --play 7 --data d1 -o json");
    assert_eq!(summary["cases"]["total"], 3, "{summary}");
    assert_eq!(summary["cases"]["waiting"], 2, "the net of a case never changes: {summary}");
}

#[test]
fn a_log_keeps_its_kind_of_time() {
    let place = Place::new();
    place.good("run automatic.yaml --data real");
    let said = place.bad("run automatic.yaml --play 1 --data real", 2);
    assert!(said.contains("real time"), "{said}");
    place.good("run automatic.yaml --play 1 --data simulated");
    let said = place.bad("run automatic.yaml --data simulated", 2);
    assert!(said.contains("simulated time; go on with it by --play SEED"), "{said}");
    place.good("run automatic.yaml --play 1 --data simulated");
}

#[test]
fn what_cannot_run_is_said_in_a_sentence() {
    let place = Place::new();
    place.bad("run missing.yaml --data d1", 3);
    place.write("bad.yaml", "actum: 1\nnet: bad\n");
    let said = place.bad("run bad.yaml --data d1", 1);
    assert!(said.contains("bad.yaml has"), "{said}");
    place.write("handler.yaml", support::AUTOMATIC.replace("handler: expr", "handler: teleport"));
    assert!(place.bad("run handler.yaml --data d1", 1).contains("teleport"));
    place.bad("run automatic.yaml --data automatic.yaml", 1);
    place.bad("run automatic.yaml --input nonsense --data d1", 2);
    place.bad("run automatic.yaml --input {\"other\":1} --data d1", 1);
    place.bad("run automatic.yaml --input @missing.jsonl --data d1", 3);
    place.bad("run automatic.yaml --input @missing.jsonl --cases 2 --data d1", 2);
    place.write("latin1.yaml", [b'n', 0xe9]);
    place.bad("run latin1.yaml --data d1", 1);
    std::fs::create_dir(place.path("full")).unwrap();
    place.write("full/holiday.jpg", "");
    place.bad("run automatic.yaml --data full", 1);
}

#[test]
fn a_second_process_on_the_same_directory_is_told_so() {
    let place = Place::new();
    place.good("run automatic.yaml --data d1");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let engine = actum::Engine::at(place.path("d1")).open().await.unwrap();
        let said = place.bad("run automatic.yaml --data d1", 6);
        assert!(said.contains("another process is running on d1"), "{said}");
        // Reading works beside it.
        place.good("verify --data d1");
        place.good("log 1 --data d1");
        engine.close().await.unwrap();
    });
    place.good("run automatic.yaml --data d1");
}

#[test]
fn a_log_that_cannot_be_made_is_not_called_corrupt() {
    let place = Place::new();
    place.write("file", "");
    let ran = place.run("run manual.yaml --cases 0 --data file/d");
    assert_eq!(ran.code, 6, "{}", ran.err);
    assert!(ran.err.contains("no log can be made at file/d"), "{}", ran.err);
}
