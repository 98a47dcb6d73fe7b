//! Exports, read by process mining tools: what pm4py, the schema of OCEL 2.0 and our own checks find in them agree.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use actum::{Call, Engine, HandlerError, Value};
use actum_import::{XesLog, pnml};
use actum_log::{FileSigner, Genesis, MemoryStore, Signer};
use actum_net::Net;
use actum_replay::conform::{Checker, Conformance, MARKINGS_MAX};
use actum_replay::events;
use actum_replay::export::{Csv, Form, Identity, OcelJson, OcelXml, Parts, Selection, Wanted, Xes};
use actum_replay::petri::{Ending, PetriNet, Place, Transition, of_net, write_pnml};
use actum_tests::{Random, seed};
use serde_json::Value as Json;

/// A choice, two branches side by side, a loop, and names that every form has to escape.
const NET: &str = r#"
actum: 1
net: claim <&">
data:
  n: { type: int, input: true, default: 0 }
  text: { type: string, input: true, default: "" }
  price: { type: decimal, default: "12.50" }
start: receive
tasks:
  receive: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, split: and, flow: [check, pack] }
  check: { handler: add, params: { n: "{{ n }}" }, flow: join }
  pack: { handler: add, params: { n: "{{ n }}" }, flow: join }
  join: { join: and, flow: judge }
  judge:
    handler: add
    params: { n: "{{ n }}" }
    output: { n: "{{ result.n }}" }
    split: xor
    flow: [{ to: again, when: "n < 4" }, { to: refuse, when: "n % 2 == 0" }, { to: pay, default: true }]
  again: { flow: judge_again }
  judge_again: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: pay }
  pay: { join: xor, handler: add, params: { n: "{{ n }}" }, flow: end }
  refuse: { handler: add, params: { n: "{{ n }}" }, flow: end }
"#;
const CASES: i64 = 8;
/// Keys that spreadsheets and parsers stumble over.
const KEYS: [&str; 8] = ["=1+1", "<a&b>", "\"quoted\", and more", "two\nlines", "+41", "'tick", "é\u{1}", "plain"];

fn add(call: Call) -> Result<Value, HandlerError> {
    match call.input {
        Value::Map(mut input) => match input.get_mut("n") {
            Some(Value::Int(n)) => {
                *n += 1;
                Ok(Value::Map(input))
            }
            _ => Err(HandlerError::new("add/input", "n must be an int")),
        },
        _ => Err(HandlerError::new("add/input", "a map is needed")),
    }
}

/// A log of cases with all keys, and the net that they ran.
async fn claims() -> (MemoryStore, Net) {
    let signer: Arc<dyn Signer> = Arc::new(FileSigner::from_seed(&[5; 32]));
    let genesis = Genesis::new([3; 16], "example.com/claims", 1, signer.public_key()).unwrap();
    let store = MemoryStore::new(genesis.to_string());
    let net = NET.replace("net: claim <&\">", "net: claim");
    let engine = Engine::on_store(store.clone(), signer).handler_fn("add", add).open().await.unwrap();
    let deployed = engine.deploy(&net).await.unwrap().0.hash;
    for n in 0..CASES {
        let text = Value::String(format!("<{}>", KEYS[n as usize]));
        let input = [("n".to_owned(), Value::Int(n)), ("text".to_owned(), text)].into();
        engine.start_case(deployed, Some(KEYS[n as usize]), input).await.unwrap();
    }
    engine.settled().await;
    engine.close().await.unwrap();
    (store, actum_net::compile(&net).unwrap().net)
}

fn export(store: &MemoryStore, form: &mut dyn Form, wanted: Wanted) -> Parts {
    let mut parts = Parts::default();
    let mut selection = Selection::new(wanted);
    form.begin(&Identity { log: [3; 16], origin: "example.com/claims".to_owned() }, &mut parts);
    let mut all = events(store).unwrap();
    while let Some(event) = all.next() {
        let event = event.unwrap();
        selection.take(&event, all.names(), &mut |entry| form.entry(entry, &mut parts));
    }
    selection.finish(all.names(), &mut |entry| form.entry(entry, &mut parts));
    form.finish(&mut parts);
    parts
}

fn ocel_json(store: &MemoryStore) -> String {
    let mut form = OcelJson::default();
    let parts = export(store, &mut form, Wanted::default());
    [&parts.events, OcelJson::JOINT, &parts.objects, &form.types()].concat()
}

fn ocel_xml(store: &MemoryStore) -> String {
    let mut form = OcelXml::default();
    let parts = export(store, &mut form, Wanted::default());
    [&form.types(), &parts.objects, OcelXml::JOINT, &parts.events, OcelXml::END].concat()
}

/// Python with the packages of `tests/python/requirements.txt`: the test command makes it and says where.
fn mining(arguments: &[&Path]) -> Json {
    let python = std::env::var_os("ACTUM_PYTHON")
        .expect("ACTUM_PYTHON names no interpreter: run the tests by `cargo xtask test`");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/mining.py");
    let output = Command::new(python).arg(script).args(arguments).output().expect("the interpreter runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the script prints JSON")
}

fn corpus(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus").join(name);
    assert!(path.exists(), "{} is missing: this test reads logs that nobody here wrote", path.display());
    path
}

fn floats(json: &Json) -> Vec<f64> {
    json.as_array().expect("a list").iter().map(|one| one.as_f64().expect("a number")).collect()
}

/// The activities of an XES text, by trace.
fn traces(xes: &[u8]) -> Vec<Vec<String>> {
    let trace = |trace: actum_import::ForeignTrace| {
        trace.events.into_iter().filter(actum_import::ForeignEvent::is_done).map(|event| event.activity).collect()
    };
    XesLog::new(xes).map(|read| trace(read.unwrap())).collect()
}

/// Events of a log in XES: in each trace, two that follow each other are swapped, one is left out or one is there twice.
fn doctored(xes: &str, random: &mut Random) -> String {
    let mut parts = xes.split("<trace>");
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let (trace, rest) = part.split_once("</trace>").unwrap();
        let (head, events) = trace.split_at(trace.find("<event>").unwrap_or(trace.len()));
        let mut events: Vec<&str> = events.split_inclusive("</event>").collect();
        let tail = events.pop_if(|last| !last.contains("<event>")).unwrap_or_default();
        let at = random.below(events.len() - 1);
        match random.below(3) {
            0 => events.swap(at, at + 1),
            1 => drop(events.remove(at)),
            _ => events.insert(at, events[at + 1]),
        }
        text.push_str(&["<trace>", head, &events.concat(), tail, "</trace>", rest].concat());
    }
    text
}

#[tokio::test]
async fn pm4py_reads_every_form_and_finds_the_log_fitting_its_net() {
    let (store, net) = claims().await;
    let place = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(place.path().join(name), text).unwrap();
    let xes = export(&store, &mut Xes::default(), Wanted::default()).events;
    let done = export(&store, &mut Xes::default(), Wanted { done_only: true, ..Wanted::default() }).events;
    write("log.xes", &xes);
    write("doctored.xes", &doctored(&done, &mut Random::new(seed())));
    write("log.csv", &export(&store, &mut Csv::default(), Wanted::default()).events);
    write("ocel.json", &ocel_json(&store));
    write("ocel.xml", &ocel_xml(&store));
    write("net.pnml", &write_pnml(&of_net(&net).unwrap()));
    let found = mining(&[Path::new("read"), place.path()]);
    let cases = CASES as usize;

    let steps = xes.matches("<event>").count();
    assert_eq!(found["xes"]["events"], steps);
    assert_eq!(found["csv"]["events"], steps);
    assert_eq!(found["xes"]["done"], found["csv"]["done"]);
    assert_eq!(found["xes"]["done"].as_object().unwrap().len(), cases);
    assert_eq!(found["xes"]["lifecycle"], serde_json::json!(["complete", "schedule", "start"]));
    let column = |name: &str| found["xes"]["columns"].as_array().unwrap().contains(&name.into());
    assert!(column("data.n") && column("case:data.text") && column("case:data.price") && column("org:resource"));
    // Keys come through XES as they are (what XML cannot say is U+FFFD), and through CSV as text that no spreadsheet calculates.
    let mut keys = KEYS.map(|key| key.replace('\u{1}', "\u{fffd}"));
    keys.sort_unstable();
    assert_eq!(found["xes"]["keys"], serde_json::json!(keys));
    for key in found["csv"]["keys"].as_array().unwrap() {
        assert!(!key.as_str().unwrap().starts_with(['=', '+', '-', '@']), "{key}");
    }

    assert_eq!(floats(&found["net"]["alignments"]), vec![1.0; cases]);
    assert_eq!(found["net"]["replay"], serde_json::json!(vec![true; cases]));
    let doctored = floats(&found["doctored"]["alignments"]);
    assert!(doctored.iter().any(|fitness| *fitness < 1.0), "{doctored:?}");

    assert_eq!(found["json"], found["xml"]);
    assert_eq!(found["json"]["events"], steps);
    assert_eq!(found["json"]["types"], serde_json::json!(["case", "resource", "work item"]));
    assert_eq!(found["json"]["relations"], 3 * steps);
}

#[tokio::test]
async fn ocel_json_is_valid_by_the_standards_schema() {
    let (store, _) = claims().await;
    let schema: Json = serde_json::from_slice(&std::fs::read(corpus("schema_ocel2.json")).unwrap()).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let text = ocel_json(&store);
    let mut log: Json = serde_json::from_str(&text).unwrap();
    let errors: Vec<String> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    // What every relation names is there, once.
    let ids: Vec<&str> = log["objects"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    let unique: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len());
    for event in log["events"].as_array().unwrap() {
        for relation in event["relationships"].as_array().unwrap() {
            assert!(unique.contains(relation["objectId"].as_str().unwrap()), "{relation}");
        }
    }
    // The validator is no rubber stamp.
    log["events"][0]["time"] = "yesterday".into();
    assert!(!validator.is_valid(&log));
}

#[tokio::test]
async fn exports_are_the_same_every_time_and_keep_their_selection() {
    let (store, net) = claims().await;
    let all = export(&store, &mut Xes::default(), Wanted::default()).events;
    assert_eq!(all, export(&store, &mut Xes::default(), Wanted::default()).events);
    let one = Wanted { case: Some("=1+1".parse().unwrap()), ..Wanted::default() };
    let one = export(&store, &mut Xes::default(), one).events;
    assert_eq!(one.matches("<trace>").count(), 1);
    let trace = &one[one.find("<trace>").unwrap()..one.find("</trace>").unwrap()];
    assert!(all.contains(trace), "a case alone reads as it does among others");
    let none = Wanted { net: Some("other".to_owned()), ..Wanted::default() };
    assert_eq!(export(&store, &mut Xes::default(), none).events.matches("<trace>").count(), 0);
    let hash = Wanted { net: Some(net.hash.to_string()[..12].to_owned()), ..Wanted::default() };
    assert_eq!(export(&store, &mut Xes::default(), hash).events, all);
}

#[test]
fn fitness_of_the_corpus_is_what_pm4py_says() {
    let place = tempfile::tempdir().unwrap();
    let mut pairs: Vec<[PathBuf; 2]> = Vec::new();
    for (log, net) in
        [("running-example.xes", "running-example.pnml"), ("roadtraffic100traces.xes", "roadtraffic.pnml")]
    {
        let (changed, log, net) = (place.path().join(log), corpus("logs").join(log), corpus("logs").join(net));
        let text = std::fs::read_to_string(&log).unwrap();
        std::fs::write(&changed, doctored(&text, &mut Random::new(seed()))).unwrap();
        pairs.extend([[log, net.clone()], [changed, net]]);
    }
    let arguments = std::iter::once(Path::new("align")).chain(pairs.iter().flatten().map(PathBuf::as_path));
    let found = mining(&arguments.collect::<Vec<_>>());
    let mut deviating = 0;
    for ([log, net], theirs) in pairs.iter().zip(found.as_array().expect("an answer for each")) {
        let petri = petri(&std::fs::read(net).unwrap());
        let mut checker = Checker::new(&petri, MARKINGS_MAX);
        let traces = traces(&std::fs::read(log).unwrap());
        assert_eq!(theirs["traces"], serde_json::json!(traces), "both read the same log");
        for (trace, theirs) in traces.iter().zip(floats(&theirs["alignments"])) {
            let ours = checker.check(trace);
            let fitness = ours.fitness.expect("these nets are easy");
            assert!((fitness - theirs).abs() < 1e-6, "seed {}: {fitness} here, {theirs} there: {trace:?}", seed());
            assert_eq!(ours.conformance == Conformance::Fits, theirs > 1.0 - 1e-9);
            deviating += u32::from(ours.conformance != Conformance::Fits);
        }
    }
    assert!(deviating > 30, "{deviating}");
}

fn petri(bytes: &[u8]) -> PetriNet {
    let foreign = pnml(bytes).expect("the file is a Petri net");
    let transition = |one: actum_import::ForeignTransition| Transition {
        label: (!one.silent).then(|| one.name.clone()),
        name: one.name,
        consumes: one.consumes,
        resets: one.resets,
        produces: one.produces,
        ..Transition::default()
    };
    PetriNet {
        name: foreign.name,
        places: foreign.places.into_iter().map(|(name, initial)| Place { name, initial }).collect(),
        transitions: foreign.transitions.into_iter().map(transition).collect(),
        ending: Ending::Exactly(foreign.last.expect("the corpus says where runs end")),
    }
}
