//! A small log, written through kernel and store as the engine writes it, and read back.

mod support;

use actum_model::{Seq, Time};
use actum_replay::{At, CaseRef, Kind, ReplayError, events, state_at, to_json};
use serde_json::Value as Json;
use support::{Written, written};

fn lines(log: &Written) -> Result<Vec<Json>, ReplayError> {
    let mut events = events(&*log.source)?;
    let mut lines = Vec::new();
    while let Some(event) = events.next() {
        lines.push(to_json(&event?, events.names()));
    }
    Ok(lines)
}

fn show(log: &Written, case: &str, at: Option<At>) -> Result<actum_replay::CaseView, ReplayError> {
    let Ok(case) = case.parse::<CaseRef>();
    state_at(&mut events(&*log.source)?, &case, at)
}

#[test]
fn every_event_is_a_line_of_json() {
    let text: Vec<String> = lines(&written()).unwrap().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn folding_the_lines_gives_the_same_variables() {
    let log = written();
    let mut variables = serde_json::Map::new();
    for line in lines(&log).unwrap().iter().filter(|line| line["case"] == 1) {
        variables.extend(line["variables"].as_object().cloned().unwrap_or_default());
    }
    assert_eq!(Json::Object(variables), show(&log, "1", None).unwrap().to_json()["variables"]);
}

#[test]
fn a_state_is_shown_as_it_was() {
    let log = written();
    let waiting = show(&log, "ORD-1", Some(At::Version(3))).unwrap();
    insta::assert_snapshot!("waiting", waiting.to_string());
    insta::assert_snapshot!("completed", show(&log, "1", None).unwrap().to_string());
    insta::assert_snapshot!("completed_json", format!("{:#}", show(&log, "1", None).unwrap().to_json()));
}

#[test]
fn position_version_and_time_name_the_same_state() {
    let log = written();
    let last = show(&log, "1", None).unwrap().case;
    let mut before = 0;
    for version in 1..=last.version {
        let case = show(&log, "1", Some(At::Version(version))).unwrap().case;
        assert_eq!(case.version, version);
        assert!(case.last_seq.0 > before, "positions ascend");
        before = case.last_seq.0;
        assert_eq!(show(&log, "1", Some(At::Seq(case.last_seq))).unwrap().case, case);
    }
    assert_eq!(show(&log, "1", Some(At::Time(last.changed))).unwrap().case, last);
}

#[test]
fn what_is_not_there_is_said() {
    let log = written();
    let why = |case, at| {
        let error = show(&log, case, at).unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
        error.to_string()
    };
    let answers = [
        why("9", None),
        why("ORD-9", None),
        why("1", Some(At::Seq(Seq(0)))),
        why("1", Some(At::Seq(Seq(1_000)))),
        why("1", Some(At::Version(99))),
        why("1", Some(At::Time(Time(5)))),
    ];
    insta::assert_snapshot!(answers.join("\n"));
}

#[test]
fn points_are_written_in_three_ways() {
    let at = |text: &str| text.parse::<At>();
    assert_eq!(at("120"), Ok(At::Seq(Seq(120))));
    assert_eq!(at("@v3"), Ok(At::Version(3)));
    assert_eq!(at("1970-01-01T00:00:01Z"), Ok(At::Time(Time(1_000_000_000))));
    assert_eq!(at("1970-01-01T01:00:01+01:00"), Ok(At::Time(Time(1_000_000_000))));
    for bad in ["", "@v0", "@3", "-1", "yesterday", "2026-01-05"] {
        assert!(at(bad).is_err(), "{bad}");
    }
}

#[test]
fn an_unknown_payload_type_is_an_error() {
    let log = support::with_unknown_payload();
    let error = lines(&log).unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(
        (error.to_string().as_str(), source.as_str()),
        ("event 1 does not decode", "unknown payload type: kind 999, schema 1",)
    );
}
