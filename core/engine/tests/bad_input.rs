//! Bad input: each kind is refused with its code, and the log stays as it was, byte for byte.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use actum::{
    ActorId, Call, CaseEvent, CaseId, CaseStatus, CommandError, Engine, Handler, HandlerError, ItemId, Message,
    NetHash, Value,
};

const NET: &str = "
actum: 1
net: bad-input
data: { n: { type: int, input: true, default: 1 }, text: { type: string, input: true } }
roles: { clerk: {}, boss: {} }
start: a
tasks:
  a: { role: clerk, form: { n: { type: int, required: true }, by: { type: int } }, output: { n: '{{ 100 / result.n }}' }, flow: b }
  b: { trigger: { signal: papers }, flow: end }
";

fn map(entries: &[(&str, Value)]) -> BTreeMap<String, Value> {
    entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn ten_megabytes() -> Value {
    Value::String("x".repeat(10 << 20))
}

/// An engine with a case whose task `a` was begun by `clerk`.
struct Office {
    engine: Engine,
    net: NetHash,
    case: CaseId,
    item: ItemId,
    clerk: ActorId,
    other: ActorId,
}

impl Office {
    async fn open() -> Self {
        let engine = Engine::in_memory().open().await.unwrap();
        let net = engine.deploy(NET).await.unwrap_or_else(|error| panic!("{error}")).0.hash;
        let clerk = engine.register("ana", &["clerk"]).await.unwrap();
        let other = engine.register("ben", &["clerk"]).await.unwrap();
        let case = engine.start_case(net, None, BTreeMap::new()).await.unwrap().case;
        let item = engine.worklist().of_case(case)[0].item;
        engine.take(case, item, clerk).await.unwrap();
        engine.start(case, item, clerk).await.unwrap();
        Office { engine, net, case, item, clerk, other }
    }

    /// What `ask` asks is refused with this code, and nothing is written.
    async fn refuses<T: std::fmt::Debug>(&self, wanted: &str, ask: impl Future<Output = Result<T, CommandError>>) {
        let before = self.state();
        match ask.await {
            Err(CommandError::Rejected(no)) => assert_eq!(no.code, wanted, "{no}"),
            other => panic!("{wanted}: {other:?}"),
        }
        assert_eq!(self.state(), before, "{wanted} left a trace");
    }

    /// The log's head, whose seal is over every byte before it; and the case's history.
    fn state(&self) -> String {
        format!("{:?} {:?}", self.engine.head().unwrap(), self.engine.history(self.case).unwrap())
    }

    async fn refuses_result(&self, wanted: &str, result: Value) {
        self.refuses(wanted, self.engine.complete(self.case, self.item, self.clerk, result)).await;
    }
}

#[tokio::test]
async fn results_that_do_not_fit_are_refused() {
    let office = Office::open().await;
    office.refuses_result("work/result-form", Value::Null).await;
    office.refuses_result("work/result-form", Value::Map(map(&[]))).await;
    office.refuses_result("work/result-form", Value::Map(map(&[("n", Value::Bool(true))]))).await;
    office.refuses_result("work/result-form", Value::Map(map(&[("n", Value::Int(1)), ("m", Value::Null)]))).await;
    // It fits the form; the output cannot be computed from it.
    office.refuses_result("work/output", Value::Map(map(&[("n", Value::Int(0))]))).await;
    let forced = |result| office.engine.force_work(office.case, office.item, office.other, result, "because");
    office.refuses("work/result-form", forced(Value::Int(1))).await;
    office.refuses("work/output", forced(Value::Map(map(&[("n", Value::Int(0))])))).await;
    let forced =
        |name: &str, value| office.engine.force_case(office.case, office.other, map(&[(name, value)]), "because");
    office.refuses("case/unknown-output", forced("m", Value::Int(1))).await;
    office.refuses("case/output-type", forced("n", Value::Bool(true))).await;
}

#[tokio::test]
async fn inputs_that_do_not_fit_are_refused() {
    let office = Office::open().await;
    let start = |input| office.engine.start_case(office.net, None, input);
    office.refuses("case/unknown-input", start(map(&[("m", Value::Int(1))]))).await;
    office.refuses("case/input-type", start(map(&[("n", Value::String("many".to_owned()))]))).await;
    office.refuses("net/not-found", office.engine.start_case(NetHash([9; 32]), None, map(&[]))).await;
    office.refuses("case/key", office.engine.start_case(office.net, Some(""), map(&[]))).await;
}

#[tokio::test]
async fn ten_megabytes_are_refused_wherever_they_come_in() {
    let office = Office::open().await;
    let (engine, case) = (&office.engine, office.case);
    let start = engine.start_case(office.net, None, map(&[("text", ten_megabytes())]));
    office.refuses("command/too-large", start).await;
    office.refuses("command/too-large", engine.signal(case, ActorId::ENGINE, "papers", ten_megabytes())).await;
    let message = Message::new("paid", "7", ten_megabytes());
    office.refuses("command/too-large", engine.message(message, ActorId::ENGINE)).await;
    // Less than the log takes, and more than an event of a case may have.
    let message = Message::new("paid", "7", Value::String("x".repeat(2 << 20)));
    office.refuses("command/too-large", engine.message(message, ActorId::ENGINE)).await;
    let output = map(&[("text", ten_megabytes())]);
    office.refuses("command/too-large", engine.force_case(case, office.clerk, output, "because")).await;
    let long = "x".repeat(10 << 20);
    office.refuses("command/too-large", engine.cancel_case(case, ActorId::ENGINE, &long)).await;
    office.refuses("message/name", engine.message(Message::new(long, "", Value::Null), ActorId::ENGINE)).await;
}

/// A handler that always gives this.
struct Gives(Value);

#[actum::async_trait]
impl Handler for Gives {
    async fn handle(&self, _call: Call) -> Result<Value, HandlerError> {
        Ok(self.0.clone())
    }
}

#[tokio::test]
async fn a_result_of_a_handler_that_is_too_large_or_does_not_fit_fails_its_item() {
    let net = "actum: 1\nnet: large\ndata: { n: { type: int } }\nstart: a\ntasks:\n  a: { handler: NAME, output: { n: '{{ result }}' }, flow: end }\n";
    let text = Gives(Value::String("many".to_owned()));
    let engine =
        Engine::in_memory().handler("large", Gives(ten_megabytes())).handler("text", text).open().await.unwrap();
    // What comes out of it is judged first: of the large one, too, the variable takes no text.
    for (net, code) in [(net.replace("NAME", "text"), "work/output"), (net.replace("NAME", "large"), "work/output")] {
        failed(&engine, &net, code).await;
    }
    let net = net.replace("NAME", "large").replace("output: { n: '{{ result }}' }, ", "");
    failed(&engine, &net, "command/too-large").await;
}

async fn failed(engine: &Engine, source: &str, wanted: &str) {
    let net = engine.deploy(source).await.unwrap_or_else(|error| panic!("{error}")).0.hash;
    let case = engine.start_case(net, None, BTreeMap::new()).await.unwrap().case;
    engine.settled().await;
    assert_eq!(engine.row(case).unwrap().status, CaseStatus::Open);
    let history = engine.history(case).unwrap();
    let codes: Vec<&str> = history
        .iter()
        .filter_map(|logged| match &logged.event {
            CaseEvent::WorkFailed { code, .. } => Some(code.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(codes, [wanted]);
}

#[tokio::test]
async fn what_is_not_there_and_what_is_anothers_is_refused() {
    let office = Office::open().await;
    let Office { engine, case, item, clerk, other, .. } = &office;
    let (case, item, clerk, other) = (*case, *item, *clerk, *other);
    let result = || Value::Map(map(&[("n", Value::Int(10))]));
    office.refuses("work/not-yours", engine.complete(case, item, other, result())).await;
    office.refuses("work/not-found", engine.complete(case, ItemId(99), clerk, result())).await;
    office.refuses("case/not-found", engine.complete(CaseId(99), item, clerk, result())).await;
    office.refuses("actor/unknown", engine.complete(case, item, ActorId(99), result())).await;
    office.refuses("case/unknown-signal", engine.signal(case, ActorId::ENGINE, "nonsense", Value::Null)).await;
    office.refuses("case/not-found", engine.signal(CaseId(99), ActorId::ENGINE, "papers", Value::Null)).await;
    office.refuses("work/phase", engine.take(case, item, clerk)).await;
    office.refuses("case/not-suspended", engine.resume_case(case, ActorId::ENGINE)).await;
    office.refuses("case/no-rule", engine.raise(case, None, clerk, actum::ExceptionKind::External, "x", "")).await;
    engine.complete(case, item, clerk, result()).await.unwrap();
    // Twice: the first counts.
    office.refuses("work/not-found", engine.complete(case, item, clerk, result())).await;
    engine.signal(case, ActorId::ENGINE, "papers", Value::Null).await.unwrap();
    assert_eq!(engine.ended(case).await.unwrap().status, CaseStatus::Completed);
    office.refuses("case/ended", engine.complete(case, item, clerk, result())).await;
    office.refuses("case/ended", engine.force_case(case, clerk, BTreeMap::new(), "")).await;
}

/// What looks like a code in these sources and is none of a rejection or failure.
const NO_CODES: [&str; 6] = [
    "application/json",
    "explore/not-possible",
    "engine/closed",
    "engine/stopped",
    "engine/stopping",
    "engine/unreadable",
];

#[test]
fn every_code_is_in_the_list_and_the_list_has_no_other() {
    let room = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut given = BTreeSet::from(["policy/breaker".to_owned(), "policy/queue".to_owned()]);
    for sources in [room.join("src"), room.join("../kernel/src")] {
        codes_of(&sources, &mut given);
    }
    NO_CODES.iter().for_each(|code| assert!(given.remove(*code), "{code} is in no source"));
    let list = std::fs::read_to_string(room.join("CODES.md")).unwrap();
    let rows = list.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(1));
    let listed: Vec<&str> = rows.flat_map(|cell| cell.split('`').filter(|part| part.contains('/'))).collect();
    let unique: BTreeSet<String> = listed.iter().map(|code| (*code).to_owned()).collect();
    assert_eq!(unique.len(), listed.len(), "a code is listed twice");
    assert_eq!(given.difference(&unique).collect::<Vec<_>>(), [""; 0], "given and not listed");
    assert_eq!(unique.difference(&given).collect::<Vec<_>>(), [""; 0], "listed and never given");
}

/// Every text of the form `area/what` in quotes.
fn codes_of(folder: &Path, codes: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            codes_of(&path, codes);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            // Rules of the tests within a source are no codes of its own.
            let source = source.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            codes.extend(source.lines().flat_map(quoted).filter(|text| is_code(text)).map(str::to_owned));
        }
    }
}

fn quoted(line: &str) -> impl Iterator<Item = &str> {
    let is_comment = line.trim_start().starts_with("//");
    line.split('"').skip(1).step_by(2).filter(move |_| !is_comment)
}

fn is_code(text: &str) -> bool {
    let lower = |part: &str| !part.is_empty() && part.chars().all(|char| char.is_ascii_lowercase() || char == '-');
    text.split_once('/').is_some_and(|(area, what)| lower(area) && !area.contains('-') && lower(what))
}
