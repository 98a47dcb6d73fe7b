//! `run` with signals, timers, instances and subnets: the examples, what waits, what failed, and a run that is killed.

mod support;

use std::collections::BTreeSet;
use std::process::Stdio;

use serde_json::Value as Json;
use support::Place;

const EXAMPLES: [(&str, &str, &str); 6] = [
    ("insurance-claim", "claims", "1"),
    ("loan-approval", "loans", "7"),
    ("incident-response", "incidents", "7"),
    ("order-fulfilment", "orders", "3"),
    ("payment-retry", "payments", "1"),
    ("travel-booking", "trips", "1"),
];

fn sums(place: &Place, line: &str) -> Json {
    let ran = place.run(line);
    serde_json::from_str(&ran.text()).unwrap_or_else(|error| panic!("{line}: {error}: {}", ran.err))
}

/// Copies an example with its inputs, at most so many lines.
fn example(place: &Place, net: &str, inputs: &str, lines: usize) -> usize {
    let path = |name: &str| format!("{}/../examples/{name}", env!("CARGO_MANIFEST_DIR"));
    place.write(&format!("{net}.yaml"), std::fs::read(path(&format!("{net}.yaml"))).unwrap());
    let all = std::fs::read_to_string(path(&format!("{inputs}.jsonl"))).unwrap();
    let some: Vec<&str> = all.lines().take(lines).collect();
    place.write(&format!("{inputs}.jsonl"), some.join("\n"));
    some.len()
}

#[test]
fn the_examples_run_to_their_end_as_their_headers_say() {
    let place = Place::new();
    for (net, inputs, seed) in EXAMPLES {
        let lines = example(&place, net, inputs, 100);
        let header = String::from_utf8(place.read(&format!("{net}.yaml"))).unwrap();
        assert!(header.contains(&format!("actum run {net}.yaml --input @{inputs}.jsonl --play 1\n")), "{net}");
        let summary = place.json(&format!("run {net}.yaml --input @{inputs}.jsonl --play {seed} --data {net} -o json"));
        assert_eq!(summary["cases"]["completed"], lines, "{net}: {summary}");
        assert_eq!(place.json(&format!("verify --data {net} -o json"))["verified"], true);
    }
    // The world of the claims does all that their net allows.
    let outcomes: BTreeSet<String> = (1..=12)
        .map(|case| {
            place.json(&format!("show {case} --data insurance-claim -o json"))["variables"]["outcome"].to_string()
        })
        .collect();
    assert!(outcomes.len() > 1, "{outcomes:?}");
    let log = place.good("log 1 --data insurance-claim");
    assert!(log.contains("papers"), "{log}");
    // Some trips are not paid in time: what was booked is undone, and booked again.
    let undone =
        (1..=12).filter(|case| place.good(&format!("log {case} --data travel-booking")).contains("WorkCompensating"));
    assert!(undone.count() > 0);
}

#[test]
fn votes_of_one_task_differ() {
    let place = Place::new();
    let net = "actum: 1\nnet: votes\ndata: { yes: { type: int } }\nroles: { clerk: {} }\nstart: vote\ntasks:\n  vote: { role: clerk, instances: { count: 9, max: 9 }, form: { ok: { type: bool, required: true } }, output: { yes: '{{ results.filter(r, r.ok).size() }}' }, flow: end }\n";
    place.write("votes.yaml", net);
    place.good("run votes.yaml --play 7 --data d1");
    let yes = place.json("show 1 --data d1 -o json")["variables"]["yes"].as_i64().unwrap();
    assert!((1..9).contains(&yes), "{yes} of nine said yes");
}

#[test]
fn a_run_says_for_which_signal_or_time_cases_wait() {
    let place = Place::new();
    place.write("signal.yaml", "actum: 1\nnet: s\nstart: a\ntasks:\n  a: { trigger: { signal: papers }, flow: end }\n");
    place.write("timer.yaml", "actum: 1\nnet: t\nstart: a\ntasks:\n  a: { wait: { for: P1D }, flow: end }\n");
    for net in ["signal", "timer"] {
        let summary = sums(&place, &format!("run {net}.yaml --data {net} -o json"));
        assert_eq!(
            (&summary["reasons"][0]["reason"], &summary["cases"]["waiting"]),
            (&net.into(), &1.into()),
            "{summary}"
        );
        assert_eq!(place.run(&format!("run {net}.yaml --cases 0 --data {net}")).code, 8);
    }
    let text = place.run("run signal.yaml --cases 0 --data signal").text();
    assert!(text.contains("1 case waits for the signal `papers` to go on with `a` (case 1)"), "{text}");
    // Simulated time goes to the timer; nobody sends a signal that the net does not say comes.
    place.good("run timer.yaml --play 1 --data played");
    assert_eq!(place.run("run signal.yaml --play 1 --data silent").code, 8);
}

#[test]
fn a_run_in_real_time_waits_for_timers_that_are_near() {
    let place = Place::new();
    place.write("timer.yaml", "actum: 1\nnet: t\nstart: a\ntasks:\n  a: { wait: { for: PT0.5S }, flow: end }\n");
    assert_eq!(place.run("run timer.yaml --wait 0 --data d1").code, 8);
    place.good("run timer.yaml --data d1");
}

#[test]
fn a_play_that_waits_in_circles_ends() {
    let place = Place::new();
    let net = "actum: 1\nnet: t\ndata: { n: { type: int, default: 0 } }\nstart: a\ntasks:\n  a: { join: xor, wait: { for: PT1H }, output: { n: '{{ n + 1 }}' }, split: xor, flow: [{ to: end, when: 'n < 0' }, { to: a, default: true }] }\n";
    place.write("circle.yaml", net);
    let summary = sums(&place, "run circle.yaml --play 1 --data d1 -o json");
    assert_eq!((&summary["reasons"][0]["reason"], &summary["cases"]["waiting"]), (&"timer".into(), &1.into()));
}

#[test]
fn failed_work_can_be_tried_again_and_the_run_and_the_case_say_how() {
    let place = Place::new();
    let ran = place.run("run automatic.yaml --input {\"amount\":0} --data d1");
    assert!(ran.text().contains("actum run automatic.yaml --cases 0 --data d1 --retry-failed\n"), "{}", ran.text());
    let shown = place.good("show 1 --data d1");
    assert!(shown.contains("actum run FILE --cases 0 --retry-failed --data d1"), "{shown}");
    assert!(!place.good("show 1 --at @v1 --data d1").contains("retry-failed"));
    let attempts = || place.good("log 1 --data d1 -o json").lines().filter(|line| line.contains("WorkFailed")).count();
    let before = attempts();
    assert_eq!(place.run("run automatic.yaml --cases 0 --data d1").code, 8);
    assert_eq!(attempts(), before, "not by itself");
    assert_eq!(place.run("run automatic.yaml --cases 0 --retry-failed --data d1").code, 8);
    assert_eq!(attempts(), before + 1);
}

/// The newest block that a head file names, in either of its slots (FORMAT.md section 8).
fn number_in(head: &[u8]) -> u64 {
    let numbers = [24, 4_096 + 24].map(|at| head.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()));
    numbers.into_iter().flatten().map(u64::from_le_bytes).max().unwrap_or(0)
}

/// Whatever a killed run left, the same command finishes, and every case is there once.
#[test]
fn a_play_that_is_killed_goes_on_with_the_same_command() {
    let place = Place::new();
    let lines = example(&place, "insurance-claim", "claims", 100);
    let run = "run insurance-claim.yaml --input @claims.jsonl --play 1 --data d1";
    let mut kills = 0;
    // Later kills meet a run further on; one that is done before it is killed is enough of them.
    for blocks in [5, 30, 60, 90] {
        let mut child = place.command(run).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            // What is stored is looked at and not the time: the machine may be slow.
            let is_far = std::fs::read(place.path("d1/head-0")).is_ok_and(|head| number_in(&head) >= blocks);
            if is_far {
                child.kill().unwrap();
                child.wait().unwrap();
                kills += 1;
                break;
            }
            std::thread::yield_now();
        }
    }
    let summary = place.json(&format!("{run} -o json"));
    assert_eq!(
        (&summary["cases"]["completed"], &summary["cases"]["total"]),
        (&lines.into(), &lines.into()),
        "{summary}"
    );
    assert_eq!(place.json("verify --data d1 -o json")["verified"], true);
    assert!(kills > 0, "no run was killed in the middle");
}

#[test]
fn simulated_people_do_work_that_is_offered_allocated_or_begun_for_them() {
    let place = Place::new();
    let net = "actum: 1\nnet: r\nroles: { clerk: {} }\nstart: asked\ntasks:\n  asked: { resources: { offer: person, who: { roles: [clerk] } }, flow: given }\n  given: { resources: { who: { roles: [clerk] }, allocate: { by: shortest-queue } }, flow: begun }\n  begun: { resources: { who: { roles: [clerk] }, allocate: { by: round-robin-frequency }, start: system }, flow: other }\n  other: { resources: { who: { roles: [clerk] }, four_eyes: [begun] }, flow: end }\nplay: { participants: { clerk: [ana, ben, eva] } }\n";
    place.write("r.yaml", net);
    let real = place.run("run r.yaml --data real");
    assert_eq!(real.code, 8);
    assert!(real.text().contains("1 case waits for somebody to be asked to do `asked` (case 1)"), "{}", real.text());
    let text = place.good("run r.yaml --cases 20 --play 3 --data d1");
    assert!(text.starts_with("r: 20 cases completed\n"), "{text}");
    let done = place.json("show 1 --data d1 -o json")["done"].clone();
    assert_eq!(done.as_array().map(Vec::len), Some(4), "{done}");
    assert_ne!(done[2]["actor"], done[3]["actor"], "four eyes");
}
