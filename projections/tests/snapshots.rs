//! What our projections answer after a small history, with the kit that others use for theirs.

mod office;

use actum_model::{NetHash, Seq};
use actum_projections::kit::from_jsonl;
use actum_projections::{
    Audit, AuditQuestion, Cases, DeadLetters, Knowledge, Loads, PendingTimers, Statistics, Until, Waits, Worklist,
    assert_projection,
};

#[test]
fn cases() {
    assert_projection!(office::office(), Cases);
}

#[test]
fn cases_at_the_beginning() {
    assert_projection!(office::office(), Cases, at = Seq(4));
}

#[test]
fn worklist() {
    assert_projection!(office::office(), Worklist);
}

#[test]
fn waits() {
    assert_projection!(office::office(), Waits);
}

#[test]
fn dead_letters() {
    assert_projection!(office::office(), DeadLetters);
}

#[test]
fn timers() {
    assert_projection!(office::office(), PendingTimers);
}

#[test]
fn load() {
    assert_projection!(office::office(), Loads);
}

#[test]
fn audit() {
    assert_projection!(office::office(), Audit);
}

#[test]
fn audit_of_one_actor() {
    let question = AuditQuestion { actor: Some(office::ANA), ..AuditQuestion::default() };
    assert_projection!(
        office::office(),
        Audit,
        at = Until::End,
        show = |audit: &Audit| {
            audit.ask(&question).into_iter().map(|row| (row.seq, row.kind, row.case())).collect::<Vec<_>>()
        }
    );
}

#[test]
fn statistics() {
    assert_projection!(office::office(), Statistics);
}

#[test]
fn knowledge() {
    assert_projection!(office::office(), Knowledge);
}

/// A history from a file, as `to_jsonl` wrote it.
#[test]
fn a_recorded_history() {
    let history = from_jsonl(include_str!("office/office.jsonl")).expect("the file is a history");
    assert!(history.events().iter().any(|event| event.net != NetHash::default()));
    assert_projection!(history, Worklist);
}
