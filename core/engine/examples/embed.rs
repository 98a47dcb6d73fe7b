//! Embedding Actum: a net, a handler, a person, a signed log. Run it with `cargo run --example embed`.

use std::collections::BTreeMap;

use actum::{Engine, HandlerError, Value};

const NET: &str = r#"
actum: 1
net: refund
data:
  amount: { type: int, input: true, required: true }
  paid: { type: bool }
roles: { clerk: {} }
start: approve
tasks:
  approve: { role: clerk, flow: pay }
  pay: { handler: bank, params: { cents: "{{ amount }}" }, output: { paid: "{{ result }}" }, flow: end }
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::args().nth(1).unwrap_or_else(|| "refunds".to_owned());
    let bank = |call: actum::Call| match &call.input {
        Value::Map(input) if input["cents"] != Value::Int(0) => Ok(Value::Bool(true)),
        _ => Err(HandlerError::new("bank/amount", "nothing to pay")),
    };
    let engine = Engine::at(directory).handler_fn("bank", bank).open().await?;
    let (net, _) = engine.deploy(NET).await?;
    let ana = engine.register("ana", &["clerk"]).await?;
    let input = BTreeMap::from([("amount".to_owned(), Value::Int(1999))]);
    let case = engine.start_case(net.hash, None, input).await?.case;
    for work in engine.offered_to(ana) {
        engine.take(work.case, work.item, ana).await?;
        engine.start(work.case, work.item, ana).await?;
        engine.complete(work.case, work.item, ana, Value::Map(BTreeMap::new())).await?;
    }
    engine.settled().await; // everything above survived power loss already; this waits for the bank
    engine.history(case)?.iter().for_each(|event| println!("{:?}", event.event));
    Ok(engine.close().await?)
}
