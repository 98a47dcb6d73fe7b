//! What an engine tells OpenTelemetry.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use actum::{CaseStatus, Engine, HandlerError, Telemetry, Value};
use opentelemetry::trace::{Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};

const NET: &str =
    "actum: 1\nnet: two\nstart: a\ntasks:\n  a: { handler: good, flow: b }\n  b: { handler: bad, flow: end }\n";

struct Providers {
    meters: SdkMeterProvider,
    metrics: InMemoryMetricExporter,
    tracers: SdkTracerProvider,
    spans: InMemorySpanExporter,
}

impl Providers {
    fn new() -> Self {
        let (metrics, spans) = (InMemoryMetricExporter::default(), InMemorySpanExporter::default());
        Providers {
            meters: SdkMeterProvider::builder().with_reader(PeriodicReader::builder(metrics.clone()).build()).build(),
            tracers: SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build(),
            metrics,
            spans,
        }
    }

    async fn engine(&self) -> Engine {
        Engine::in_memory()
            .handler_fn("good", |_| Ok(Value::Map(BTreeMap::new())))
            .handler_fn("bad", |_| Err(HandlerError::new("bank/closed", "it is Sunday")))
            .telemetry(Telemetry::new(&self.meters, &self.tracers))
            .open()
            .await
            .unwrap()
    }

    /// Collects now.
    fn metrics(&self) -> Vec<Shown> {
        self.metrics.reset();
        self.meters.force_flush().unwrap();
        self.metrics.get_finished_metrics().unwrap().iter().flat_map(shown).collect()
    }
}

/// A metric's point: name, unit, attributes, and its count or value.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    name: String,
    unit: String,
    labels: BTreeMap<String, String>,
    number: i64,
}

fn labels<'a>(attributes: impl Iterator<Item = &'a KeyValue>) -> BTreeMap<String, String> {
    attributes.map(|label| (label.key.to_string(), label.value.to_string())).collect()
}

fn shown(metrics: &ResourceMetrics) -> Vec<Shown> {
    let mut all = Vec::new();
    for metric in metrics.scope_metrics().flat_map(opentelemetry_sdk::metrics::data::ScopeMetrics::metrics) {
        let mut add = |labels, number| {
            all.push(Shown { name: metric.name().to_owned(), unit: metric.unit().to_owned(), labels, number });
        };
        match metric.data() {
            AggregatedMetrics::F64(MetricData::Histogram(histogram)) => histogram
                .data_points()
                .for_each(|point| add(labels(point.attributes()), i64::try_from(point.count()).unwrap())),
            AggregatedMetrics::U64(MetricData::Sum(sum)) => sum
                .data_points()
                .for_each(|point| add(labels(point.attributes()), i64::try_from(point.value()).unwrap())),
            AggregatedMetrics::I64(MetricData::Sum(sum)) => {
                sum.data_points().for_each(|point| add(labels(point.attributes()), point.value()));
            }
            other => panic!("nothing tells {other:?}"),
        }
    }
    all
}

fn number(all: &[Shown], name: &str, wanted: &[(&str, &str)]) -> i64 {
    let wanted: BTreeMap<_, _> = wanted.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let found: Vec<_> = all.iter().filter(|shown| shown.name == name && shown.labels == wanted).collect();
    assert_eq!(found.len(), 1, "{name} {wanted:?} in {all:#?}");
    found[0].number
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_what_happened_in_seconds_and_without_cases() {
    let providers = Providers::new();
    let engine = providers.engine().await;
    let net = engine.deploy(NET).await.unwrap().0.hash;
    let mut cases = Vec::new();
    for _ in 0..3 {
        cases.push(engine.start_case(net, None, BTreeMap::new()).await.unwrap().case);
    }
    engine.settled().await;
    engine.cancel_case(cases[0], actum::ActorId::ENGINE, "no more").await.unwrap();
    engine.cancel_case(cases[0], actum::ActorId::ENGINE, "twice").await.unwrap_err();

    let all = providers.metrics();
    let of_net = ("actum.net.name", "two");
    let count = |name| number(&all, "actum.event.count", &[("actum.event.name", name), of_net]);
    assert_eq!((count("CaseStarted"), count("WorkCompleted"), count("WorkFailed")), (3, 3, 3));
    assert_eq!(number(&all, "actum.event.count", &[("actum.event.name", "NetDeployed")]), 1);
    assert_eq!(number(&all, "actum.case.active", &[]), 2);
    assert_eq!(number(&all, "actum.case.duration", &[("actum.case.status", "cancelled"), of_net]), 1);
    assert_eq!(number(&all, "actum.command.queued", &[]), 0);
    let start = |name| number(&all, "actum.command.duration", &[("actum.command.name", name)]);
    assert_eq!((start("start_case"), start("cancel_case")), (3, 1));
    let refused = [("actum.command.name", "cancel_case"), ("error.type", "case/ended")];
    assert_eq!(number(&all, "actum.command.duration", &refused), 1);
    let call = |handler, task| [("actum.handler.name", handler), of_net, ("actum.task.name", task)];
    assert_eq!(number(&all, "actum.handler.duration", &call("good", "a")), 3);
    let [handler, _, task] = call("bad", "b");
    assert_eq!(number(&all, "actum.handler.duration", &[handler, of_net, task, ("error.type", "bank/closed")]), 3);
    assert_eq!(number(&all, "actum.handler.active_calls", &[("actum.handler.name", "good")]), 0);
    assert!(number(&all, "actum.log.commit.duration", &[]) > 0);

    let units: BTreeSet<_> =
        all.iter().filter(|shown| shown.name.ends_with("duration")).map(|shown| &*shown.unit).collect();
    assert_eq!(units, BTreeSet::from(["s"]));
    let keys: BTreeSet<_> = all.iter().flat_map(|shown| shown.labels.keys().map(String::as_str)).collect();
    let known = [
        "actum.case.status",
        "actum.command.name",
        "actum.event.name",
        "actum.handler.name",
        "actum.net.name",
        "actum.task.name",
        "error.type",
    ];
    assert_eq!(keys, BTreeSet::from(known), "no case, no item, no person");

    engine.close().await.unwrap();
    let after = providers.metrics();
    assert!(!after.iter().any(|shown| shown.name == "actum.case.active"), "the engine is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn services_are_told_of_the_trace() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
        String::from_utf8(request).unwrap()
    });
    let providers = Providers::new();
    let engine = Engine::in_memory()
        .handler("http", actum::Http::any())
        .telemetry(Telemetry::new(&providers.meters, &providers.tracers))
        .open()
        .await
        .unwrap();
    let source = format!(
        "actum: 1\nnet: ask\nstart: a\ntasks:\n  a: {{ handler: http, params: {{ url: 'http://127.0.0.1:{port}/' }}, flow: end }}\n"
    );
    let net = engine.deploy(&source).await.unwrap().0.hash;
    let case = engine.start_case(net, None, BTreeMap::new()).await.unwrap().case;
    engine.settled().await;
    assert_eq!(engine.row(case).unwrap().status, CaseStatus::Completed);
    let spans = providers.spans.get_finished_spans().unwrap();
    let call = spans.iter().find(|span| span.name == "handle a").unwrap();
    let (trace, span) = (call.span_context.trace_id(), call.span_context.span_id());
    let request = heard.join().unwrap();
    assert!(request.contains(&format!("traceparent: 00-{trace}-{span}-01\r\n")), "{request}");
    engine.close().await.unwrap();
}

fn label(span: &SpanData, key: &str) -> Option<String> {
    span.attributes.iter().find(|label| label.key.as_str() == key).map(|label| label.value.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_hang_together_and_their_ids_are_in_the_log() {
    let providers = Providers::new();
    let engine = providers.engine().await;
    let net = engine.deploy(NET).await.unwrap().0.hash;

    let tracer = providers.tracers.tracer("caller");
    let caller = Context::new().with_span(tracer.start("caller"));
    let of_caller = caller.span().span_context().clone();
    let start = engine.start_case(net, None, BTreeMap::new());
    let case = opentelemetry::context::FutureExt::with_context(start, caller).await.unwrap().case;
    engine.settled().await;
    assert_eq!(engine.row(case).unwrap().status, CaseStatus::Open);

    let spans = providers.spans.get_finished_spans().unwrap();
    let named =
        |name: &str| spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name}: {spans:#?}"));
    let start = named("start_case");
    assert_eq!(start.parent_span_id, of_caller.span_id());
    for (name, task, status) in [("handle a", "a", Status::Unset), ("handle b", "b", Status::error("bank/closed"))] {
        let call = named(name);
        assert_eq!(call.span_context.trace_id(), of_caller.trace_id());
        assert_eq!(call.parent_span_id, start.span_context.span_id());
        assert_eq!(label(call, "actum.case.id"), Some(case.0.to_string()));
        assert_eq!(label(call, "actum.task.name").as_deref(), Some(task));
        assert_eq!(call.status, status);
    }
    let logged = engine.history(case).unwrap();
    let trace = logged[0].trace.expect("the first event of a traced command says so");
    assert_eq!(trace.trace_id, of_caller.trace_id().to_bytes());
    assert_eq!(trace.span_id, start.span_context.span_id().to_bytes());
    engine.close().await.unwrap();
}
