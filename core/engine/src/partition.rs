//! A partition: the sans-IO machine that answers requests by staging events. One thread drives it.

use std::sync::Arc;

use actum_kernel::{Cause, Context, Decided, Effect, OrJoins, decide, effects, pending_effects};
use actum_log::limits::{BUSINESS_KEY_BYTES_MAX, PAYLOAD_BYTES_MAX};
use actum_log::{Draft, ExtensionFields, Extensions, PushError, Pushed, Stage};
use actum_model::{
    ActorId, Case, CaseCommand, CaseEvent, CaseId, CaseStatus, Event, ItemId, Meta, Rejection, Seq, SystemEvent, Time,
    payload::{self, Encoded},
};
use actum_net::Net;

use crate::activity::Ongoing;
use crate::dispatch::fail;
use crate::error::{CommandError, WriteError};
use crate::options::Limits;
use crate::passive::Past;
use crate::policy::{Schedule, handler_of};
use crate::request::{Answer, Ask, Invocation, Outcome, Release, Request, Started, Update};
use crate::shards::{Share, is_limited};
use crate::state::State;
use crate::telemetry::trace_of;
use crate::timers::{Timer, Timers};
use crate::upkeep::upkeep;
use crate::views::waits;

/// The streams of the system (FORMAT.md section 2).
pub(crate) mod stream {
    pub(crate) const SYSTEM: u64 = 1 << 63;
    pub(crate) const ENGINE: u64 = SYSTEM + 1;
    pub(crate) const NETS: u64 = SYSTEM + 3;
    pub(crate) const DIRECTORY: u64 = SYSTEM + 4;
    pub(crate) const SCHEMAS: u64 = SYSTEM + 6;
    pub(crate) const MESSAGES: u64 = SYSTEM + 8;
}

/// Bytes that a record takes beside its payload, at most: header and the extensions used here.
const RECORD_OVERHEAD_BYTES: usize = 64 + 8;

/// Staged events, and what may leave once they are durable.
pub(crate) struct Partition {
    pub(crate) state: State,
    pub(crate) stage: Stage,
    pub(crate) release: Release,
    pub(crate) timers: Timers,
    /// Of the next random choice; moved on by each decision.
    pub(crate) seed: u64,
    /// What was found out about OR-joins.
    or_joins: OrJoins,
    /// Which call goes out when.
    pub(crate) schedule: Schedule,
    /// From where cases that rest come back; without it, none rests.
    pub(crate) past: Option<Past>,
    /// What was read cannot be: nothing may be decided any more.
    pub(crate) damaged: Option<WriteError>,
    pub(crate) limits: Limits,
    /// Of the room that all partitions have together, if there are others.
    pub(crate) share: Option<Share>,
}

/// The open block has no room for all events of a command: close it and ask again.
pub(crate) struct NoRoom(pub(crate) Box<Request>);

impl Partition {
    pub(crate) fn new(mut state: State, stage: Stage, limits: Limits) -> Self {
        state.cases.keep_resident(limits.cases_resident_max);
        Partition {
            state,
            stage,
            release: Release::default(),
            timers: Timers::default(),
            seed: 0,
            or_joins: OrJoins::default(),
            schedule: Schedule::default(),
            past: None,
            damaged: None,
            limits,
            share: None,
        }
    }

    /// Answers a request: stages events, and adds the answer to what is released with them.
    pub(crate) fn handle(&mut self, request: Request, now: Time) -> Result<(), NoRoom> {
        // A block has room for any one command when it is empty; `Refused::NoRoom` on an empty block cannot be.
        let outcome = match self.act(&request.ask, now, &request.ongoing) {
            Ok(outcome) => Ok(outcome),
            Err(Refused::NoRoom) => return Err(NoRoom(Box::new(request))),
            Err(Refused::Error(error)) => Err(error),
        };
        self.release.answers.push((Answer { reply: request.reply, outcome }, request.ongoing));
        self.let_rest();
        Ok(())
    }

    fn act(&mut self, ask: &Ask, now: Time, ongoing: &Ongoing) -> Result<Outcome, Refused> {
        Ok(match ask {
            Ask::StartCase { net, key, input, actor } => {
                self.start_case(*net, key.as_deref(), input, *actor, now, ongoing)?.into()
            }
            Ask::Command { case, actor, command } => self.command(*case, *actor, command, now, ongoing)?.into(),
            Ask::Result { case, attempt, command } => self.result(*case, *attempt, command, now, ongoing)?.into(),
            Ask::Deploy { net } => self.deploy(net, now)?.into(),
            Ask::Register { name, roles } => self.register(name, roles, now)?.into(),
            Ask::Saved { event } => self.stage_system(stream::ENGINE, event.clone(), now)?.into(),
            Ask::Upkeep { task } => upkeep(&mut self.stage, task, now)?.into(),
            Ask::Organise { organisation } => self.organise(organisation, now)?.into(),
            Ask::ChangeOrganisation { change } => self.change_organisation(change.clone(), now)?.into(),
            Ask::Look { case } => {
                self.bring_back(*case)?;
                self.state.cases.get(*case).cloned().map(Box::new).into()
            }
            Ask::Timers { limit } => self.timers.upcoming(*limit, &self.state.cases).into(),
            Ask::Message { message, actor } => self.publish(message, *actor, now)?.into(),
            Ask::Calls { case } => self.calls(*case).into(),
            Ask::Breakers => self.state.breakers.all().into(),
            Ask::Told(told) => self.hear(told, now)?.into(),
            Ask::Close => ().into(),
        })
    }

    fn start_case(
        &mut self,
        net: actum_model::NetHash,
        key: Option<&str>,
        input: &std::collections::BTreeMap<String, actum_model::Value>,
        actor: ActorId,
        now: Time,
        ongoing: &Ongoing,
    ) -> Result<Started, Refused> {
        let Some(net) = self.state.nets.get(&net).cloned() else {
            return Err(Rejection::new("net/not-found", format!("there is no net {net}")).into());
        };
        let command = CaseCommand::StartCase { input: input.clone() };
        self.begin_case(&net, key, &command, actor, now, ongoing)
    }

    /// Starts a case, unless its key has started one already.
    pub(crate) fn begin_case(
        &mut self,
        net: &Arc<Net>,
        key: Option<&str>,
        command: &CaseCommand,
        actor: ActorId,
        now: Time,
        ongoing: &Ongoing,
    ) -> Result<Started, Refused> {
        if let Some(case) = key.and_then(|key| self.state.case_of_key(net, key)) {
            return Ok(Started { case, is_new: false });
        }
        if key.is_some_and(|key| key.is_empty() || key.len() > BUSINESS_KEY_BYTES_MAX) {
            let message = format!("a business key has 1 to {BUSINESS_KEY_BYTES_MAX} bytes");
            return Err(Rejection::new("case/key", message).into());
        }
        if !self.has_room() {
            return Err(CommandError::Busy { retry_after_ms: self.limits.busy_retry_ms }.into());
        }
        let case = Case::unborn(self.state.next_case());
        let seed = self.next_seed();
        self.state.resources.refresh(net, &self.state.directory);
        let decided = decide(net, &case, command, &self.context(now, seed, actor)).map_err(CommandError::from)?;
        self.stage_decision(case.id, net, key, decided, now, ongoing)?;
        Ok(Started { case: case.id, is_new: true })
    }

    /// Whether one more case may be begun.
    fn has_room(&mut self) -> bool {
        let Self { share, state, limits, .. } = self;
        match share {
            None => state.open_cases() < limits.cases_open_max && state.cases.len() < limits.cases_kept_max,
            Some(share) => share.take(state, limits),
        }
    }

    pub(crate) fn command(
        &mut self,
        id: CaseId,
        actor: ActorId,
        command: &CaseCommand,
        now: Time,
        ongoing: &Ongoing,
    ) -> Result<(), Refused> {
        let seed = self.next_seed();
        self.bring_back(id)?;
        let Some(case) = self.state.cases.get(id) else {
            return Err(if self.state.was_started(id) {
                Rejection::new("case/ended", format!("case {id} has ended"))
            } else {
                Rejection::new("case/not-found", format!("there is no case {id}"))
            }
            .into());
        };
        let Some(net) = self.state.nets.get(&case.net).cloned() else {
            return Err(Rejection::new("net/not-found", format!("there is no net {}", case.net)).into());
        };
        self.state.resources.refresh(&net, &self.state.directory);
        let decided = decide(&net, case, command, &self.context(now, seed, actor)).map_err(CommandError::from)?;
        self.stage_pile(id, actor, command, now)?;
        self.stage_decision(id, &net, None, decided, now, ongoing)
    }

    fn context(&self, now: Time, seed: u64, actor: ActorId) -> Context<'_> {
        Context {
            seed,
            resources: Some(&self.state.resources),
            or_joins: Some(&self.or_joins),
            ..Context::new(now, actor, &self.state.directory)
        }
    }

    /// Seeds differ, so that not every lot is the same; the kernel spreads them.
    fn next_seed(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(1);
        self.seed
    }

    /// A handler's result. One that the net refuses fails the item; one that comes too late is of no use to anybody.
    fn result(
        &mut self,
        id: CaseId,
        attempt: u32,
        command: &CaseCommand,
        now: Time,
        ongoing: &Ongoing,
    ) -> Result<(), Refused> {
        let (CaseCommand::CompleteWork { item, .. } | CaseCommand::FailWork { item, .. }) = command else {
            return Ok(());
        };
        self.bring_back(id)?;
        let known = self.state.cases.get(id).and_then(|case| case.control.item(*item));
        if known.is_none_or(|known| known.attempt != attempt) {
            tracing::debug!(case = id.0, item = item.0, attempt, "a result came too late");
            return Ok(());
        }
        // Its place is free only once the outcome is taken in: what is refused for want of room comes again.
        let limited = self.call_of(id, *item, attempt);
        let emitted = match command {
            CaseCommand::CompleteWork { item, result } if self.emits(id, *item) => {
                Some(self.emit(id, *item, result, now)?)
            }
            _ => None,
        };
        let command = emitted.as_ref().unwrap_or(command);
        let code = match command {
            CaseCommand::FailWork { code, .. } => Some(code.clone()),
            _ => None,
        };
        self.take_result(id, command, now, ongoing)?;
        if let Some((net, task)) = limited {
            self.after_call(&net, task, code.as_deref(), now, ongoing);
        }
        Ok(())
    }

    /// An item's handler gives back a message to be sent.
    fn emits(&self, id: CaseId, item: ItemId) -> bool {
        let Some(case) = self.state.cases.get(id) else { return false };
        let task = case.control.item(item).map(|item| item.task);
        let net = self.state.nets.get(&case.net);
        let handler = net.zip(task).and_then(|(net, task)| handler_of(net, task));
        handler.and_then(|name| self.schedule.handlers.get(name)).is_some_and(|handler| handler.emits)
    }

    fn take_result(&mut self, id: CaseId, command: &CaseCommand, now: Time, ongoing: &Ongoing) -> Result<(), Refused> {
        let refused = match (self.command(id, ActorId::ENGINE, command, now, ongoing), command) {
            (Err(Refused::Error(CommandError::Rejected(refused))), CaseCommand::CompleteWork { item, .. }) => {
                fail(*item, refused.code.to_owned(), refused.message)
            }
            (other, _) => return other,
        };
        self.command(id, ActorId::ENGINE, &refused, now, ongoing)
    }

    fn deploy(&mut self, net: &Arc<Net>, now: Time) -> Result<(), Refused> {
        if self.state.nets.contains_key(&net.hash) {
            return Ok(());
        }
        self.check_limits_of(net)?;
        let event =
            SystemEvent::NetDeployed { net: net.hash, name: net.name.clone(), canonical: net.canonical.clone() };
        self.stage_system(stream::NETS, event, now)?;
        self.state.add_net(net.clone(), now);
        self.release.updates.push(Update::Net(net.clone()));
        Ok(())
    }

    /// Where there are other partitions, a name's nets either all limit their calls or none does: it decides where its business keys
    /// start cases, and that must never change.
    fn check_limits_of(&self, net: &Net) -> Result<(), Rejection> {
        let before = self.state.newest.get(&net.name).and_then(|hash| self.state.nets.get(hash));
        if self.state.seat.is_shared() && before.is_some_and(|before| is_limited(before) != is_limited(net)) {
            let message = "in a log of several partitions, a net cannot begin or cease to limit its calls";
            return Err(Rejection::new("net/limits", message));
        }
        Ok(())
    }

    fn register(&mut self, name: &str, roles: &[String], now: Time) -> Result<ActorId, Refused> {
        if name.is_empty() || name.len() > self.limits.name_bytes_max || name == actum_model::Directory::ENGINE_NAME {
            let message = format!("a name has 1 to {} bytes and is not `engine`", self.limits.name_bytes_max);
            return Err(Rejection::new("directory/name", message).into());
        }
        let mut roles = roles.to_vec();
        roles.sort_unstable();
        roles.dedup();
        let directory = &self.state.directory;
        let (actor, event) = match directory.id_of(name) {
            Some(actor) if directory.actor(actor).is_some_and(|known| known.roles == roles) => return Ok(actor),
            Some(actor) => (actor, SystemEvent::ActorRolesChanged { actor, roles }),
            None => {
                let actor = directory.next_id();
                (actor, SystemEvent::ActorRegistered { actor, name: name.to_owned(), roles })
            }
        };
        self.stage_system(stream::DIRECTORY, event, now)?;
        Ok(actor)
    }

    /// Stages one event about the system and takes it in.
    pub(crate) fn stage_system(&mut self, stream: u64, event: SystemEvent, now: Time) -> Result<(), Refused> {
        self.stage_durable(stream, event, ActorId::ENGINE, now).map(drop)
    }

    /// The same, of somebody; answers its position.
    pub(crate) fn stage_durable(
        &mut self,
        stream: u64,
        event: SystemEvent,
        actor: ActorId,
        now: Time,
    ) -> Result<Seq, Refused> {
        let event = Event::System(event);
        let encoded = payload::encode(&event);
        if encoded.bytes.len() > PAYLOAD_BYTES_MAX {
            return Err(too_large(PushError::PayloadTooLong(encoded.bytes.len())));
        }
        let pushed = self.push(&Draft { actor: actor.0, ..draft(stream, &encoded, now) })?;
        let seq = Seq(pushed.seq);
        let Event::System(event) = event else { return Ok(seq) };
        if !matches!(event, SystemEvent::NetDeployed { .. }) {
            self.state.take_in(seq, &event);
        }
        let time = Time(pushed.time);
        let meta = Meta { seq, version: pushed.version, time, actor, cause: None };
        self.release.updates.push(Update::System { stream, kind: encoded.kind, meta, event });
        Ok(seq)
    }

    /// Stages one event, if there is room for it.
    pub(crate) fn push(&mut self, draft: &Draft<'_>) -> Result<Pushed, Refused> {
        let bytes = RECORD_OVERHEAD_BYTES + draft.extensions.bytes().len() + draft.payload.len();
        if !self.stage.has_room(1, bytes) {
            return Err(Refused::NoRoom);
        }
        self.stage.push(draft).map_err(too_large)
    }

    /// Stages all events of a decision into one block, so that none is ever durable without the others.
    fn stage_decision(
        &mut self,
        id: CaseId,
        net: &Arc<Net>,
        key: Option<&str>,
        decided: Vec<Decided>,
        now: Time,
        ongoing: &Ongoing,
    ) -> Result<(), Refused> {
        let trace = ongoing.trace().map(|context| trace_of(context));
        let fields = ExtensionFields { business_key: key, trace, ..ExtensionFields::default() };
        let of_first = fields.encode().map_err(internal)?;
        let of_first = of_first.as_ref();
        let encoded = self.encode(&decided)?;
        let bytes: usize = encoded.iter().map(|one| one.bytes.len() + RECORD_OVERHEAD_BYTES).sum();
        if !self.stage.has_room(encoded.len(), bytes + of_first.bytes().len()) {
            return if self.stage.open_events() == 0 {
                Err(Rejection::new("command/too-large", "the command has more effects than fit one block").into())
            } else {
                Err(Refused::NoRoom)
            };
        }
        let mut seqs: Vec<u64> = Vec::with_capacity(decided.len());
        for (index, (Decided { actor, cause, event }, encoded)) in decided.into_iter().zip(&encoded).enumerate() {
            let cause = match cause {
                Cause::Request => None,
                Cause::Logged(seq) => Some(seq.0),
                Cause::Staged(index) => Some(seqs[index]),
            };
            let extensions = if index == 0 { of_first } else { Extensions::EMPTY };
            let draft =
                Draft { actor: actor.0, cause, terminal: event.is_terminal(), extensions, ..draft(id.0, encoded, now) };
            let pushed = self.stage.push(&draft).map_err(too_large)?;
            seqs.push(pushed.seq);
            let meta = Meta {
                seq: Seq(pushed.seq),
                version: pushed.version,
                time: Time(pushed.time),
                actor,
                cause: cause.map(Seq),
            };
            self.take_in(id, net, key.filter(|_| index == 0), encoded.kind, (meta, event), ongoing);
        }
        Ok(())
    }

    fn encode(&self, decided: &[Decided]) -> Result<Vec<Encoded>, Refused> {
        let mut encoded = Vec::with_capacity(decided.len());
        for one in decided {
            let bytes = payload::encode_case(&one.event);
            if bytes.bytes.len() > self.limits.payload_bytes_max {
                let message = format!(
                    "the data of one event would take {} bytes; at most {} are allowed",
                    bytes.bytes.len(),
                    self.limits.payload_bytes_max
                );
                return Err(Rejection::new("command/too-large", message).into());
            }
            encoded.push(bytes);
        }
        Ok(encoded)
    }

    fn take_in(
        &mut self,
        id: CaseId,
        net: &Arc<Net>,
        key: Option<&str>,
        kind: u16,
        (meta, event): (Meta, CaseEvent),
        ongoing: &Ongoing,
    ) {
        let item = event.work().map(|(item, _)| item);
        let before = self.timers.before(self.state.cases.get(id), item);
        self.state.apply_case(id, key, &meta, &event);
        self.forget_call(id, &event);
        if let Some(before) = before {
            self.timers.cancel_lost(id, &before, &self.state.cases);
        }
        if matches!(event, CaseEvent::CaseResumed | CaseEvent::WorkResumed { .. }) {
            self.timers.set_all(id, &self.state.cases);
        }
        match self.state.cases.get(id).and_then(|case| effects(net, case, &event)) {
            // Staged events are decided on like durable ones, so a timer need not wait.
            Some(Effect::SetTimer { case, item, at }) => {
                self.timers.set(Timer { at, case, item });
            }
            Some(Effect::SetCaseTimer { case, at }) => self.timers.set(Timer { at, case, item: Timer::OF_CASE }),
            Some(effect) => {
                let invocation = Invocation { net: net.clone(), effect, ongoing: ongoing.beget(), signal: None };
                self.give_out(invocation, meta.time);
            }
            None => {}
        }
        let (waits, key) = (waits(net, &event), key.map(Into::into));
        self.release.updates.push(Update::Case { case: id, net: net.hash, key, waits, kind, meta, event });
    }

    /// What to ask the world again after a restart, as it was asked before: `at` gives a case as it was after an event, so
    /// that what has changed since does not change what is asked for under the same attempt.
    pub(crate) fn pending<E>(
        &self,
        ongoing: &Ongoing,
        at: impl Fn(&Case, Seq) -> Result<Case, E>,
    ) -> Result<Vec<Invocation>, E> {
        let mut open: Vec<&Case> =
            self.state.cases.residents().filter(|case| case.control.status == CaseStatus::Open).collect();
        open.sort_by_key(|case| case.id);
        let mut invocations = Vec::new();
        for case in open {
            let Some(net) = self.state.nets.get(&case.net) else { continue };
            for effect in pending_effects(net, case) {
                let Effect::Invoke { item, .. } = &effect else { continue };
                let asked = case.control.item(*item).map_or(case.last_seq, |item| item.event);
                let effect = if asked < case.last_seq {
                    let then = at(case, asked)?;
                    let same = |of: &Effect| matches!(of, Effect::Invoke { item: other, .. } if other == item);
                    pending_effects(net, &then).find(same)
                } else {
                    Some(effect)
                };
                let invocation =
                    |effect| Invocation { net: net.clone(), effect, ongoing: ongoing.beget(), signal: None };
                invocations.extend(effect.map(invocation));
            }
        }
        Ok(invocations)
    }
}

fn draft(stream: u64, encoded: &Encoded, now: Time) -> Draft<'_> {
    Draft {
        stream,
        kind: encoded.kind,
        schema: encoded.schema,
        terminal: false,
        actor: ActorId::ENGINE.0,
        cause: None,
        time: now.0,
        extensions: Extensions::EMPTY,
        payload: &encoded.bytes,
    }
}

/// Why nothing was staged.
pub(crate) enum Refused {
    NoRoom,
    Error(CommandError),
}

impl From<CommandError> for Refused {
    fn from(error: CommandError) -> Self {
        Refused::Error(error)
    }
}

impl From<Rejection> for Refused {
    fn from(rejection: Rejection) -> Self {
        Refused::Error(rejection.into())
    }
}

fn too_large(error: PushError) -> Refused {
    match error {
        PushError::BlockFull => Refused::NoRoom,
        other => Rejection::new("command/too-large", other.to_string()).into(),
    }
}

pub(crate) fn internal(error: impl std::fmt::Display) -> Refused {
    Rejection::new("command/invalid", error.to_string()).into()
}
