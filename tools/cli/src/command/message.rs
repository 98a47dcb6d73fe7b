//! `message`: a message into a log that no engine has open.

use std::time::Duration;

use actum::{ActorId, Message};
use actum_model::{Value, json as values};
use serde_json::json;

use crate::cli::Common;
use crate::engine::{stopped, upkeep};
use crate::failure::{Exit, Failure, Outcome};
use crate::output::{Format, Output};

/// Send a message to the cases that wait for its name and key
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The message is logged now; the next `actum run` on the directory brings it to who waits for it, or starts a case by it. Without \
--keep it is for those who wait already. Opens the log for writing, so no engine may run on it; an embedded engine has a call of its own.

Examples:
  actum message payment T1 --body '{\"amount\": 12}' --data d1
  actum message price-list --all --keep PT24H --id prices-2026-05 --data d1")]
pub(crate) struct Args {
    /// Its name: what nets wait for
    #[arg(value_name = "NAME")]
    name: String,
    /// What it is about
    #[arg(value_name = "KEY", default_value = "")]
    key: String,
    /// What comes with it
    #[arg(long, value_name = "JSON", default_value = "null")]
    body: String,
    /// Your own id: a second message with it is not taken
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// How long it is kept for those who do not wait yet, such as PT1H
    #[arg(long, value_name = "DURATION")]
    keep: Option<String>,
    /// For all who wait, and not just for one
    #[arg(long)]
    all: bool,
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let message = message(args)?;
    let data = &common.data;
    let sent = upkeep(
        data,
        |builder| builder,
        |engine| async move { engine.message(message, ActorId::ENGINE).await.map_err(|error| stopped(data, &error)) },
    )?;
    let mut output = Output::new();
    match common.format {
        Format::Json => {
            output.json(&json!({ "message": sent.message.0, "new": sent.is_new, "pending": sent.is_pending }))?;
        }
        Format::Text => {
            let (place, seq) = (data.display(), sent.message.0);
            output.line(match (sent.is_new, sent.is_pending) {
                (false, _) => format!("{place}: event {seq} is this message already: its id is known"),
                (true, true) => format!("{place}: event {seq} is the message; it is delivered when an engine runs"),
                (true, false) => {
                    format!("{place}: event {seq} is the message; nobody waits for it, and it is not kept")
                }
            })?;
        }
    }
    output.finish()?;
    Ok(Exit::Done)
}

fn message(args: &Args) -> Outcome<Message> {
    let usage = |sentence: String| Failure::new(Exit::Usage, sentence);
    let body: serde_json::Value =
        serde_json::from_str(&args.body).map_err(|error| usage(format!("--body is not JSON: {error}")))?;
    let body: Value = values::from_json(&body).map_err(|error| usage(format!("--body: {error}")))?;
    let mut message = Message::new(args.name.as_str(), args.key.as_str(), body);
    if let Some(id) = &args.id {
        message = message.id(id.as_str());
    }
    if let Some(keep) = &args.keep {
        let length =
            actum_net::duration(keep).ok_or_else(|| usage(format!("--keep: `{keep}` is no duration such as PT1H")))?;
        message = message.keep_for(Duration::from_nanos(length));
    }
    Ok(if args.all { message.to_all() } else { message })
}
