//! `audit`: rules over real runs, kept and broken; the page and the proofs in it; every exit code.

mod support;

use std::path::PathBuf;

use base64::Engine as _;
use serde_json::Value as Json;
use support::Place;

const RULES: &str = "\
actum: 1
audit: controls
title: Controls
rules:
  two-people:
    title: Two people
    severity: high
    net: manual
    four-eyes: { of: [propose, approve] }
  answered:
    response: { after: propose, then: approve, within: P1D }
";

/// As `manual`, but one person may do both, and is the only one; with a name that wants to be markup.
const CARELESS: &str = "\
actum: 1
net: manual
data: { amount: { type: int, input: true, default: 2 }, note: { type: string, input: true } }
roles: { clerk: {} }
start: propose
tasks:
  propose: { role: clerk, flow: approve }
  approve: { role: clerk, flow: end }
play:
  participants: { clerk: [\"<script>alert(1)</script>\"] }
";

fn examples() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

/// Cases whose rules are kept in `good`, and broken in `bad`; a hostile key and hostile data.
fn place() -> Place {
    let place = Place::new();
    place.write("rules.yaml", RULES);
    place.write("careless.yaml", CARELESS);
    place.write("a.jsonl", "{\"key\": \"A\"}\n{\"key\": \"B\", \"amount\": 3}\n");
    let hostile =
        "{\"key\": \"</pre><img src=x onerror=alert(1)>\", \"note\": \"<b>\\\"'&\"}\n{\"key\": \"\\u202eB\"}\n";
    place.write("b.jsonl", hostile);
    place.good("run manual.yaml --input @a.jsonl --play 7 --data good");
    place.good("run careless.yaml --input @b.jsonl --play 7 --data bad");
    place
}

#[test]
fn rules_that_are_kept_give_0_and_broken_ones_7() {
    let place = place();
    let kept = place.good("audit --rules rules.yaml --data good");
    assert!(kept.contains("2 rules: 2 satisfied") && kept.contains("rests on"), "{kept}");
    let broken = place.run("audit --rules rules.yaml --data bad");
    assert_eq!(broken.code, 7, "{}", broken.err);
    let text = broken.text();
    assert!(text.contains("VIOLATED two-people") && text.contains("one person did both"), "{text}");
    let json: Json = serde_json::from_str(&place.run("audit --rules rules.yaml bad -o json").text()).unwrap();
    assert_eq!((&json["outcome"], &json["log"]["anchor"]), (&"violated".into(), &"self".into()));
    let rule = &json["rules"][0];
    assert_eq!((&rule["violated"], &rule["violations"]), (&2.into(), &2.into()));
    // The events are those that the log has.
    let events = place.good("log -o json --data bad");
    let events: Vec<Json> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for cited in rule["listed"].as_array().unwrap().iter().flat_map(|one| one["events"].as_array().unwrap()) {
        let event = &events[cited["seq"].as_u64().unwrap() as usize];
        for key in ["seq", "case", "version", "kind", "task", "actor", "time"] {
            assert_eq!(event[key], cited[key], "{key}");
        }
    }
}

#[test]
fn a_directory_and_its_archive_give_the_same_report() {
    let place = place();
    place.good("export --format log -O bad.actum --data bad");
    let judged = |data: &str| {
        let mut json: Json =
            serde_json::from_str(&place.run(&format!("audit --rules rules.yaml {data} -o json")).text()).unwrap();
        (json["rules"].take(), json["log"]["partitions"].take())
    };
    assert_eq!(judged("bad"), judged("bad.actum"));
    place.good("verify bad --save-seal s");
    place.good("run careless.yaml --input @b.jsonl --play 7 --data bad");
    place.good("export --format log --since s -O tail.actum --data bad");
    let said = place.bad("audit --rules rules.yaml tail.actum --since s", 2);
    assert!(said.contains("whole log"), "{said}");
}

#[test]
fn the_examples_hold_for_the_example_nets() {
    let place = Place::new();
    for (net, input) in [
        ("loan-approval", "loans"),
        ("incident-response", "incidents"),
        ("insurance-claim", "claims"),
        ("order-fulfilment", "orders"),
    ] {
        let examples = examples();
        let input = std::fs::read_to_string(examples.join(format!("{input}.jsonl"))).unwrap();
        let few: Vec<&str> = input.lines().take(60).collect();
        place.write("input.jsonl", few.join("\n"));
        let examples = examples.display();
        place.run(&format!("run {examples}/{net}.yaml --input @input.jsonl --play 1 --data {net}"));
        let report = place.json(&format!("audit --rules {examples}/rules-{net}.yaml --data {net} -o json"));
        for rule in report["rules"].as_array().unwrap() {
            assert_eq!((&rule["faults"], rule["notes"].as_array().unwrap().len()), (&0.into(), 0), "{rule}");
        }
        assert_eq!(report["outcome"], "satisfied", "{net}: {report:#}");
    }
}

#[test]
fn mistakes_in_rules_give_2_and_are_all_told() {
    let place = place();
    place.write(
        "wrong.yaml",
        "actum: 1\naudit: x\nrules:\n  a: { absense: { never: b } }\n  c: { absence: { never: b, within: 3d } }\n",
    );
    let ran = place.run("audit --rules wrong.yaml --data good");
    assert_eq!(ran.code, 2);
    for line in ["wrong.yaml:4:8: net/unknown-key", "wrong.yaml:5:37: net/bad-time", "did you mean `absence`?"] {
        assert!(ran.err.contains(line), "{}", ran.err);
    }
    place.bad("audit --rules wrong.yaml --data good", 2);
    let json = place.run("audit --rules wrong.yaml --data good -o json");
    let mistakes: Json = serde_json::from_str(&json.text()).unwrap();
    assert_eq!(mistakes["mistakes"].as_array().unwrap().len(), 3, "{mistakes}");
    place.bad("audit --rules nowhere.yaml --data good", 3);
    place.bad("audit --rules rules.yaml --data nowhere", 3);
    place.bad("audit --rules rules.yaml --data good --require pinned", 1);
    place.write(
        "failing.yaml",
        "actum: 1\naudit: x\nrules: { a: { absence: { never: { task: propose, when: vars.ok } } } }\n",
    );
    let ran = place.run("audit --rules failing.yaml --data good");
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.text().contains("UNDECIDED a") && ran.text().contains("a condition failed"), "{}", ran.text());
}

#[test]
fn logs_that_do_not_verify_are_not_judged() {
    let place = place();
    place.good("export --format log -O bad.actum --data bad");
    let archive = place.read("bad.actum");
    let mut changed = archive.clone();
    let at = changed.len() / 2;
    changed[at] ^= 1;
    place.write("changed.actum", &changed);
    let ran = place.run("audit --rules rules.yaml changed.actum --html page.html");
    assert!(matches!(ran.code, 4 | 5), "{} {}", ran.code, ran.err);
    assert!(ran.text().is_empty() && !place.path("page.html").exists());
    place.write("cut.actum", &archive[..archive.len() - 10]);
    assert!(matches!(place.run("audit --rules rules.yaml cut.actum").code, 4 | 5));
}

/// Text between two marks, each time.
fn between<'t>(text: &'t str, begin: &'t str, end: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(begin).skip(1).filter_map(move |rest| rest.split(end).next())
}

#[test]
fn the_page_keeps_proofs_that_verify() {
    let place = place();
    let key = place.json("verify bad -o json")["partitions"][0]["verifier_key"].as_str().unwrap().to_owned();
    for (options, withheld) in [("", false), (" --withhold-data", true)] {
        let ran = place.run(&format!("audit --rules rules.yaml --data bad --html page.html --force{options}"));
        assert_eq!(ran.code, 7, "{}", ran.err);
        let page = String::from_utf8(place.read("page.html")).unwrap();
        let shown: Vec<&str> = between(&page, "<pre class=\"proof\">", "</pre>").collect();
        let saved: Vec<String> = between(&page, "href=\"data:text/plain;base64,", "\"")
            .map(|text| String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text).unwrap()).unwrap())
            .collect();
        assert_eq!((shown.len(), saved.len()), (4, 4));
        for (shown, saved) in shown.iter().zip(&saved) {
            // What a browser shows is what is saved.
            assert_eq!(*shown, saved);
            place.write("one.tlog-proof", saved);
            let verdict = place.json(&format!("verify-proof one.tlog-proof --key {key} -o json"));
            assert_eq!((&verdict["proven"], &verdict["anchor"]), (&true.into(), &"pinned".into()));
            assert_eq!(verdict["events"][0]["payload"].is_null(), withheld);
        }
        assert!(page.contains(&key) && page.contains("id=\"seal-0\""));
    }
    place.bad("audit --rules rules.yaml --data bad --html page.html", 1);
    let few = place.run("audit --rules rules.yaml --data bad --html few.html --proofs 1");
    assert!(few.err.contains("proofs of 1 event"), "{}", few.err);
    assert!(String::from_utf8(place.read("few.html")).unwrap().contains("3 events are named above without a proof"));
}

#[test]
fn nothing_of_a_log_or_of_rules_becomes_markup() {
    let place = place();
    let rules = RULES.replace("title: Two people", "title: \"</section><script>alert(2)</script>\"");
    place.write("rules.yaml", rules);
    let ran = place.run("audit --rules rules.yaml --data bad --html page.html");
    assert_eq!(ran.code, 7, "{}", ran.err);
    let page = String::from_utf8(place.read("page.html")).unwrap();
    // One script, the page's own, and no element that the page does not use.
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("</script>").count(), 1);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
    let known = [
        "!DOCTYPE", "html", "head", "meta", "title", "style", "body", "main", "p", "h1", "h2", "h3", "dl", "dt", "dd",
        "div", "input", "output", "table", "thead", "tbody", "tr", "th", "td", "span", "a", "br", "section", "bdi",
        "code", "pre", "details", "summary", "script", "ul", "li",
    ];
    let script = page.find("<script>").unwrap();
    for tag in page[..script].split('<').skip(1) {
        let name = tag.trim_start_matches('/').split([' ', '>']).next().unwrap();
        assert!(known.contains(&name), "<{tag}");
    }
    assert!(!page.contains('\u{202e}'), "a name turns what follows around");
    // Nothing is loaded from anywhere.
    for outside in ["http:", "https:", "src=", "@import", "url(", "<link", "<iframe"] {
        let found = page.match_indices(outside).filter(|(at, _)| !page[..*at].ends_with("&lt;img ")).count();
        assert_eq!(found, 0, "{outside}");
    }
}
