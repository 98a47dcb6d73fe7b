//! What policies did.

use actum_model::{BreakerEvent, CaseEvent, Event, ItemId, SystemEvent, TaskIx, Time};

pub(super) fn samples() -> Vec<Event> {
    let (item, task) = (ItemId(7), TaskIx(3));
    let at = Time(1_795_000_000_000_000_000);
    let text = |text: &str| text.to_owned();
    let of_case = [
        CaseEvent::WorkRetryScheduled { item, task, attempt: 2, at, seed: 0xfeed_beef_dead_cafe },
        CaseEvent::WorkDeadLettered { item, task, attempts: 5, reason: text("attempts") },
        CaseEvent::WorkShed { item, task, policy: text("breaker"), message: text("keeps failing"), until: Some(at) },
        CaseEvent::WorkShed { item, task, policy: text("queue"), message: text("too many wait"), until: None },
    ];
    let of_breakers = [
        BreakerEvent::Opened { handler: text("bank"), failures: 5, until: at },
        BreakerEvent::HalfOpened { handler: text("bank") },
        BreakerEvent::Closed { handler: text("bank") },
    ];
    let of_breakers = of_breakers.map(|event| Event::from(SystemEvent::Breaker(event)));
    of_case.map(Event::from).into_iter().chain(of_breakers).collect()
}
