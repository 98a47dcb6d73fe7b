//! A log is a history that projections are tested against.

mod past;

use actum_projections::{Cases, Projection, Until};

#[test]
fn a_log_is_folded_as_its_history() {
    let (source, cases, _) = past::many(5, 60, 3);
    let history = actum_replay::history(&*source).expect("the log can be read");
    let folded = Cases::default();
    history.feed(&folded);
    for (seq, case) in cases {
        let row = folded.get(case.id).expect("the case was started");
        let then = Cases::default();
        history.until(seq).feed(&then);
        let status = |cases: &Cases| cases.get(case.id).map(|row| (row.status, row.version));
        assert_eq!(status(&then), Some((case.control.status, case.version)), "at {seq}");
        assert!(row.version >= case.version && row.net == case.net);
    }
    assert_eq!(history.until(Until::End), history);
    assert!(folded.watermark().seq().is_some());
}
