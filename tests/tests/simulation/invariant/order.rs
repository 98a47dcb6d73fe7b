//! `order`: time, versions and causes go forwards, and nothing follows an end.

use actum_kernel::fits;

use super::{Happened, Held, Invariant, hold, is_over, of_case};

const NAME: &str = "order";

#[derive(Default)]
pub(super) struct Order {
    last_time: u64,
}

impl Invariant for Order {
    fn take(&mut self, happened: &Happened<'_>) -> Held {
        let meta = happened.meta;
        hold(NAME, meta.time.0 >= self.last_time, || format!("event {} is earlier than the one before", meta.seq))?;
        self.last_time = meta.time.0;
        hold(NAME, meta.cause.is_none_or(|cause| cause < meta.seq), || {
            format!("event {} has a later cause", meta.seq)
        })?;
        let Some((id, case, net, event)) = of_case(happened) else { return Ok(()) };
        hold(NAME, !is_over(case), || format!("case {id} goes on after its end: {event:?}"))?;
        hold(NAME, meta.version == case.version + 1, || format!("version {} of case {id}", meta.version))?;
        hold(NAME, fits(net, event), || format!("the net of case {id} has nothing of {event:?}"))
    }
}
