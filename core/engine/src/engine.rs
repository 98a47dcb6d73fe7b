//! The engine's facade: what an embedder holds.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use actum_log::{EventReader, EventStore, FrameSource, Genesis, ReadError, Signer};
use actum_model::{ActorId, Case, CaseCommand, CaseId, CaseStatus, ItemId, NetHash, Seq, Value};
use actum_net::{Diagnostic, Net, Work};
use actum_projections::{CaseRow, Cases, Projection, Waits, WorkRow, Worklist};
use rustc_hash::FxHashMap;

use crate::activity::Activity;
use crate::builder::EngineBuilder;
use crate::bus::Bus;
use crate::error::{CommandError, DeployError};
use crate::handler::Registry;
use crate::history::{self, HistoryError, LoggedEvent};
use crate::keys::KeySource;
use crate::options::Limits;
use crate::request::{Ask, Request, Started};
use crate::resources::{Strategies, unknown_strategies};
use crate::saved::{self, Recovered, Saving};
use crate::shards::Shards;
use crate::subscribe::Subscription;
use crate::telemetry::Instruments;
use crate::views::Views;

/// A running engine. Clones share it.
///
/// Every method that changes something returns after what it caused is durable: it survives power loss. Dropping the last
/// clone stores what was accepted and ends the engine; [`Engine::close`] also waits for that.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) shards: Shards,
    pub(crate) activity: Activity,
    pub(crate) views: Arc<Views>,
    pub(crate) handlers: Arc<Registry>,
    /// Units of the engine's pools.
    pub(crate) pools: FxHashMap<String, u32>,
    pub(crate) strategies: Arc<Strategies>,
    pub(crate) source: Arc<dyn FrameSource>,
    /// Reads single events of `source`.
    pub(crate) events: EventReader,
    pub(crate) limits: Limits,
    pub(crate) opened: Opened,
    /// Held while a key is changed.
    pub(crate) keys: tokio::sync::Mutex<KeySource>,
    pub(crate) genesis: Genesis,
    pub(crate) threads: Mutex<Vec<JoinHandle<()>>>,
    pub(crate) saving: Saving,
    pub(crate) bus: Arc<Bus>,
    pub(crate) instruments: Option<Arc<Instruments>>,
    /// Nothing new is taken.
    pub(crate) stopping: AtomicBool,
}

/// What was found when the engine opened its log; of several partitions, the sums.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened {
    /// The log did not exist and was made.
    pub is_new: bool,
    /// Partitions of the log.
    pub partitions: u16,
    /// Blocks found and verified.
    pub blocks: u64,
    /// Events found and verified.
    pub events: u64,
    /// Blocks among them that had been stored but not acknowledged.
    pub unacknowledged_blocks: u64,
    /// Bytes of a commit that had been cut short, and were dropped.
    pub dropped_bytes: u64,
    /// Heads that had been written only in part.
    pub torn_heads: u32,
    /// Cases that are open.
    pub open_cases: usize,
    /// Handlers' calls without a result, made again.
    pub pending: usize,
    /// Key to verify the log with, as a C2SP verifier key: that of its genesis, also after rotations. Pin it. It names the first
    /// partition; the key is that of all.
    pub verifier_key: String,
    /// What was read of the log, and what saved state spared.
    pub recovered: Recovered,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("opened", &self.inner.opened).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine on a log in a directory; nothing happens before [`EngineBuilder::open`].
    pub fn at(directory: impl Into<std::path::PathBuf>) -> EngineBuilder {
        EngineBuilder::at(directory.into())
    }

    /// An engine whose log is in memory only: for tests. Nothing survives the process.
    #[must_use]
    pub fn in_memory() -> EngineBuilder {
        EngineBuilder::in_memory()
    }

    /// An engine on a store of one's own, which holds a genesis that names the signer's key.
    #[must_use]
    pub fn on_store(store: impl EventStore + 'static, signer: Arc<dyn Signer>) -> EngineBuilder {
        EngineBuilder::on_store(Box::new(store), signer)
    }

    /// An engine that who collects metrics can look at, as long as it is there.
    pub(crate) fn watched(inner: Inner) -> Self {
        let inner = Arc::new(inner);
        if let Some(instruments) = &inner.instruments {
            instruments.observe(Arc::downgrade(&inner));
        }
        Engine { inner }
    }

    /// What was found at opening.
    #[must_use]
    pub fn opened(&self) -> &Opened {
        &self.inner.opened
    }

    /// Checks a net (YAML or JSON) and makes it runnable; deploying the same net again changes nothing.
    /// Returns the net and findings that do not keep it from running.
    ///
    /// # Errors
    /// All mistakes of the net at once, or the handlers or strategies that nobody registered.
    pub async fn deploy(&self, source: &str) -> Result<(Arc<Net>, Vec<Diagnostic>), DeployError> {
        let checked = actum_net::compile(source).map_err(DeployError::Net)?;
        let net = Arc::new(checked.net);
        let unknown: Vec<String> = handlers_of(&net)
            .filter(|handler| !self.inner.handlers.contains_key(*handler))
            .map(str::to_owned)
            .collect();
        if !unknown.is_empty() {
            return Err(DeployError::UnknownHandlers(unknown));
        }
        let pools = net.policies.pools.iter().filter(|pool| pool.units.is_none()).map(|pool| pool.name.clone());
        let unknown: Vec<String> = pools.filter(|pool| !self.inner.pools.contains_key(pool)).collect();
        if !unknown.is_empty() {
            return Err(DeployError::UnknownPools(unknown));
        }
        let unknown = unknown_strategies(&net, &self.inner.strategies);
        if !unknown.is_empty() {
            return Err(DeployError::UnknownStrategies(unknown));
        }
        self.ask_for_all::<()>(Ask::Deploy { net: net.clone() }).await?;
        Ok((net, checked.warnings))
    }

    /// Starts a case of a deployed net. With a business key the same key starts one case only, ever (per net name):
    /// asking again answers that case.
    ///
    /// # Errors
    /// A rejection when the inputs do not fit the net; `Busy` when too much is open.
    pub async fn start_case(
        &self,
        net: NetHash,
        key: Option<&str>,
        input: BTreeMap<String, Value>,
    ) -> Result<Started, CommandError> {
        let (partition, key) = (self.partition_for(net, key), key.map(str::to_owned));
        self.ask(partition, Ask::StartCase { net, key, input, actor: ActorId::ENGINE }).await
    }

    /// Makes somebody known who can do work, or changes the roles of somebody known.
    ///
    /// # Errors
    /// A rejection for a name that cannot be used.
    pub async fn register(&self, name: &str, roles: &[&str]) -> Result<ActorId, CommandError> {
        let (name, roles) = (name.to_owned(), roles.iter().map(|role| (*role).to_owned()).collect());
        self.ask_for_all(Ask::Register { name, roles }).await
    }

    /// Work that somebody may take now, oldest case first, at most [`Limits::worklist_rows_max`] rows.
    #[must_use]
    pub fn offered_to(&self, actor: ActorId) -> Vec<WorkRow> {
        let views = &self.inner.views;
        let (directory, worklist) = (views.directory(), views.worklist());
        let mut rows = Vec::new();
        for net in views.nets() {
            for (index, role) in net.roles.iter().enumerate() {
                if directory.has_role(actor, &role.name) {
                    let role = actum_model::RoleIx::of(index);
                    let apart = |one, other| actum_kernel::kept_apart(&net, one, other);
                    let limit = self.inner.limits.worklist_rows_max;
                    rows.extend(worklist.offered_to(actor, net.hash, role, apart, limit));
                }
            }
        }
        let apart = |net, one, other| views.net(net).is_some_and(|net| actum_kernel::kept_apart(&net, one, other));
        rows.extend(worklist.offered_by_name(actor, apart, self.inner.limits.worklist_rows_max));
        rows.sort_by_key(|row| (row.case, row.item));
        rows.truncate(self.inner.limits.worklist_rows_max);
        rows
    }

    /// Work that somebody has taken or begun.
    #[must_use]
    pub fn held_by(&self, actor: ActorId) -> Vec<WorkRow> {
        self.inner.views.worklist().held(actor, self.inner.limits.worklist_rows_max)
    }

    /// Offers an item to some people of those who may do it; with nobody named, to all of them. Where the system allocates,
    /// one of them gets it.
    ///
    /// # Errors
    /// A rejection when one of them may not do the work.
    pub async fn offer(&self, case: CaseId, item: ItemId, to: &[ActorId]) -> Result<(), CommandError> {
        self.command(case, ActorId::ENGINE, CaseCommand::OfferWork { item, to: to.to_vec() }).await
    }

    /// Makes an offered item the actor's own.
    ///
    /// # Errors
    /// A rejection when it is not offered to the actor, or not any more.
    pub async fn take(&self, case: CaseId, item: ItemId, actor: ActorId) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::TakeWork { item }).await
    }

    /// Begins an item that the actor has.
    ///
    /// # Errors
    /// A rejection when it is not the actor's, or others' work took its tokens.
    pub async fn start(&self, case: CaseId, item: ItemId, actor: ActorId) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::StartWork { item }).await
    }

    /// Ends an item that the actor began, with its result: a map of the form's fields.
    ///
    /// # Errors
    /// A rejection when the result does not fit the task; the case is as it was.
    pub async fn complete(
        &self,
        case: CaseId,
        item: ItemId,
        actor: ActorId,
        result: Value,
    ) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::CompleteWork { item, result }).await
    }

    /// Ends an item that the actor began, without success.
    ///
    /// # Errors
    /// A rejection when it is not the actor's.
    pub async fn fail(
        &self,
        case: CaseId,
        item: ItemId,
        actor: ActorId,
        code: &str,
        message: &str,
    ) -> Result<(), CommandError> {
        let (code, message) = (code.to_owned(), message.to_owned());
        self.command(case, actor, CaseCommand::FailWork { item, code, message }).await
    }

    /// Tries a failed item again.
    ///
    /// # Errors
    /// A rejection when it has not failed.
    pub async fn retry(&self, case: CaseId, item: ItemId, actor: ActorId) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::RetryWork { item }).await
    }

    /// Stops a case.
    ///
    /// # Errors
    /// A rejection when it has ended.
    pub async fn cancel_case(&self, case: CaseId, actor: ActorId, reason: &str) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::CancelCase { reason: reason.to_owned() }).await
    }

    /// The state of an open case; `None` for one that ended or never was (see [`Engine::row`]).
    ///
    /// # Errors
    /// When the engine was closed or stopped.
    pub async fn case(&self, case: CaseId) -> Result<Option<Case>, CommandError> {
        Ok(self.ask_of::<Option<Box<Case>>>(case, Ask::Look { case }).await?.map(|case| *case))
    }

    /// How a case stands, open or ended.
    #[must_use]
    pub fn row(&self, case: CaseId) -> Option<CaseRow> {
        self.inner.views.cases().get(case)
    }

    /// Returns how a case stands once it has ended or can do nothing more; at once when that is so already.
    /// `None` when there is no such case, or the engine ends before it.
    pub async fn ended(&self, case: CaseId) -> Option<CaseRow> {
        if let Some(end) = self.inner.views.wait_for_end(case) {
            end.await.ok()?;
        }
        self.row(case).filter(|row| row.status != CaseStatus::Open)
    }

    /// All cases.
    #[must_use]
    pub fn cases(&self) -> Arc<Cases> {
        self.inner.views.cases()
    }

    /// All work for people.
    #[must_use]
    pub fn worklist(&self) -> Arc<Worklist> {
        self.inner.views.worklist()
    }

    /// All work that waits for a signal, a time, or for somebody to say who is asked to do it.
    #[must_use]
    pub fn waits(&self) -> Arc<Waits> {
        self.inner.views.waits()
    }

    /// A projection by its type: one of those above, or one that [`EngineBuilder::projection`] was given. `None` if there is none.
    /// It is the one that runs now: after [`Engine::rebuild`] another does.
    #[must_use]
    pub fn projection<P: Projection>(&self) -> Option<Arc<P>> {
        self.inner.views.projections().get()
    }

    /// Whether a handler of this name is registered. Items of a net that was deployed with one wait until it is again.
    #[must_use]
    pub fn has_handler(&self, name: &str) -> bool {
        self.inner.handlers.contains_key(name)
    }

    /// Who has a role, by ordinal.
    #[must_use]
    pub fn actors_with_role(&self, role: &str) -> Vec<ActorId> {
        self.inner.views.directory().with_role(role).into_iter().flat_map(actum_model::ActorSet::iter).collect()
    }

    /// A deployed net.
    #[must_use]
    pub fn net(&self, hash: NetHash) -> Option<Arc<Net>> {
        self.inner.views.net(hash)
    }

    /// The name of an actor.
    #[must_use]
    pub fn name_of(&self, actor: ActorId) -> String {
        self.inner.views.directory().name(actor).to_owned()
    }

    /// Somebody registered: ordinal and roles.
    #[must_use]
    pub fn actor(&self, name: &str) -> Option<(ActorId, Vec<String>)> {
        let directory = self.inner.views.directory();
        let id = directory.id_of(name)?;
        directory.actor(id).map(|actor| (id, actor.roles.clone()))
    }

    /// The newest block of the only partition that survives power loss, with its seal; `None` before the first.
    ///
    /// # Errors
    /// When the store cannot be read, or has several partitions ([`Engine::head_of`]).
    pub fn head(&self) -> Result<Option<actum_log::Head>, actum_log::ReadError> {
        match self.partitions() {
            1 => self.head_of(0),
            several => Err(ReadError::Unavailable(format!("the log has {several} partitions, each with its own head"))),
        }
    }

    /// The newest block of a partition that survives power loss, with its seal; `None` before the first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn head_of(&self, partition: u16) -> Result<Option<actum_log::Head>, actum_log::ReadError> {
        self.inner.source.head(partition)
    }

    /// All events of a case, oldest first, read from the log. Blocking: some tens of microseconds per event that is not in the cache.
    ///
    /// # Errors
    /// When there is no such case, or the log cannot be read.
    pub fn history(&self, case: CaseId) -> Result<Vec<LoggedEvent>, HistoryError> {
        let row = self.row(case).ok_or(HistoryError::NotFound(case))?;
        history::of_case(&self.inner.events, self.partition_of(case), case, row.last_seq)
    }

    /// All events of the log from `from` on (0 for all), those of the system among them: first what is there, then what becomes
    /// durable. Payloads decode by `actum_model::payload::decode`. A log of several partitions has no one order:
    /// its subscription is answered by an error, see [`Engine::subscribe_to`].
    #[must_use]
    pub fn subscribe(&self, from: Seq) -> Subscription {
        let subscription = Subscription::new(self.inner.source.clone(), &self.inner.shards, 0, from);
        subscription.of_all(self.partitions())
    }

    /// All events of one partition from `from` on, as [`Engine::subscribe`] gives those of the only one. Copies of what partition 0
    /// decided for all are among them: their `remote_cause` names the original. `None` if there is no such partition.
    #[must_use]
    pub fn subscribe_to(&self, partition: u16, from: Seq) -> Option<Subscription> {
        (partition < self.partitions())
            .then(|| Subscription::new(self.inner.source.clone(), &self.inner.shards, partition, from))
    }

    /// Returns when nothing is going on any more: every request is answered, every handler is done. Cases may still wait
    /// for people.
    pub async fn settled(&self) {
        self.inner.activity.settled().await;
    }

    /// Stops taking requests, stores what was accepted, and lets go of the log. Results of handlers that are still
    /// running are lost; they are called again at the next opening.
    ///
    /// # Errors
    /// When a thread of the engine had ended badly.
    pub async fn close(self) -> Result<(), CommandError> {
        saved::at_close(&self.inner).await;
        let (inner, handlers) = (self.inner.clone(), self.inner.handlers.clone());
        drop(self);
        let ended = tokio::task::spawn_blocking(move || {
            // A full queue is drained by the partition's thread: waiting is right here. If the thread has ended, all is stored.
            for shard in inner.shards.iter() {
                shard.requests.send(Request { ask: Ask::Close, reply: None, ongoing: inner.activity.begin() }).ok();
            }
            // Held while joining, so that whoever closes another clone waits too.
            let mut threads = inner.threads.lock().unwrap_or_else(PoisonError::into_inner);
            let ended: Vec<_> = threads.drain(..).map(JoinHandle::join).collect();
            ended.into_iter().try_for_each(|thread| thread.map_err(|_| CommandError::Closed))
        })
        .await
        .unwrap_or(Err(CommandError::Closed));
        for (name, handler) in &*handlers {
            handler.clean_up(name).await;
        }
        ended
    }

    pub(crate) async fn command(&self, case: CaseId, actor: ActorId, command: CaseCommand) -> Result<(), CommandError> {
        self.ask_of(case, Ask::Command { case, actor, command }).await
    }
}

fn handlers_of(net: &Net) -> impl Iterator<Item = &str> {
    let mut names: Vec<&str> = net
        .tasks
        .iter()
        .filter_map(|task| match &task.work {
            Work::Automatic { handler, .. } => Some(handler.as_str()),
            _ => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter()
}
