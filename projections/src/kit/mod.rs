//! For those who develop projections: snapshot tests against recorded histories (feature `snapshots`).
//!
//! [`assert_projection!`](crate::assert_projection) folds a [`History`] and compares what the projection then [shows](Shown) with a
//! snapshot that `cargo insta review` keeps. Before that it checks what every projection promises: the same history gives the same
//! bytes, also when it is saved and restored on the way, and, for one that goes by stream, in another order of streams.
//!
//! ```
//! use actum_model::{CaseEvent, CaseId, NetHash};
//! use actum_projections::kit::{Given, shown};
//! use actum_projections::{Cases, Until};
//!
//! let net = NetHash([7; 32]);
//! let started = CaseEvent::CaseStarted { net, semantics: 1, changes: vec![], produced: vec![] };
//! let history = Given::new(net).case(CaseId(900), "order-1", [started, CaseEvent::CaseCompleted]).history();
//!
//! // `assert_projection!(history, Cases)` compares this text with the kept one.
//! let text = shown::<Cases>(&history, Until::End).expect("it keeps its promises");
//! assert!(text.contains("case-1") && text.contains("Completed"), "{text}");
//! ```

mod given;
mod jsonl;
mod promises;
mod redact;
mod shown;

pub use given::Given;
pub use jsonl::{JsonlError, from_jsonl, to_jsonl};
pub use promises::{Broken, promises};
pub use redact::redact;
pub use shown::Shown;

use std::sync::Arc;

use crate::{Factory, History, Projection, Until};

/// What a projection shows after a history, with ids, times and hashes by stable names; and checks its promises on the way.
///
/// # Errors
/// A promise does not hold.
pub fn shown<P: Projection + Shown + Default>(history: &History, until: impl Into<Until>) -> Result<String, Broken> {
    shown_by(history, until, P::default, |projection: &P| format!("{:#?}", projection.shown()))
}

/// As [`shown`](shown()), of a projection made by `make`, as `show` puts it.
///
/// # Errors
/// As there.
pub fn shown_by<P: Projection>(
    history: &History,
    until: impl Into<Until>,
    make: impl Fn() -> P + Send + Sync + Clone + 'static,
    show: impl Fn(&P) -> String,
) -> Result<String, Broken> {
    let history = history.until(until);
    promises(&history, &Factory::new(make.clone()))?;
    let projection = Arc::new(make());
    history.feed(&*projection);
    Ok(redact(&show(&projection)))
}

/// Folds a history into a projection, checks the projection's promises, and compares what it shows with the snapshot of this test
/// (through the caller's `insta`). `at` is where to stop: a `Seq`, a `Time`, or an `Until`; all of it without.
/// `show` says what to compare, for a projection that is not `Shown`.
///
/// ```ignore
/// assert_projection!(history, Worklist);
/// assert_projection!(history, Worklist, at = Seq(12));
/// assert_projection!(history, Audit, at = Seq(12), show = |audit: &Audit| audit.ask(&question));
/// ```
#[macro_export]
macro_rules! assert_projection {
    ($history:expr, $projection:ty $(,)?) => {
        $crate::assert_projection!($history, $projection, at = $crate::Until::End)
    };
    ($history:expr, $projection:ty, at = $at:expr $(,)?) => {
        match $crate::kit::shown::<$projection>(&$history, $at) {
            Ok(text) => ::insta::assert_snapshot!(text),
            Err(broken) => ::std::panic!("{broken}"),
        }
    };
    ($history:expr, $projection:ty, at = $at:expr, show = $show:expr $(,)?) => {{
        let show = $show;
        let text = |projection: &$projection| ::std::format!("{:#?}", show(projection));
        match $crate::kit::shown_by(&$history, $at, <$projection>::default, text) {
            Ok(text) => ::insta::assert_snapshot!(text),
            Err(broken) => ::std::panic!("{broken}"),
        }
    }};
}
