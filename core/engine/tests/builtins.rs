//! Handlers that reach out of the engine: programs and services.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actum::{CaseEvent, CaseId, Command, Engine, EngineBuilder, Http, Value};

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

/// Runs one task; gives the case and its result, or the failure's code and message.
async fn ask(engine: &Engine, handler: &str, params: &str) -> (CaseId, Result<Value, (String, String)>) {
    let source = format!(
        "actum: 1\nnet: ask\nstart: a\ntasks:\n  a: {{ handler: {handler}, params: {params}, policies: [{{ timeout: PT1S }}], flow: end }}\n"
    );
    let net = engine.deploy(&source).await.unwrap_or_else(|error| panic!("{error:?}")).0.hash;
    let case = engine.start_case(net, None, BTreeMap::new()).await.unwrap().case;
    engine.settled().await;
    let outcome = engine.history(case).unwrap().into_iter().find_map(|logged| match logged.event {
        CaseEvent::WorkCompleted { result, .. } => Some(Ok(result)),
        CaseEvent::WorkFailed { code, message, .. } => Some(Err((code, message))),
        _ => None,
    });
    (case, outcome.unwrap())
}

fn code<T: std::fmt::Debug>(outcome: Result<T, (String, String)>) -> String {
    outcome.unwrap_err().0
}

#[track_caller]
fn entry<'v>(value: &'v Value, key: &str) -> &'v Value {
    let Value::Map(entries) = value else { panic!("{value:?}") };
    &entries[key]
}

fn with_secret(name: &str) -> Option<String> {
    (name == "TOKEN").then(|| "s3cr3t".to_owned())
}

async fn commands(command: Command) -> Engine {
    Engine::in_memory().handler("command", command.secrets(with_secret)).open().await.unwrap()
}

#[tokio::test]
async fn a_program_gets_its_arguments_as_they_are_and_no_environment_but_its_own() {
    let engine = commands(Command::any()).await;
    let (_, said) = ask(&engine, "command", "{ program: printf, args: ['%s|', '$HOME; echo x', 3] }").await;
    assert_eq!(entry(&said.unwrap(), "output"), &text("$HOME; echo x|3|"));
    let (_, said) = ask(&engine, "command", "{ program: env, env: { A: b } }").await;
    assert_eq!(entry(&said.unwrap(), "output"), &text("A=b\n"));
    let (_, said) = ask(&engine, "command", "{ program: cat, input: { n: [1, 2] }, output: json }").await;
    assert_eq!(entry(entry(&said.unwrap(), "output"), "n"), &Value::List(vec![Value::Int(1), Value::Int(2)]));
}

#[tokio::test]
async fn secrets_of_a_program_never_reach_the_log() {
    let engine = commands(Command::any()).await;
    let (case, said) = ask(&engine, "command", "{ program: env, env: { KEY: { env: TOKEN } } }").await;
    assert_eq!(entry(&said.unwrap(), "output"), &text("KEY=***\n"));
    assert!(!format!("{:?}", engine.history(case).unwrap()).contains("s3cr3t"));
    let (_, failed) = ask(&engine, "command", "{ program: env, env: { KEY: { env: MISSING } } }").await;
    assert_eq!(code(failed), "handler/secret");
}

#[tokio::test]
async fn what_a_program_does_wrong_fails_the_attempt() {
    let engine = commands(Command::any()).await;
    let (_, failed) = ask(&engine, "command", "{ program: sh, args: [-c, 'echo no >&2; exit 3'] }").await;
    assert_eq!(failed.unwrap_err(), ("command/exit".to_owned(), "it ended with 3: no".to_owned()));
    for (params, wanted) in [
        ("{ program: no-such-program }", "command/not-found"),
        ("{ program: /no/such/program }", "command/io"),
        ("{ program: echo, args: hello }", "handler/input"),
        ("{ program: echo, shell: true }", "handler/input"),
        ("{ program: echo, args: [hello], output: json }", "command/json"),
        ("{ program: yes }", "command/output"),
    ] {
        assert_eq!(code(ask(&engine, "command", params).await.1), wanted, "{params}");
    }
    let engine = commands(Command::only(["true"])).await;
    assert!(ask(&engine, "command", "{ program: 'true' }").await.1.is_ok());
    assert_eq!(code(ask(&engine, "command", "{ program: 'false' }").await.1), "command/not-allowed");
}

#[tokio::test]
async fn a_program_that_is_out_of_time_is_killed_with_all_that_it_started() {
    let engine = commands(Command::any()).await;
    let place = tempfile::tempdir().unwrap();
    let pipe = place.path().join("alive");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Reading ends when nobody has the pipe open any more: neither the program nor its child, which would run for ever.
    let held = pipe.clone();
    let ended = std::thread::spawn(move || std::fs::read(held));
    let script = format!("exec 9>{}; (while true; do sleep 1; done) & wait", pipe.display());
    let params = format!("{{ program: sh, args: [-c, '{script}'], env: {{ PATH: '/usr/bin:/bin' }} }}");
    assert_eq!(code(ask(&engine, "command", &params).await.1), "handler/timeout");
    assert!(ended.join().unwrap().is_ok_and(|bytes| bytes.is_empty()));
}

/// Answers requests one after the other with these, and keeps what was asked.
fn serve(answers: Vec<String>) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = asked.clone();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = Vec::new();
            let mut part = [0; 4_096];
            let whole = |bytes: &[u8]| {
                let text = String::from_utf8_lossy(bytes).to_lowercase();
                let Some(head) = text.find("\r\n\r\n") else { return false };
                let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
                bytes.len() >= head + 4 + length.and_then(|length| length.parse().ok()).unwrap_or(0)
            };
            while !whole(&bytes) {
                let read = stream.read(&mut part).unwrap();
                if read == 0 {
                    break;
                }
                bytes.extend_from_slice(&part[..read]);
            }
            noted.lock().unwrap().push(String::from_utf8_lossy(&bytes).into_owned());
            stream.write_all(answer.as_bytes()).unwrap();
            if answer.is_empty() {
                // No answer, until who asked gives up.
                while stream.read(&mut part).is_ok_and(|read| read > 0) {}
            }
        }
    });
    (port, asked)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

fn http() -> EngineBuilder {
    Engine::in_memory().handler("http", Http::any().secrets(with_secret))
}

#[tokio::test]
async fn a_service_is_asked_and_its_answer_is_data() {
    let json = answer("200 OK", "content-type: application/json\r\netag: x1\r\nset-cookie: a=b\r\n", "{\"ok\":[1]}");
    let (port, asked) = serve(vec![json]);
    let engine = http().open().await.unwrap();
    let params = format!(
        "{{ url: 'http://127.0.0.1:{port}/pay?x=1', method: POST, headers: {{ authorization: {{ env: TOKEN }} }}, body: {{ cents: 5 }}, keep: [etag, nothing] }}"
    );
    let (case, result) = ask(&engine, "http", &params).await;
    let result = result.unwrap();
    assert_eq!(entry(&result, "status"), &Value::Int(200));
    assert_eq!(entry(&result, "headers"), &Value::Map(BTreeMap::from([("etag".to_owned(), text("x1"))])));
    assert_eq!(entry(entry(&result, "body"), "ok"), &Value::List(vec![Value::Int(1)]));
    let asked = asked.lock().unwrap()[0].to_lowercase();
    for part in ["post /pay?x=1 http/1.1", "authorization: s3cr3t", "idempotency-key: 1/0", "{\"cents\":5}"] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    assert!(!format!("{:?}", engine.history(case).unwrap()).contains("s3cr3t"));
}

#[tokio::test]
async fn what_goes_wrong_with_a_service_has_a_code() {
    let large = answer("200 OK", "", &"x".repeat(600 << 10));
    let answers = vec![
        answer("503 Service Unavailable", "", "later"),
        answer("302 Found", "location: http://127.0.0.1:1/\r\n", ""),
        answer("200 OK", "content-type: application/json\r\n", "{"),
        large,
        String::new(),
    ];
    let (port, asked) = serve(answers);
    let engine = http().open().await.unwrap();
    for wanted in ["http/503", "http/302", "http/body", "http/body", "handler/timeout"] {
        let (_, failed) = ask(&engine, "http", &format!("{{ url: 'http://127.0.0.1:{port}/' }}")).await;
        let (code, message) = failed.unwrap_err();
        assert_eq!(code, wanted, "{message}");
        if wanted == "http/503" {
            assert_eq!(message, "127.0.0.1: 503 Service Unavailable: later");
        }
    }
    assert_eq!(asked.lock().unwrap().len(), 5);
    for (params, wanted) in [
        ("{ url: 'http://127.0.0.1:1/' }", "http/connect"),
        ("{ url: 'ftp://127.0.0.1/' }", "handler/input"),
        ("{ url: 'http://user:pw@127.0.0.1/' }", "handler/input"),
        ("{ url: 'nonsense' }", "handler/input"),
        ("{ url: 'http://127.0.0.1:1/', method: 'A B' }", "handler/input"),
        ("{ url: 'http://127.0.0.1:1/', headers: { x: { env: MISSING } } }", "handler/secret"),
    ] {
        assert_eq!(code(ask(&engine, "http", params).await.1), wanted, "{params}");
    }
    let engine = Engine::in_memory().handler("http", Http::only(["example.com"])).open().await.unwrap();
    assert_eq!(code(ask(&engine, "http", "{ url: 'http://127.0.0.1:1/' }").await.1), "http/not-allowed");
}
