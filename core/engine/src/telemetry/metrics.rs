//! Metrics, and what they are told of.

use std::sync::Weak;
use std::time::Duration;

use actum_model::payload::PAYLOAD_TYPES;
use actum_model::{CaseEvent, CaseId, CaseStatus, NetHash, Time};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};
use rustc_hash::FxHashMap;

use crate::engine::Inner;
use crate::request::Update;
use crate::views::Views;

/// Bounds of short durations: what the semantic conventions advise for requests, and a few below, since a call in process takes
/// microseconds.
const SHORT_SECONDS: [f64; 17] =
    [0.000_01, 0.000_1, 0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// Bounds of cases, which take from milliseconds to months.
const LONG_SECONDS: [f64; 12] =
    [0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3_600.0, 21_600.0, 86_400.0, 604_800.0, 2_592_000.0, 7_776_000.0];

/// What a call is about.
pub(crate) struct CallLabels<'a> {
    pub(crate) handler: &'a str,
    pub(crate) net: &'a str,
    pub(crate) task: &'a str,
}

/// The instruments.
pub(crate) struct Metrics {
    meter: Meter,
    events: Counter<u64>,
    case_duration: Histogram<f64>,
    command_duration: Histogram<f64>,
    call_duration: Histogram<f64>,
    calls: UpDownCounter<i64>,
    commit_duration: Histogram<f64>,
}

impl Metrics {
    pub(crate) fn new(meter: Meter) -> Self {
        let seconds = |name: &'static str, description: &'static str, bounds: &[f64]| {
            let histogram = meter.f64_histogram(name).with_unit("s").with_description(description);
            histogram.with_boundaries(bounds.to_vec()).build()
        };
        Metrics {
            events: meter
                .u64_counter("actum.event.count")
                .with_unit("{event}")
                .with_description("Events that became durable.")
                .build(),
            case_duration: seconds("actum.case.duration", "From a case's start to its end.", &LONG_SECONDS),
            command_duration: seconds(
                "actum.command.duration",
                "From a command to its answer, which is durable.",
                &SHORT_SECONDS,
            ),
            call_duration: seconds("actum.handler.duration", "Of a handler's call.", &SHORT_SECONDS),
            calls: meter
                .i64_up_down_counter("actum.handler.active_calls")
                .with_unit("{call}")
                .with_description("Calls of handlers that are under way.")
                .build(),
            commit_duration: seconds(
                "actum.log.commit.duration",
                "From closing a block until it is durable.",
                &SHORT_SECONDS,
            ),
            meter,
        }
    }

    /// Has the numbers of open cases and of waiting commands told whenever metrics are collected.
    pub(super) fn observe(&self, engine: Weak<Inner>) {
        let waiting = engine.clone();
        self.meter
            .i64_observable_up_down_counter("actum.case.active")
            .with_unit("{case}")
            .with_description("Cases that are open.")
            .with_callback(move |observer| {
                if let Some(engine) = engine.upgrade() {
                    observer.observe(signed(engine.views.cases().count(CaseStatus::Open)), &[]);
                }
            })
            .build();
        self.meter
            .i64_observable_up_down_counter("actum.command.queued")
            .with_unit("{command}")
            .with_description("Commands that wait to be decided on.")
            .with_callback(move |observer| {
                if let Some(engine) = waiting.upgrade() {
                    observer.observe(signed(engine.shards.iter().map(|shard| shard.requests.len()).sum()), &[]);
                }
            })
            .build();
    }

    /// Events became durable, and `views` know them.
    pub(crate) fn events(&self, updates: &[Update], views: &Views) {
        // Blocks have many events of few kinds.
        let mut counts: FxHashMap<(Option<NetHash>, u16), u64> = FxHashMap::default();
        for update in updates {
            match update {
                Update::Case { case, net, kind, meta, event, .. } => {
                    *counts.entry((Some(*net), *kind)).or_default() += 1;
                    if event.is_terminal() {
                        self.case_ended(*case, *net, event, meta.time, views);
                    }
                }
                Update::System { kind, .. } => *counts.entry((None, *kind)).or_default() += 1,
                Update::Net(_) => {}
            }
        }
        for ((net, kind), count) in counts {
            let name = PAYLOAD_TYPES.iter().find(|known| known.kind == kind).map_or("", |known| known.name);
            let name = KeyValue::new("actum.event.name", name);
            match net.and_then(|net| views.net(net)) {
                Some(net) => self.events.add(count, &[name, KeyValue::new("actum.net.name", net.name.clone())]),
                None => self.events.add(count, &[name]),
            }
        }
    }

    fn case_ended(&self, case: CaseId, net: NetHash, event: &CaseEvent, at: Time, views: &Views) {
        let (Some(row), Some(net)) = (views.cases().get(case), views.net(net)) else { return };
        let status = match event {
            CaseEvent::CaseCompleted => "completed",
            CaseEvent::CaseCancelled { .. } => "cancelled",
            CaseEvent::CaseFailed { .. } => "failed",
            _ => "ended",
        };
        let seconds = Duration::from_nanos(at.0.saturating_sub(row.started.0)).as_secs_f64();
        let labels = [KeyValue::new("actum.net.name", net.name.clone()), KeyValue::new("actum.case.status", status)];
        self.case_duration.record(seconds, &labels);
    }

    /// A command was answered.
    pub(super) fn command(&self, name: &'static str, took: Duration, error: Option<&'static str>) {
        let name = KeyValue::new("actum.command.name", name);
        match error {
            None => self.command_duration.record(took.as_secs_f64(), &[name]),
            Some(code) => {
                self.command_duration.record(took.as_secs_f64(), &[name, KeyValue::new("error.type", code)]);
            }
        }
    }

    /// A call begins.
    pub(super) fn call_begins(&self, handler: &str) {
        self.calls.add(1, &[KeyValue::new("actum.handler.name", handler.to_owned())]);
    }

    /// A call is over; `outcome` is `None` when it was given up.
    pub(super) fn call_ends(&self, of: &CallLabels<'_>, took: Duration, error: Option<&str>) {
        self.calls.add(-1, &[KeyValue::new("actum.handler.name", of.handler.to_owned())]);
        let mut labels = vec![
            KeyValue::new("actum.handler.name", of.handler.to_owned()),
            KeyValue::new("actum.net.name", of.net.to_owned()),
            KeyValue::new("actum.task.name", of.task.to_owned()),
        ];
        labels.extend(error.map(|code| KeyValue::new("error.type", code.to_owned())));
        self.call_duration.record(took.as_secs_f64(), &labels);
    }

    /// A block is durable.
    pub(crate) fn commit(&self, took: Duration) {
        self.commit_duration.record(took.as_secs_f64(), &[]);
    }
}

fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
