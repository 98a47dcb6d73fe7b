//! `diff`, `bisect`, `who`, `why`, `what-if` and `replay`: looking into the past of a case.

mod support;

use serde_json::{Value as Json, json};
use support::Place;

fn place() -> Place {
    let place = Place::new();
    place.write("cases.jsonl", "{\"key\": \"A\", \"amount\": 5}\n{\"key\": \"B\", \"amount\": 7}\n");
    place.good("run manual.yaml --input @cases.jsonl --play 7 --data d1");
    place
}

fn events(place: &Place, case: &str) -> Vec<Json> {
    let log = place.good(&format!("log {case} -o json --data d1"));
    log.lines().map(|line| serde_json::from_str(line).expect("an event")).collect()
}

#[test]
fn two_points_are_compared() {
    let place = place();
    let same = place.json("diff 1@v2 1@v2 -o json --data d1");
    assert_eq!((&same["same"], &same["variables"], &same["items"]), (&json!(true), &json!([]), &json!([])));
    let all = events(&place, "A");
    let started = all.iter().find(|event| event["kind"] == "WorkStarted").unwrap();
    let diff = place.json(&format!("diff A@v1 A@{} -o json --data d1", started["seq"]));
    assert_eq!(diff["resources"][0]["actor"], started["actor"]);
    assert_eq!(diff["tokens"], json!([{ "condition": "start", "before": 1, "after": 0 }]));
    let text = place.good("diff 1@v1 1 --data d1");
    assert!(text.contains("status\n  open -> completed") && text.contains("ok  not set ->"), "{text}");
    let cases = place.json("diff A B -o json --data d1");
    assert_eq!(cases["variables"][0], json!({ "variable": "amount", "before": 5, "after": 7 }));
    for (line, code, part) in [
        ("diff 1@v1 9@v1 --data d1", 3, "there is no case 9; the log has 2 cases"),
        ("diff 1@v1 1@99999 --data d1", 3, "the log ends at"),
        ("diff 1@v1 1@v999 --data d1", 3, "its newest version is"),
        ("diff 1@1970-01-01T00:00:00Z 1 --data d1", 3, "it began at"),
        ("diff 1@v1 C --data d1", 3, "there is no case with the key C"),
        ("diff 1@v1 1 --data nowhere", 3, "there is no log"),
    ] {
        let error = place.bad(line, code);
        assert!(error.contains(part), "{line}: {error}");
    }
    let error = place.run("diff 1@x 1 --data d1");
    assert!(error.code == 2 && error.err.contains("1@120"), "{}", error.err);
}

#[test]
fn the_first_event_is_found_after_which_a_condition_holds() {
    let place = place();
    let mut command = place.command("bisect 1 -o json --data d1 --when");
    let found = command.arg("ok != null").output().expect("it runs");
    let found: Json = serde_json::from_slice(&found.stdout).expect("JSON");
    let all = events(&place, "1");
    let set = all.iter().find(|event| event["variables"].get("ok").is_some()).unwrap();
    assert_eq!(found["changes"][0]["seq"], set["seq"]);
    assert_eq!((&found["changes"][0]["holds"], &found["search"]), (&json!(true), &json!("halving")));
    assert!(found["assumed"].as_str().is_some_and(|text| text.contains("goes on to hold")));
    let with = |condition: &str, more: &[&str]| {
        let mut command = place.command("bisect 1 --data d1");
        let output = command.args(["--when", condition]).args(more).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), text, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, text, _) = with("ok != null", &[]);
    assert!(code == Some(0) && text.contains("WorkCompleted") && text.contains("assumed that"), "{text}");
    let (code, text, _) = with("kind == 'WorkStarted'", &["--every"]);
    let starts = all.iter().filter(|event| event["kind"] == "WorkStarted").count();
    assert_eq!((code, text.matches("no longer holds after").count()), (Some(0), starts), "{text}");
    let (code, text, _) = with("task == 'approve'", &["--linear"]);
    assert!(code == Some(0) && !text.contains("assumed"), "{text}");
    let (code, _, error) = with("status == 'open'", &[]);
    assert!(code == Some(3) && error.contains("holds already after event"), "{error}");
    let (code, _, error) = with("status == 'failed'", &[]);
    assert!(code == Some(3) && error.contains("does not hold after event"), "{error}");
    let (code, _, error) = with("okk", &[]);
    assert!(code == Some(2) && error.contains("`okk`"), "{error}");
    let (code, _, error) = with("ok", &[]);
    assert!(code == Some(1) && error.contains("ok was not set there"), "{error}");
    assert_eq!(with("ok != null", &["--from", "@v99"]).0, Some(3));
    assert_eq!(with("ok != null", &["--linear", "--every"]).0, Some(2));
}

#[test]
fn who_set_a_variable_and_why() {
    let place = place();
    let who = place.json("who A ok -o json --data d1");
    let all = events(&place, "A");
    let set = all.iter().find(|event| event["variables"].get("ok").is_some()).unwrap();
    assert_eq!(who["changes"].as_array().map(Vec::len), Some(1));
    let change = &who["changes"][0];
    assert_eq!((&change["seq"], &change["actor"], &change["task"]), (&set["seq"], &set["actor"], &json!("approve")));
    assert_eq!((&change["before"], &change["after"]), (&Json::Null, &set["variables"]["ok"]));
    assert!(place.good("who A amount --data d1").contains("not set -> 5"));
    assert!(place.bad("who A amont --data d1", 3).contains("amount, ok"));
    let why = place.json(&format!("why A {} -o json --data d1", set["seq"]));
    let guard = &why["chain"][0]["guards"][0];
    assert_eq!((&guard["guard"], &guard["saw"]["ok"]), (&json!("ok"), &set["variables"]["ok"]));
    assert_eq!(guard["consistent"], json!(true));
    let foreign = place.bad("why A 0 --data d1", 3);
    assert!(foreign.contains("it began at"), "{foreign}");
}

#[test]
fn a_case_is_forked_in_memory() {
    let place = place();
    let before = place.good("verify d1 -o json");
    let all = events(&place, "A");
    let recorded = place.json("what-if A@v1 -o json --data d1");
    assert_eq!((&recorded["stopped"], &recorded["difference"]["same"]), (&json!("ended"), &json!(true)));
    assert_eq!(recorded["same"].as_u64(), recorded["events"].as_array().map(|events| events.len() as u64));
    let other = place.json("what-if A@v1 --set amount=6 -o json --data d1");
    assert_eq!(other["difference"]["variables"], json!([{ "variable": "amount", "before": 5, "after": 6 }]));
    let text = place.good("what-if A@v1 --set amount=6 --data d1");
    assert!(text.contains("amount = 6 (was 5)") && text.contains("amount  5 -> 6"), "{text}");
    // The same seed, from the beginning: the same people's results.
    let played = place.json("what-if A@v1 --play 7 -o json --data d1");
    let ok = |events: &[Json]| events.iter().find_map(|event| event["variables"].get("ok").cloned());
    assert_eq!(ok(played["events"].as_array().unwrap()), ok(&all));
    assert_eq!(played["stopped"], "ended");
    // A net that asks for no more than an amount: nobody escalates.
    let net = String::from_utf8(place.read("manual.yaml")).unwrap();
    place.write("milder.yaml", net.replace("when: 'ok'", "when: 'amount > 0'"));
    let swapped = place.json("what-if A@v1 --net milder.yaml -o json --data d1");
    assert_eq!((&swapped["stopped"], &swapped["net"]["net"]), (&json!("ended"), &json!("manual")));
    let tasks = |events: &Json| events.as_array().unwrap().iter().filter(|event| event["task"] == "escalate").count();
    assert_eq!(tasks(&swapped["events"]), 0);
    assert_ne!(swapped["difference"]["before"]["net_hash"], swapped["difference"]["after"]["net_hash"]);
    for (line, code, part) in [
        ("what-if A@v1 --set nothing=1 --data d1", 3, "no variable nothing"),
        ("what-if A@v1 --set amount=\"x\" --data d1", 2, "amount cannot be set"),
        ("what-if 9@v1 --data d1", 3, "no case 9"),
        ("what-if A@v99 --data d1", 3, "newest version"),
        ("what-if A@v1 --net nofile.yaml --data d1", 3, "nofile.yaml"),
    ] {
        let error = place.bad(line, code);
        assert!(error.contains(part), "{line}: {error}");
    }
    let usage = place.run("what-if A@v1 --set amount=x --data d1");
    assert!(usage.code == 2 && usage.err.contains("is not JSON"), "{}", usage.err);
    assert_eq!(place.run("what-if A@v1 --play 7 --recorded --data d1").code, 2);
    let after = place.good("verify d1 -o json");
    let size = |verdict: &str| serde_json::from_str::<Json>(verdict).unwrap()["events"].clone();
    assert_eq!(size(&before), size(&after), "nothing was written");
}

#[test]
fn the_debugger_needs_a_terminal() {
    let place = place();
    let error = place.bad("replay A --data d1", 2);
    assert!(error.contains("needs a terminal") && error.contains("actum log"), "{error}");
    place.bad("replay A -o json --data d1", 2);
    place.bad("replay C --data d1", 3);
    place.bad("replay A --at @v99 --data d1", 3);
    let mut command = place.command("replay A --data d1 --break");
    let wrong = command.arg("task nobody").output().expect("it runs");
    assert_eq!(wrong.status.code(), Some(2));
}
