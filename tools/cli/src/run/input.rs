//! What cases are to be started with.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Read;
use std::path::Path;

use actum_kernel::{Context, decide};
use actum_model::{ActorId, Case, CaseCommand, CaseId, Directory, Time, Value, json};
use actum_net::Net;
use serde_json::Value as Json;

use crate::failure::{Exit, Failure, Outcome};
use crate::number::{counted, grouped};
use crate::output::complain;

/// Longest business key (`FORMAT.md`, extension 2).
const KEY_BYTES_MAX: usize = 512;
/// Bad lines that are shown; the rest is only counted.
const BAD_LINES_SHOWN_MAX: usize = 100;

/// Inputs by variable.
pub(crate) type Input = BTreeMap<String, Value>;

/// Which cases to start. All inputs fit the net.
#[derive(Debug, PartialEq)]
pub(crate) enum Plan {
    /// So many cases with the same input and without a key.
    Same(u64, Input),
    /// A case each, with its key.
    Each(Vec<(String, Input)>),
}

impl Plan {
    pub(crate) fn of(input: Option<&str>, cases: Option<u64>, net: &Net) -> Outcome<Self> {
        let Some(file) = input.and_then(|input| input.strip_prefix('@')) else {
            return same(input, cases.unwrap_or(1), net);
        };
        if cases.is_some() {
            let sentence = "--cases does not go with --input @FILE, which starts a case per line; leave one away";
            return Err(Failure::new(Exit::Usage, sentence));
        }
        let text = read(file)?;
        lines(&text, net).map(Plan::Each).map_err(|bad| refuse(file, &bad))
    }

    pub(crate) fn len(&self) -> u64 {
        match self {
            Plan::Same(count, _) => *count,
            Plan::Each(lines) => lines.len() as u64,
        }
    }

    /// Key and input of each case.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Option<&str>, &Input)> {
        let (same, each) = match self {
            Plan::Same(count, input) => (Some((0..*count).map(move |_| (None, input))), None),
            Plan::Each(lines) => (None, Some(lines.iter().map(|(key, input)| (Some(key.as_str()), input)))),
        };
        same.into_iter().flatten().chain(each.into_iter().flatten())
    }
}

fn same(input: Option<&str>, cases: u64, net: &Net) -> Outcome<Plan> {
    let text = input.unwrap_or("{}");
    let object = parse(text).map_err(|error| {
        Failure::new(Exit::Usage, format!("--input: {error}; give a JSON object, or @FILE.jsonl for a case per line"))
    })?;
    if cases == 0 {
        return Ok(Plan::Same(0, Input::new()));
    }
    let input = fit(object, net).map_err(|why| {
        let advice = if input.is_some() { "--input" } else { "the net needs inputs, give them with --input" };
        Failure::new(Exit::Failure, format!("{advice}: {why}"))
    })?;
    Ok(Plan::Same(cases, input))
}

fn read(file: &str) -> Outcome<String> {
    let mut text = String::new();
    let read =
        if file == "-" { std::io::stdin().read_to_string(&mut text).map(|_| text) } else { fs::read_to_string(file) };
    read.map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => {
            Failure::new(Exit::Failure, format!("{file} is not UTF-8 text; save it as UTF-8"))
        }
        _ => Failure::file(Path::new(file), "read", &error),
    })
}

/// A bad line: its number and what is wrong.
type Bad = (usize, String);

fn lines(text: &str, net: &Net) -> Result<Vec<(String, Input)>, Vec<Bad>> {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    let mut keys: HashMap<String, usize> = HashMap::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (line, number) in text.lines().zip(1..) {
        if line.trim().is_empty() {
            continue;
        }
        match parse(line).and_then(|object| start(object, number, net)) {
            Err(why) => bad.push((number, why)),
            Ok((key, input)) => match keys.insert(key.clone(), number) {
                Some(first) => bad.push((number, format!("the key {key} is already that of line {first}"))),
                None => good.push((key, input)),
            },
        }
    }
    if bad.is_empty() { Ok(good) } else { Err(bad) }
}

fn refuse(file: &str, bad: &[Bad]) -> Failure {
    for (line, why) in bad.iter().take(BAD_LINES_SHOWN_MAX) {
        complain(&format!("{file}:{line}: {why}"));
    }
    let more = bad.len().saturating_sub(BAD_LINES_SHOWN_MAX) as u64;
    if more > 0 {
        complain(&format!("... and {} more", grouped(more)));
    }
    let lines = counted(bad.len() as u64, "line");
    Failure::new(Exit::Failure, format!("{file}: {lines} cannot start a case; mend the file, nothing was started"))
}

type Object = serde_json::Map<String, Json>;

fn parse(text: &str) -> Result<Object, String> {
    match serde_json::from_str(text) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) => Err("not a JSON object".to_owned()),
        Err(error) => {
            let why = error.to_string();
            let why = why.split(" at line ").next().unwrap_or(&why).to_owned();
            Err(format!("not JSON: {why}, at column {}", error.column()))
        }
    }
}

/// Key and input of a line. The key is an input too if the net declares one of that name.
fn start(mut object: Object, number: usize, net: &Net) -> Result<(String, Input), String> {
    let declared = net.variable("key").is_some_and(|key| net.variables[key.index()].input);
    let given = if declared { object.get("key").cloned() } else { object.remove("key") };
    let key = match given {
        None | Some(Json::Null) => number.to_string(),
        Some(Json::String(key)) => key,
        Some(Json::Number(key)) if key.is_i64() || key.is_u64() => key.to_string(),
        Some(_) => return Err("the key must be a text or an integer".to_owned()),
    };
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(format!("the key must have 1 to {KEY_BYTES_MAX} bytes"));
    }
    fit(object, net).map(|input| (key, input))
}

/// Makes JSON the net's inputs, and asks the kernel whether a case would start with them.
fn fit(object: Object, net: &Net) -> Result<Input, String> {
    let mut input = Input::new();
    for (name, json) in object {
        let value = json::from_json(&json).map_err(|error| format!("{name}: {error}"))?;
        let value = match net.variable(&name).map(|variable| net.variables[variable.index()].kind) {
            Some(kind) => kind.admit(value).map_err(|misfit| format!("{name}: {misfit}"))?,
            None => value,
        };
        input.insert(name, value);
    }
    let directory = Directory::default();
    let context = Context::new(Time(0), ActorId::ENGINE, &directory);
    let command = CaseCommand::StartCase { input };
    decide(net, &Case::unborn(CaseId(1)), &command, &context).map_err(|rejection| rejection.message)?;
    match command {
        CaseCommand::StartCase { input } => Ok(input),
        _ => Ok(Input::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NET: &str = "
actum: 1
net: tiny
data:
  amount: { type: int, input: true, required: true }
  price: { type: decimal, input: true }
start: pay
tasks:
  pay: { flow: end }
";

    fn net() -> Net {
        actum_net::compile(NET).unwrap().net
    }

    #[test]
    fn a_line_has_a_key_or_its_number() {
        let text =
            "{\"key\": \"a\", \"amount\": 1}\n\n{\"amount\": 2, \"price\": \"1.50\"}\r\n{\"key\": 7, \"amount\": 3}";
        let lines = lines(text, &net()).unwrap();
        let keys: Vec<&str> = lines.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["a", "3", "7"]);
        assert!(!lines[0].1.contains_key("key"), "the net declares no such input");
        assert_eq!(lines[1].1["price"], Value::Decimal("1.50".parse().unwrap()));
    }

    #[test]
    fn all_bad_lines_are_reported() {
        let text = "{\"amount\": 1\n[1]\n{\"amount\": \"x\"}\n{}\n{\"amount\": 1, \"other\": 2}\n\
                    {\"key\": true, \"amount\": 1}\n{\"key\": \"a\", \"amount\": 1}\n{\"key\": \"a\", \"amount\": 1}";
        let bad: Vec<String> =
            lines(text, &net()).unwrap_err().iter().map(|(line, why)| format!("{line}: {why}")).collect();
        insta::assert_snapshot!(bad.join("\n"));
    }

    #[test]
    fn the_same_input_for_each_case() {
        let plan = Plan::of(Some("{\"amount\": 5}"), Some(3), &net()).unwrap();
        assert_eq!((plan.len(), plan.iter().count()), (3, 3));
        assert!(Plan::of(None, None, &net()).is_err(), "a required input is missing");
        assert_eq!(Plan::of(None, Some(0), &net()).unwrap().len(), 0);
        assert!(Plan::of(Some("@x.jsonl"), Some(2), &net()).is_err());
    }
}
