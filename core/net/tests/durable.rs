//! Starts, messages, deadlines, compensation and savepoints: read, compiled, written canonically and read again.

use actum_model::{Directory, Time, Value};
use actum_net::{
    Answer, CatchUp, ExceptionTrigger, Given, JSON_SCHEMA, Net, Scope, StartBy, StartScope, TimeoutFrom, Times,
    VariableIx, Wait, Work, compile,
};

const MINUTE: u64 = 60_000_000_000;

const NET: &str = r#"
actum: 1
net: trip
data:
  order: { type: string, input: true, required: true }
  at: { type: time, input: true }
starts:
  desk: { manual: true }
  nightly: { cron: "0  2 * * *", zone: Europe/Berlin, catch_up: all, input: { order: "nightly", at: "{{ due }}" } }
  often: { every: PT15M, from: "2026-05-01T00:05:00Z", input: { order: "often" } }
  placed: { message: placed, key: "{{ message.id }}", input: { order: "{{ message.id }}" } }
exceptions: { timeout: { after: PT40H, calendar: office, do: compensate } }
roles: { clerk: }
start: book
tasks:
  book: { handler: h, compensation: unbook, savepoint: booked, flow: pay }
  unbook: { compensates: true, handler: h }
  pay:
    receive: { message: payment, key: "{{ order }}" }
    output: { order: "{{ result.id }}" }
    exceptions: { timeout: { after: P1D, do: { rollback: booked } } }
    flow: check
  check:
    role: clerk
    exceptions: { timeout: { at: "{{ at }}", from: allocated, do: escalate }, abort: { do: compensate, scope: case } }
    flow: tell
  tell: { trigger: { signal: go }, exceptions: { external: { hurry: { signal: go } } }, flow: rest }
  rest: { wait: { cron: "0 9 * * mon-fri", zone: Europe/Berlin }, flow: last }
  last: { wait: { for: PT8H, calendar: office }, flow: end }
"#;

fn net() -> Net {
    compile(NET).unwrap_or_else(|found| panic!("{found:#?}")).net
}

#[test]
fn the_canonical_form_gives_the_same_net() {
    let net = net();
    assert_eq!(Net::from_canonical(&net.canonical).as_ref(), Ok(&net));
    let text = String::from_utf8(net.canonical.clone()).unwrap();
    assert!(text.contains(r#""cron":"0 2 * * *""#), "one space between fields: {text}");
    assert!(
        !text.contains(r#""catch_up":"last""#) && text.contains(r#""catch_up":"all""#),
        "defaults are left out: {text}"
    );
}

/// The schema that editors use knows what the language has.
#[test]
fn the_schema_takes_the_net_and_the_example() {
    let schema = jsonschema::validator_for(&serde_json::from_str(JSON_SCHEMA).unwrap()).unwrap();
    let example =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tools/examples/travel-booking.yaml"));
    for source in [NET, &example.unwrap()] {
        let net = compile(source).unwrap_or_else(|found| panic!("{found:#?}"));
        assert_eq!(net.warnings, []);
        let json = serde_json::from_slice(&net.net.canonical).unwrap();
        let errors: Vec<String> = schema.iter_errors(&json).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0]);
    }
}

#[test]
fn what_is_written_is_compiled() {
    let net = net();
    let task = |name: &str| &net.tasks[net.task(name).unwrap().index()];
    assert_eq!(task("book").compensation, net.task("unbook"));
    assert_eq!(task("book").savepoint.as_deref(), Some("booked"));
    assert!(matches!(&task("pay").work, Work::Receive { message, key: Some(_) } if message == "payment"));
    assert_eq!(task("pay").exceptions[0].answer, Answer::GoBack(net.task("book").unwrap()));
    let [abort, timeout] = &task("check").exceptions[..] else { panic!("two rules") };
    assert_eq!((abort.answer, timeout.answer), (Answer::Undo, Answer::Escalate));
    let ExceptionTrigger::Timeout { limit: Wait::Until(_), from: TimeoutFrom::Allocated } = &timeout.trigger else {
        panic!("a time: {timeout:?}")
    };
    assert_eq!(task("tell").exceptions[0].answer, Answer::Signal(net.task("tell").unwrap()));
    assert!(matches!(&task("last").work, Work::Wait(Wait::Duty { calendar, .. }) if calendar == "office"));
    let of_case = &net.subnets[0].exceptions[0];
    assert!(matches!(&of_case.trigger, ExceptionTrigger::Timeout { limit: Wait::Duty { .. }, .. }));
    let names: Vec<&str> = net.starts.iter().map(|start| start.name.as_str()).collect();
    assert_eq!(names, ["desk", "nightly", "often", "placed"]);
    assert_eq!(net.starts[0].by, StartBy::Hand);
    let StartBy::Clock { times: Times::Cron { .. }, catch_up: CatchUp::All } = &net.starts[1].by else { panic!() };
    let StartBy::Clock { times, catch_up: CatchUp::Last } = &net.starts[2].by else { panic!() };
    assert_eq!(times.next(Time(0)).map(|time| time.0 % (15 * MINUTE)), Some(5 * MINUTE));
}

#[test]
fn inputs_of_starts_see_the_message_or_the_time() {
    let net = net();
    let message = Value::Map([("id".to_owned(), Value::String("a7".to_owned()))].into());
    let seen = StartScope { message: &message, due: &Value::Null };
    let StartBy::Message { key: Some(key), .. } = &net.starts[3].by else { panic!() };
    assert_eq!(key.render(&seen), Ok(Value::String("a7".to_owned())));
    let inputs = net.starts[3].inputs(&seen).unwrap();
    assert_eq!(inputs, Value::Map([("order".to_owned(), Value::String("a7".to_owned()))].into()));
    let seen = StartScope { message: &Value::Null, due: &Value::Time(Time(7)) };
    let Ok(Value::Map(inputs)) = net.starts[1].inputs(&seen) else { panic!() };
    assert_eq!(inputs["at"], Value::Time(Time(7)));
    assert!(net.starts[3].inputs(&seen).is_err(), "null has no `id`");
}

/// No variables, nothing given.
struct Nothing;

impl Scope for Nothing {
    fn variable(&self, _variable: VariableIx) -> Option<&Value> {
        None
    }
    fn result(&self) -> Option<&Value> {
        None
    }
    fn given(&self, _name: Given) -> Option<&Value> {
        None
    }
}

#[test]
fn a_calendar_that_nobody_has_is_an_error_and_no_guess() {
    let net = net();
    let Work::Wait(wait) = &net.tasks[net.task("last").unwrap().index()].work else { panic!() };
    let error = wait.due(&Nothing, Time(0), &Directory::default()).unwrap_err();
    assert_eq!(error.to_string(), "the organisation has no calendar office");
}
