//! Spans: one for each command and each call.

use std::sync::Arc;
use std::time::Instant;

use actum_log::Trace;
use opentelemetry::global::BoxedSpan;
use opentelemetry::trace::{Span, SpanContext, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};

use super::Instruments;
use super::metrics::CallLabels;
use crate::error::CommandError;
use crate::handler::Call;

/// A command that waits for its answer.
pub(crate) struct CommandSpan {
    instruments: Arc<Instruments>,
    name: &'static str,
    span: BoxedSpan,
    begun: Instant,
}

impl CommandSpan {
    /// A child of the context in force.
    pub(crate) fn begin(instruments: &Arc<Instruments>, name: &'static str, case: Option<u64>) -> Self {
        let builder = instruments.tracer.span_builder(name).with_kind(SpanKind::Internal);
        let case = case.map(|case| KeyValue::new("actum.case.id", signed(case)));
        let span = builder.with_attributes(case).start(&instruments.tracer);
        CommandSpan { instruments: instruments.clone(), name, span, begun: Instant::now() }
    }

    /// What follows from the command is part of this.
    pub(crate) fn context(&self) -> Option<Arc<SpanContext>> {
        let context = self.span.span_context();
        context.is_valid().then(|| Arc::new(context.clone()))
    }

    pub(crate) fn end(mut self, error: Option<&CommandError>) {
        let code = error.map(code_of);
        if let (Some(code), Some(error)) = (code, error) {
            self.span.set_attribute(KeyValue::new("error.type", code));
            self.span.set_status(Status::error(error.to_string()));
        }
        self.span.end();
        self.instruments.metrics.command(self.name, self.begun.elapsed(), code);
    }
}

fn code_of(error: &CommandError) -> &'static str {
    match error {
        CommandError::Rejected(rejection) => rejection.code,
        CommandError::Busy { .. } => "engine/busy",
        CommandError::Unreadable(_) => "engine/unreadable",
        CommandError::Stopped(_) => "engine/stopped",
        CommandError::Stopping => "engine/stopping",
        CommandError::Closed => "engine/closed",
    }
}

/// What an event says of the command that caused it.
pub(crate) fn trace_of(context: &SpanContext) -> Trace {
    Trace { trace_id: context.trace_id().to_bytes(), span_id: context.span_id().to_bytes() }
}

/// The context in force, as services are told of it (W3C Trace Context, version 00); `None` when nothing is traced.
#[cfg(feature = "http")]
pub(crate) fn traceparent() -> Option<String> {
    let context = Context::current();
    let span = context.span();
    let context = span.span_context();
    let flags = context.trace_flags().to_u8();
    context.is_valid().then(|| format!("00-{}-{}-{flags:02x}", context.trace_id(), context.span_id()))
}

/// A call of a handler that is under way. Dropped without an end, it was given up.
pub(crate) struct CallSpan {
    instruments: Arc<Instruments>,
    handler: String,
    net: String,
    task: Arc<str>,
    context: Context,
    begun: Instant,
    ended: bool,
}

impl CallSpan {
    /// A child of the command that led to it, if that is known.
    pub(crate) fn begin(
        instruments: &Arc<Instruments>,
        (handler, net): (&str, &str),
        call: &Call,
        parent: Option<&SpanContext>,
    ) -> Self {
        let parent = parent.map_or_else(Context::new, |parent| Context::new().with_remote_span_context(parent.clone()));
        let span = instruments
            .tracer
            .span_builder(format!("handle {}", call.task))
            .with_kind(SpanKind::Internal)
            .with_attributes([
                KeyValue::new("actum.handler.name", handler.to_owned()),
                KeyValue::new("actum.net.name", net.to_owned()),
                KeyValue::new("actum.task.name", call.task.to_string()),
                KeyValue::new("actum.case.id", signed(call.case.0)),
                KeyValue::new("actum.work_item.id", i64::from(call.item.0)),
                KeyValue::new("actum.work_item.attempt", i64::from(call.attempt)),
            ])
            .start_with_context(&instruments.tracer, &parent);
        instruments.metrics.call_begins(handler);
        CallSpan {
            instruments: instruments.clone(),
            handler: handler.to_owned(),
            net: net.to_owned(),
            task: call.task.clone(),
            context: parent.with_span(span),
            begun: Instant::now(),
            ended: false,
        }
    }

    /// In which the handler runs.
    pub(crate) fn context(&self) -> Context {
        self.context.clone()
    }

    /// The call came to its end; `error` is the code of its failure.
    pub(crate) fn end(mut self, error: Option<&str>) {
        self.finish(error);
    }

    fn finish(&mut self, error: Option<&str>) {
        self.ended = true;
        let span = self.context.span();
        if let Some(code) = error {
            span.set_attribute(KeyValue::new("error.type", code.to_owned()));
            span.set_status(Status::error(code.to_owned()));
        }
        span.end();
        let of = CallLabels { handler: &self.handler, net: &self.net, task: &self.task };
        self.instruments.metrics.call_ends(&of, self.begun.elapsed(), error);
    }
}

impl Drop for CallSpan {
    fn drop(&mut self) {
        if !self.ended {
            self.finish(Some("cancelled"));
        }
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
