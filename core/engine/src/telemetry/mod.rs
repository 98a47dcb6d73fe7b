//! What an engine tells OpenTelemetry: metrics of all cases together, spans of each command and each call.
//!
//! Names follow the general rules of the semantic conventions (namespaced, lower case, durations in seconds, `error.type`); what is
//! the engine's own is under `actum.`. No metric has a case, an item or a person as attribute, so their number is bounded by
//! what is deployed; spans do have the case.

mod metrics;
mod spans;

use std::sync::{Arc, Weak};

use opentelemetry::global::{BoxedTracer, ObjectSafeTracer};
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::trace::{Tracer, TracerProvider};
use opentelemetry::{InstrumentationScope, global};

pub(crate) use metrics::Metrics;
#[cfg(feature = "http")]
pub(crate) use spans::traceparent;
pub(crate) use spans::{CallSpan, CommandSpan, trace_of};

use crate::engine::Inner;

/// Where an engine's spans and metrics go; see [`EngineBuilder::telemetry`](crate::EngineBuilder::telemetry).
///
/// Metrics (histograms are in seconds):
///
/// | name | unit | attributes |
/// |---|---|---|
/// | `actum.case.active` | `{case}` | |
/// | `actum.case.duration` | `s` | `actum.net.name`, `actum.case.status` |
/// | `actum.command.duration` | `s` | `actum.command.name`, `error.type` |
/// | `actum.command.queued` | `{command}` | |
/// | `actum.event.count` | `{event}` | `actum.event.name`, `actum.net.name` |
/// | `actum.handler.active_calls` | `{call}` | `actum.handler.name` |
/// | `actum.handler.duration` | `s` | `actum.handler.name`, `actum.net.name`, `actum.task.name`, `error.type` |
/// | `actum.log.commit.duration` | `s` | |
///
/// Retries, dead letters, openings of breakers, late timers and whatever else happens are counted by `actum.event.count`, each under its
/// event's name. A commit's duration is the time from closing a block until it is durable.
///
/// A command's span is a child of the context in force where the method is called; its trace and span id go into the extension of
/// the first event that it causes, and all calls of handlers that follow from it, and run in the context of a span of theirs,
/// are its children; the handler `http` passes it on as `traceparent`. After a restart calls have no parent.
pub struct Telemetry {
    meter: Meter,
    tracer: BoxedTracer,
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}

impl Telemetry {
    /// To the process's global providers, as they are now.
    #[must_use]
    pub fn global() -> Self {
        Telemetry { meter: global::meter_with_scope(scope()), tracer: global::tracer_with_scope(scope()) }
    }

    /// To providers of one's own.
    #[must_use]
    pub fn new<T>(meters: &impl MeterProvider, tracers: &T) -> Self
    where
        T: TracerProvider,
        T::Tracer: Send + Sync + 'static,
        <T::Tracer as Tracer>::Span: Send + Sync + 'static,
    {
        let tracer: Box<dyn ObjectSafeTracer + Send + Sync> = Box::new(tracers.tracer_with_scope(scope()));
        Telemetry { meter: meters.meter_with_scope(scope()), tracer: BoxedTracer::new(tracer) }
    }
}

/// Who says it.
fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("actum").with_version(env!("CARGO_PKG_VERSION")).build()
}

/// What a running engine tells with.
pub(crate) struct Instruments {
    pub(crate) metrics: Metrics,
    pub(crate) tracer: BoxedTracer,
}

impl Instruments {
    pub(crate) fn new(telemetry: Telemetry) -> Arc<Self> {
        Arc::new(Instruments { metrics: Metrics::new(telemetry.meter), tracer: telemetry.tracer })
    }

    /// Has what can be looked up told whenever metrics are collected, as long as the engine is there.
    pub(crate) fn observe(&self, engine: Weak<Inner>) {
        self.metrics.observe(engine);
    }
}
