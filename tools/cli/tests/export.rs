//! `export` in the forms of process mining, and `conform`.

mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value as Json;
use support::Place;

const ORDER: &str = "\
actum: 1
net: order
data:
  amount: { type: int, input: true, default: 2 }
  ok: { type: bool }
roles: { clerk: {}, boss: {} }
start: receive
tasks:
  receive: { role: clerk, flow: fork }
  fork: { split: and, flow: [check, pack] }
  check: { role: clerk, form: { ok: { type: bool, required: true } }, output: { ok: '{{ result.ok }}' }, flow: join }
  pack: { role: boss, flow: join }
  join: { join: and, flow: approve }
  approve: { role: clerk, split: xor, flow: [{ to: end, when: 'ok' }, { to: escalate, default: true }] }
  escalate: { role: boss, flow: end }
play:
  participants: { clerk: [ana, ben], boss: [eve] }
  tasks:
    check: { minutes: [1, 5], results: [{ weight: 1, result: { ok: true } }, { weight: 1, result: { ok: false } }] }
";

/// As `order`, with the packing after the approval.
const OTHER: &str = "\
actum: 1
net: order
roles: { clerk: {} }
start: receive
tasks:
  receive: { role: clerk, flow: check }
  check: { role: clerk, flow: approve }
  approve: { role: clerk, flow: pack }
  pack: { role: clerk, flow: end }
";

fn ordered() -> Place {
    let place = Place::new();
    place.write("order.yaml", ORDER);
    place.write("other.yaml", OTHER);
    place.good("run order.yaml --cases 12 --play 7 --data d1");
    place
}

fn mining(arguments: &[&Path]) -> Json {
    let python = std::env::var_os("ACTUM_PYTHON")
        .expect("ACTUM_PYTHON names no interpreter: run the tests by `cargo xtask test`");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/mining.py");
    let output = Command::new(python).arg(script).args(arguments).output().expect("the interpreter runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the script prints JSON")
}

#[test]
fn every_form_that_is_written_is_read_by_pm4py() {
    let place = ordered();
    place.good("export --format log --data d1 -O d1.actum");
    std::fs::create_dir(place.path("out")).unwrap();
    place.good("export --format xes --data d1 -O out/log.xes");
    place.good("export --format csv --data d1.actum -O out/log.csv");
    for form in ["json", "xml", "sqlite"] {
        place.good(&format!("export --format ocel --data d1 -O out/ocel.{form}"));
    }
    place.good("export --format pnml order.yaml -O out/net.pnml");
    place.good("export --format pnml --data d1 --graph -O out/graph.pnml");
    let found = mining(&[Path::new("read"), &place.path("out")]);
    for net in ["net", "graph"] {
        let fitness = found[net]["alignments"].as_array().expect("a list");
        assert!(fitness.len() == 12 && fitness.iter().all(|fitness| fitness == 1.0), "{found}");
    }
    assert!(found["net"]["replay"].as_array().unwrap().iter().all(|fits| fits == true), "{found}");
    assert_eq!(found["xes"]["done"], found["csv"]["done"]);
    assert_eq!(found["json"], found["xml"]);
    assert_eq!(found["json"], found["sqlite"]);
    // A directory and its archive say the same; the net of the log is that of the file.
    for format in ["xes", "csv", "ocel", "pnml", "jsonl"] {
        let of = |data: &str| place.good(&format!("export --format {format} --data {data}"));
        assert_eq!(of("d1"), of("d1.actum"), "{format}");
    }
    assert_eq!(place.good("export --format pnml order.yaml"), place.good("export --format pnml --data d1 --net order"));
    assert_eq!(place.good("export --format pnml --data d1 --case 3"), place.good("export --format pnml --data d1"));
}

#[test]
fn a_selection_is_a_part() {
    let place = ordered();
    let all = place.good("export --format csv --data d1");
    let one = place.good("export --format csv --data d1 --case 3");
    let rows: Vec<&str> = all.lines().filter(|row| row.starts_with("3,")).collect();
    assert_eq!(one.lines().skip(1).collect::<Vec<_>>(), rows);
    let done = place.good("export --format csv --data d1 --case 3 --steps done");
    assert!(done.lines().skip(1).all(|row| row.contains(",complete,")), "{done}");
    let lines = place.good("export --format jsonl --data d1 --case 3");
    assert!(lines.lines().count() > 5 && lines.lines().all(|line| line.contains("\"case\":3,")), "{lines}");
    place.good("export --format xes --data d1 --net order");
}

#[test]
fn bad_requests_leave_no_file_and_say_what_to_do() {
    let place = ordered();
    for (line, code, said) in [
        ("export --format xes --data d1 --case 99 -O x.xes", 3, "no case 99"),
        ("export --format jsonl --data d1 --case none -O x.jsonl", 3, "no case"),
        ("export --format csv --data d1 --net none -O x.csv", 3, "named none"),
        ("export --format pnml --data d1 --net none -O x.pnml", 3, "order"),
        ("export --format pnml none.yaml -O x.pnml", 3, "none.yaml"),
        ("export --format ocel --data d1 -O x.txt", 2, ".sqlite"),
        ("export --format xes --data none -O x.xes", 3, "no log at none"),
        ("export --format xes --data d1 -O nowhere/x.xes", 3, "nowhere"),
        ("export --format ocel --data d1 -O nowhere/x.sqlite", 3, "nowhere"),
        ("export --format ocel --data d1 -O d1/x.sqlite", 2, "elsewhere"),
        ("export --format jsonl --data d1 --net order", 2, "--net"),
        ("export --format log --data d1 --case 3 -O x.actum", 2, "prove"),
        ("export --format xes --data d1 order.yaml", 2, "--data"),
        ("export --format xes --data d1 --graph", 2, "--graph"),
        ("export --format xes --data d1 -O /dev/full", 6, "disk is full"),
        ("export --format csv --data d1 -O /dev/full", 6, "disk is full"),
        ("export --format ocel --data d1 -O /dev/full", 2, "name the file"),
    ] {
        let sentence = place.bad(line, code);
        assert!(sentence.contains(said), "{line}: {sentence}");
    }
    place.good("export --format xes --data d1 -O x.xes");
    assert!(place.bad("export --format xes --data d1 -O x.xes", 1).contains("--force"));
    let left: Vec<String> = std::fs::read_dir(place.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains(".part") || (name.starts_with("x.") && name != "x.xes"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn a_tampered_log_is_not_exported() {
    let place = ordered();
    place.good("export --format log --data d1 -O d1.actum");
    let mut bytes = place.read("d1.actum");
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    place.write("changed.actum", bytes);
    for file in ["x.xes", "x.csv", "x.json", "x.xml", "x.sqlite"] {
        let format = if file.ends_with("xes") {
            "xes"
        } else if file.ends_with("csv") {
            "csv"
        } else {
            "ocel"
        };
        let ran = place.run(&format!("export --format {format} --data changed.actum -O {file}"));
        assert!(matches!(ran.code, 4 | 5), "{file}: {} {}", ran.code, ran.err);
        assert!(!place.path(file).exists(), "{file} is left");
    }
}

#[test]
fn an_interrupted_export_leaves_nothing() {
    let place = ordered();
    // A pipe that nobody writes to: the export waits for its log.
    let made = Command::new("mkfifo").arg(place.path("slow.actum")).status().expect("mkfifo");
    assert!(made.success());
    let keep_open = std::fs::OpenOptions::new().read(true).write(true).open(place.path("slow.actum")).unwrap();
    let mut command = place.command("export --format ocel --data slow.actum -O x.sqlite");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary runs");
    let part = || {
        std::fs::read_dir(place.path(""))
            .unwrap()
            .flatten()
            .find(|one| one.file_name().to_string_lossy().ends_with(".part"))
    };
    for _ in 0..600 {
        if part().is_some() || child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(10));
    }
    // It listens from then on, as soon as its thread gets a turn.
    std::thread::park_timeout(Duration::from_millis(300));
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let status = child.wait().unwrap();
    drop(keep_open);
    assert_eq!(status.code(), Some(130));
    assert!(part().is_none() && !place.path("x.sqlite").exists());
}

#[test]
fn logs_conform_or_it_is_said_where_they_do_not() {
    let place = ordered();
    place.good("export --format log --data d1 -O d1.actum");
    place.good("export --format pnml order.yaml -O order.pnml");
    place.good("export --format pnml order.yaml --graph -O graph.pnml");
    for (format, file) in [("xes", "o.xes"), ("csv", "o.csv"), ("jsonl", "o.jsonl")] {
        place.good(&format!("export --format {format} --data d1 -O {file}"));
    }
    for net in ["order.yaml", "order.pnml", "graph.pnml"] {
        for log in ["o.xes", "o.csv", "o.jsonl", "d1", "d1.actum"] {
            let said = place.good(&format!("conform --net {net} --log {log}"));
            assert_eq!(said, "12 of 12 traces follow the net; fitness 1.0000\n", "{net} {log}");
        }
    }
    let mut answers = Vec::new();
    for log in ["o.xes", "o.csv", "o.jsonl", "d1"] {
        let ran = place.run(&format!("conform --net other.yaml --log {log} -o json"));
        assert_eq!(ran.code, 7, "{log}: {}", ran.err);
        let mut answer: Json = serde_json::from_slice(&ran.out).unwrap();
        assert_eq!((&answer["traces"], &answer["fitting"], &answer["undecided"]), (&12.into(), &0.into(), &0.into()));
        let list = answer["list"].as_array().unwrap();
        let pack_early = list.iter().find(|one| one["activity"] == "pack").expect("packed before the approval");
        assert_eq!(
            pack_early["possible"],
            serde_json::json!(if pack_early["event"] == 2 { ["check"] } else { ["approve"] })
        );
        assert!(pack_early["fitness"].as_f64().unwrap() < 1.0 && pack_early["cost"].as_u64().unwrap() > 0);
        assert!(answer["fitness"].as_f64().is_some_and(|fitness| fitness < 1.0));
        (answer["log"], answer["fitness"]) = (Json::Null, Json::Null);
        // Traces come as the log has them: by when they begin, or by when they end.
        let number = |one: &Json| one["trace"].as_str().and_then(|name| name.parse::<u64>().ok());
        answer["list"].as_array_mut().unwrap().sort_by_key(number);
        answers.push(answer);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "the form of a log changes nothing");
    let text = place.run("conform --net other.yaml --log o.xes");
    assert!(text.code == 7 && text.text().contains("is not possible, instead:"), "{}", text.text());
}

#[test]
fn open_and_cancelled_cases_need_not_reach_the_end() {
    let place = Place::new();
    place.write("order.yaml", ORDER);
    // Nobody plays: cases wait for people.
    let ran = place.run("run order.yaml --cases 2 --data d2");
    assert_eq!(ran.code, 8, "{}", ran.err);
    let said = place.good("conform --net order.yaml --log d2");
    assert_eq!(said, "0 of 2 traces follow the net, 2 unfinished, and on the way\n");
    let xes = place.good("export --format xes --data d2");
    assert_eq!(xes.matches("key=\"status\" value=\"open\"").count(), 2);
}

#[test]
fn what_is_no_log_or_no_net_is_said_with_its_line() {
    let place = ordered();
    place.good("export --format xes --data d1 -O o.xes");
    let xes = String::from_utf8(place.read("o.xes")).unwrap();
    place.write("cut.xes", &xes[..xes.len() / 2]);
    place.write("deep.xes", format!("<log>{}", "<string key=\"a\" value=\"b\">".repeat(100)));
    place.write("dtd.xes", "<!DOCTYPE log [<!ENTITY a \"b\">]><log/>");
    place.write("nameless.xes", "<log><trace><event>\n<string key=\"a\" value=\"b\"/>\n</event></trace></log>");
    place.write("html.xes", "<html><body/></html>");
    place.write("empty.xes", "<log/>");
    place.write("zip.xes", [0x1f, 0x8b, 8, 0]);
    place.write("a.csv", "case,activity\n1,a\n1\n");
    place.write("b.csv", "case,activity\n1,\"a\n");
    place.write("c.csv", "x,y\n1,a\n");
    place.write("a.jsonl", "{\"case\":1,\"kind\":\"CaseStarted\"}\n{\"case\":1,\"ki");
    place.write("notes.txt", "nothing");
    for (log, code, said) in [
        ("cut.xes", 5, "cut short"),
        ("deep.xes", 5, "nested deeper"),
        ("dtd.xes", 5, "document type"),
        ("nameless.xes", 5, "line 3: an event has no concept:name"),
        ("html.xes", 5, "not XES"),
        ("empty.xes", 3, "no traces"),
        ("zip.xes", 2, "gunzip"),
        ("a.csv", 5, "line 3: the row has 1 cells"),
        ("b.csv", 5, "line 2: the file ends within a quoted cell"),
        ("c.csv", 5, "no column"),
        ("a.jsonl", 5, "line 2"),
        ("notes.txt", 2, "no log that is known"),
        ("none.xes", 3, "none.xes"),
        ("none", 3, "none"),
    ] {
        let sentence = place.bad(&format!("conform --net order.yaml --log {log}"), code);
        assert!(sentence.contains(said), "{log}: {sentence}");
    }
    assert!(place.bad("conform --net order.yaml --log cut.xes", 5).contains("line "));
    place.write("a.pnml", "<pnml><net id=\"n\"><page id=\"p\"><place id=\"a\"/><place id=\"a\"/></page></net></pnml>");
    place.write(
        "b.pnml",
        "<pnml><net id=\"n\"><page id=\"p\"><place id=\"a\"><initialMarking><text>1</text></initialMarking></place>\
        <transition id=\"t\"/><place id=\"b\"/><arc id=\"x\" source=\"a\" target=\"t\"/></page><finalmarkings><marking>\
        <place idref=\"b\"><text>1</text></place></marking></finalmarkings></net></pnml>",
    );
    assert!(place.bad("conform --net a.pnml --log o.xes", 1).contains("no Petri net"));
    assert!(place.bad("conform --net b.pnml --log o.xes", 1).contains("no run from its beginning to its end"));
    assert!(place.bad("conform --net none.yaml --log o.xes", 3).contains("none.yaml"));
}
