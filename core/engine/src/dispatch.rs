//! Calls handlers and brings their results back as commands.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use actum_kernel::Effect;
use actum_model::{CaseCommand, CaseId, ItemId, Value};
use actum_net::Work;
use crossbeam_channel::Sender;
use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::activity::Ongoing;
use crate::handler::{CANCEL_GRACE, Call, HandlerError, Registered, Registry};
use crate::policy::Signal;
use crate::request::{Ask, Invocation, Request};
use crate::telemetry::{CallSpan, Instruments};

/// Longest code and message of a failure that go into the log; what is longer is cut, so that a failure always fits.
const CODE_BYTES_MAX: usize = 200;
const MESSAGE_BYTES_MAX: usize = 2_048;

/// Which call a result is of.
#[derive(Clone, Copy)]
struct CallId {
    case: CaseId,
    item: ItemId,
    attempt: u32,
}

pub(crate) struct Dispatcher {
    pub(crate) runtime: Handle,
    pub(crate) handlers: Arc<Registry>,
    pub(crate) running: Arc<Semaphore>,
    pub(crate) results: Sender<Request>,
    /// Where calls are told of, if anybody is interested.
    pub(crate) instruments: Option<Arc<Instruments>>,
}

impl Dispatcher {
    pub(crate) fn dispatch(&self, invocations: Vec<Invocation>) {
        for Invocation { net, effect, ongoing, signal } in invocations {
            let Effect::Invoke { case, item, task, attempt, input } = effect else { continue };
            let definition = &net.tasks[task.index()];
            let of = CallId { case, item, attempt };
            let Work::Automatic { handler, .. } = &definition.work else { continue };
            let input = match input {
                Ok(input) => input,
                Err(error) => {
                    let error = HandlerError::new("work/input", format!("its parameters cannot be computed: {error}"));
                    finish(&self.results, of, Err(error), ongoing);
                    continue;
                }
            };
            // An unknown handler is refused at deployment; after a restart without it, its items wait for one with it.
            let name = handler;
            let Some(handler) = self.handlers.get(name).cloned() else {
                tracing::warn!(case = case.0, handler = name, "no handler of this name is registered; the item waits");
                continue;
            };
            let task = definition.name.as_str().into();
            let call = Call { case, item, attempt, task, input, signal: signal.clone() };
            let (running, results) = (self.running.clone(), self.results.clone());
            let telling = self.instruments.clone().map(|instruments| (instruments, name.to_owned(), net.clone()));
            self.runtime.spawn(async move {
                // The semaphore is never closed.
                let _permit = running.acquire_owned().await;
                let span = telling.map(|(instruments, handler, net)| {
                    CallSpan::begin(&instruments, (&handler, &net.name), &call, ongoing.trace().map(|trace| &**trace))
                });
                let outcome = traced(handler, call, span);
                match signal {
                    None => finish(&results, of, outcome.await, ongoing),
                    Some(signal) => cancellable(&results, of, outcome, &signal, ongoing).await,
                }
            });
        }
    }
}

/// A call that ends when nobody waits for it any more. Then it goes on for a while, alone, and its result is dropped.
async fn cancellable(
    results: &Sender<Request>,
    of: CallId,
    outcome: impl Future<Output = Result<Value, HandlerError>>,
    signal: &Signal,
    ongoing: Ongoing,
) {
    if signal.is_cancelled() {
        return;
    }
    let mut outcome = std::pin::pin!(outcome);
    tokio::select! {
        biased;
        outcome = &mut outcome => finish(results, of, outcome, ongoing),
        () = signal.cancelled() => {
            drop(ongoing);
            tokio::time::timeout(CANCEL_GRACE, outcome).await.ok();
        }
    }
}

/// A call, in the context of its span if it has one.
async fn traced(handler: Arc<Registered>, call: Call, span: Option<CallSpan>) -> Result<Value, HandlerError> {
    let Some(span) = span else { return guarded(handler, call).await };
    let outcome = opentelemetry::context::FutureExt::with_context(guarded(handler, call), span.context()).await;
    span.end(outcome.as_ref().err().map(|error| error.code.as_str()));
    outcome
}

async fn guarded(handler: Arc<Registered>, call: Call) -> Result<Value, HandlerError> {
    let called = async move {
        handler.set_up().await?;
        handler.handler.handle(call).await
    };
    match AssertUnwindSafe(called).catch_unwind().await {
        Ok(outcome) => outcome,
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            Err(HandlerError::new("handler/panicked", format!("the handler panicked: {text}")))
        }
    }
}

fn finish(results: &Sender<Request>, of: CallId, outcome: Result<Value, HandlerError>, ongoing: Ongoing) {
    let CallId { case, item, attempt } = of;
    let command = match outcome {
        Ok(result) => CaseCommand::CompleteWork { item, result },
        Err(HandlerError { code, message }) => fail(item, code, message),
    };
    // After the engine closed, the result is lost; the item is asked for again at the next opening.
    results.send(Request { ask: Ask::Result { case, attempt, command }, reply: None, ongoing }).ok();
}

/// The command that fails an item.
pub(crate) fn fail(item: ItemId, mut code: String, mut message: String) -> CaseCommand {
    code.truncate(code.floor_char_boundary(CODE_BYTES_MAX));
    message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
    CaseCommand::FailWork { item, code, message }
}
