//! The handler `emit`: a task that sends a message.

use std::collections::BTreeMap;

use actum::{CaseEvent, CaseId, CaseStatus, Engine, NetHash, Notice, Value};
use actum_model::Event;

const SENDER: &str = r#"
actum: 1
net: sender
data: { order: { type: int, input: true, default: 7 }, sent: { type: int } }
start: a
tasks:
  a: { handler: emit, params: { message: paid, key: "{{ order }}", data: { cents: 5 } }, output: { sent: "{{ result.message }}" }, flow: end }
"#;

const RECEIVER: &str = r#"
actum: 1
net: receiver
data: { cents: { type: int } }
start: a
tasks:
  a: { receive: { message: paid, key: "7" }, output: { cents: "{{ result.cents }}" }, flow: end }
"#;

async fn engine() -> Engine {
    Engine::in_memory().open().await.unwrap()
}

async fn deploy(engine: &Engine, source: &str) -> NetHash {
    engine.deploy(source).await.unwrap_or_else(|error| panic!("{error:?}")).0.hash
}

async fn run(engine: &Engine, source: &str) -> CaseId {
    let net = deploy(engine, source).await;
    let case = engine.start_case(net, None, BTreeMap::new()).await.unwrap().case;
    engine.settled().await;
    case
}

/// Messages in the log, by seq.
async fn published(engine: &Engine) -> Vec<u64> {
    let size = engine.head().unwrap().unwrap().size;
    let mut events = engine.subscribe(actum::Seq(0));
    let mut found = Vec::new();
    loop {
        let record = events.next().await.unwrap().expect("the log goes on to its end");
        if record.header().kind == 320 {
            found.push(record.header().seq);
        }
        if record.header().seq + 1 == size {
            return found;
        }
    }
}

fn codes(engine: &Engine, case: CaseId) -> Vec<String> {
    let failed = engine.history(case).unwrap().into_iter().filter_map(|logged| match logged.event {
        CaseEvent::WorkFailed { code, .. } => Some(code),
        _ => None,
    });
    failed.collect()
}

#[tokio::test]
async fn a_task_sends_a_message_to_a_case_that_waits() {
    let engine = engine().await;
    let receiver = run(&engine, RECEIVER).await;
    let sender = run(&engine, SENDER).await;
    for case in [receiver, sender] {
        assert_eq!(engine.row(case).unwrap().status, CaseStatus::Completed);
    }
    let received = engine.history(receiver).unwrap().into_iter().find_map(|logged| match logged.event {
        CaseEvent::MessageReceived { message, .. } => Some(message.0),
        _ => None,
    });
    let result = engine.history(sender).unwrap().into_iter().find_map(|logged| match logged.event {
        CaseEvent::WorkCompleted { result: Value::Map(result), .. } => result.get("message").cloned(),
        _ => None,
    });
    let published = published(&engine).await;
    assert_eq!(published.len(), 1);
    assert_eq!(received, Some(published[0]));
    assert_eq!(result, Some(Value::Int(published[0] as i64)), "the result says where in the log it is");
}

/// The output cannot be computed, so every attempt fails after the message was sent.
#[tokio::test]
async fn however_often_it_is_tried_it_sends_once() {
    let engine = engine().await;
    let source = SENDER
        .replace("{{ result.message }}", "{{ result.message / 0 }}")
        .replace("handler: emit,", "handler: emit, policies: [{ retry: { delay: PT0.001S, attempts: 3, on: '*' } }],");
    let mut failures = engine.watch(8, |happened| matches!(happened.event, Event::Case(CaseEvent::WorkFailed { .. })));
    let case = run(&engine, &source).await;
    for _ in 0..3 {
        assert!(matches!(failures.next().await, Some(Notice::Happened(_))));
    }
    engine.settled().await;
    assert_eq!(codes(&engine, case).len(), 3);
    assert_eq!(published(&engine).await.len(), 1);
}

#[tokio::test]
async fn what_is_no_message_fails_the_item() {
    let engine = engine().await;
    for (params, code) in [
        ("{ key: a }", "handler/input"),
        ("{ message: 5 }", "handler/input"),
        ("{ message: a, keep_for: soon }", "handler/input"),
        ("{ message: a, to: b }", "handler/input"),
        ("{ message: a, key: [1] }", "handler/input"),
    ] {
        let source =
            format!("actum: 1\nnet: one\nstart: a\ntasks:\n  a: {{ handler: emit, params: {params}, flow: end }}\n");
        let case = run(&engine, &source).await;
        assert_eq!(codes(&engine, case), [code], "{params}");
    }
    let long = "k".repeat(2_000);
    let source = format!(
        "actum: 1\nnet: one\nstart: a\ntasks:\n  a: {{ handler: emit, params: {{ message: a, key: {long} }}, flow: end }}\n"
    );
    let case = run(&engine, &source).await;
    assert_eq!(codes(&engine, case), ["message/key"]);
    assert!(published(&engine).await.is_empty());
}
