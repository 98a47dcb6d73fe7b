//! Opening: the log is verified and folded, then the engine goes on where it ended.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use actum_fjall::FjallStore;
use actum_log::{
    Author, ChangeKeyError, Clocks, EventReader, EventStore, FileSigner, Folded, FrameSource, Genesis, Head, Keys,
    MemoryStore, Opening, ReadError, Sealer, Signer, Stage, key_digest,
};
use actum_model::{ActorId, SavedEvent, Seq, SystemEvent, Time, payload};
use actum_projections::Watermark;
use crossbeam_channel::{bounded, unbounded};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

use crate::activity::Activity;
use crate::activity::Ongoing;
use crate::builder::{EngineBuilder, Place, Reading, Restored};
use crate::bus::Bus;
use crate::clock::Clock;
use crate::dispatch::Dispatcher;
use crate::engine::{Engine, Inner, Opened};
use crate::error::{OpenError, WriteError, chain};
use crate::handler::Registry;
use crate::history::case_at;
use crate::key_files::{KeyFiles, NextSigner};
use crate::keys::{self, KeySource};
use crate::machine::{Machine, Writer};
use crate::partition::{Partition, Refused, stream};
use crate::passive::Past;
use crate::resources::Strategies;
use crate::saved::{self, How, Keeper, Recovered, Saving, Shelf, Stands};
use crate::shards::{PARTITIONS_MAX, Room, Seat, Shard, Shards, Share, Teller, backlog};
use crate::telemetry::Instruments;
use crate::threads;
use crate::views::Views;

/// A store with the keys that sign for it.
struct Ready {
    store: Box<dyn EventStore>,
    keys: KeySource,
    is_new: bool,
    found: actum_fjall::Found,
}

impl Ready {
    fn new(store: Box<dyn EventStore>, keys: KeySource, is_new: bool) -> Self {
        Ready { store, keys, is_new, found: actum_fjall::Found::default() }
    }
}

/// An engine that nothing drives yet.
pub(crate) struct Prepared {
    pub(crate) engine: Engine,
    /// Of each partition, in order.
    pub(crate) machines: Vec<(Machine, Writer)>,
    /// What all of them write to.
    pub(crate) store: Box<dyn EventStore>,
    /// The opening events are staged; each over when it is durable.
    pub(crate) announced: Vec<Ongoing>,
}

/// Opens an engine that threads of its own drive.
pub(crate) fn open(builder: EngineBuilder, runtime: Handle) -> Result<Engine, OpenError> {
    let spawner = runtime.clone();
    let Prepared { engine, machines, store, announced } = prepare(builder, runtime)?;
    let threads = threads::start(machines, store)?;
    *engine.inner.threads.lock().unwrap_or_else(PoisonError::into_inner) = threads;
    threads::wait_until_written(&engine, announced)?;
    saved::keep(&engine, &spawner);
    Ok(engine)
}

/// Reads the log, and makes ready what goes on from there.
pub(crate) fn prepare(mut builder: EngineBuilder, runtime: Handle) -> Result<Prepared, OpenError> {
    builder.limits = builder.limits.checked().map_err(OpenError::Options)?;
    let place = std::mem::replace(&mut builder.place, Place::Memory);
    let directory = if let Place::Directory(directory) = &place { Some(directory.clone()) } else { None };
    let Ready { store, keys, is_new, found } = ready(place, &mut builder)?;
    let source = store.source();
    let genesis = genesis_of(&*source)?;
    check_partitions(&genesis, &builder)?;
    let views = Arc::new(Views::new(std::mem::take(&mut builder.projections))?);
    let activity = Activity::default();
    let mut opening = OpeningAll {
        common: Common {
            handlers: Arc::new(std::mem::take(&mut builder.handlers)),
            strategies: Arc::new(std::mem::take(&mut builder.strategies)),
            running: Arc::new(Semaphore::new(builder.limits.handlers_max)),
            instruments: builder.telemetry.take().map(Instruments::new),
            room: Arc::default(),
            bus: Arc::default(),
            events: EventReader::new(source.clone(), builder.limits.history_cache_bytes),
            source,
            views,
            activity,
            runtime,
            keys,
            found,
            is_new,
            directory,
            of: genesis.partitions(),
        },
        store,
        builder,
    };
    let mut opened = Vec::with_capacity(usize::from(genesis.partitions()));
    let mut saving = None;
    for partition in 0..genesis.partitions() {
        let (one, saves) = opening.partition(partition)?;
        opened.push(one);
        // Only a log of one partition saves state, which is that of its first.
        saving.get_or_insert(saves);
    }
    tell_backlogs(&mut opened, &opening.common)?;
    let OpeningAll { common, builder, store } = opening;
    let summed = sum(&genesis, is_new, &opened);
    let mut shards = Vec::with_capacity(opened.len());
    let mut machines = Vec::with_capacity(opened.len());
    let mut announced = Vec::with_capacity(opened.len());
    for one in opened {
        shards.push(one.shard);
        announced.push(one.announced);
        machines.push((one.machine, one.writer));
    }
    let Common { activity, views, handlers, strategies, instruments, source, events, keys, bus, .. } = common;
    let inner = Inner {
        shards: Shards::new(shards),
        activity,
        views,
        handlers,
        pools: builder.pools,
        strategies,
        source,
        events,
        limits: builder.limits,
        opened: summed,
        keys: tokio::sync::Mutex::new(keys),
        genesis,
        threads: Mutex::default(),
        saving: saving.ok_or_else(|| OpenError::Options("a log has a partition at least".to_owned()))?,
        bus,
        instruments,
        stopping: AtomicBool::new(false),
    };
    Ok(Prepared { engine: Engine::watched(inner), machines, store, announced })
}

/// What the partitions of an engine share.
struct Common {
    handlers: Arc<Registry>,
    strategies: Arc<Strategies>,
    running: Arc<Semaphore>,
    instruments: Option<Arc<Instruments>>,
    room: Arc<Room>,
    bus: Arc<Bus>,
    events: EventReader,
    source: Arc<dyn FrameSource>,
    views: Arc<Views>,
    activity: Activity,
    runtime: Handle,
    keys: KeySource,
    found: actum_fjall::Found,
    is_new: bool,
    directory: Option<PathBuf>,
    /// Number of partitions.
    of: u16,
}

/// An engine that is being opened, partition after partition.
struct OpeningAll {
    common: Common,
    store: Box<dyn EventStore>,
    builder: EngineBuilder,
}

/// A partition that was read, and nothing drives yet.
struct OpenedOne {
    shard: Shard,
    machine: Machine,
    writer: Writer,
    announced: Ongoing,
    found: Opened,
}

impl OpeningAll {
    /// Reads one partition, and makes ready what goes on from there.
    fn partition(&mut self, partition: u16) -> Result<(OpenedOne, Saving), OpenError> {
        let OpeningAll { common, store, builder } = self;
        let (source, views, activity) = (&common.source, &common.views, &common.activity);
        let seat = Seat { partition, of: common.of };
        let directory = common.directory.as_deref();
        let (Stands { state, folded, resume, recovered }, saving) = read(source, views, directory, builder, seat)?;
        check_clock(&folded.genesis, &*builder.clock)?;
        let now = builder.clock.now();
        let before = resume.keys.clone();
        let end = source.head(partition)?;
        let opening = Opening::new().map_err(|error| OpenError::Key(chain(&error)))?;
        // Anything that differs from opening to opening: the choices that it leads to are recorded with their seeds.
        let random = || opening.boot_id.iter().fold(0, |seed: u64, byte| seed.rotate_left(8) ^ u64::from(*byte));
        let seed = builder.seed.map_or_else(random, |seed| seed.wrapping_add(u64::from(partition) << 48));
        let (mut stage, mut sealer) = resume.open(&folded.genesis, opening).map_err(|error| corrupt(&error))?;
        if let Some(reason) = &builder.lost_key {
            replace_key(
                &common.keys,
                &before,
                reason,
                now,
                &mut Writing { stage: &mut stage, sealer: &mut sealer, store: &mut **store },
            )?;
        }
        let signer = common.keys.in_force(&stage.keys())?;

        let mut limits = builder.limits;
        limits.cases_resident_max = seat.share_of(limits.cases_resident_max);
        let mut one = Partition::new(state, stage, limits);
        one.seed = seed;
        one.state.resources.strategies = common.strategies.clone();
        one.share = seat.is_shared().then(|| Share::new(&common.room, partition, &one.state));
        announce(&mut one, &folded, &common.found, now)?;
        announce_recovery(&mut one, &recovered, now)?;
        if let Some(restored) = &builder.restored {
            announce_restored(&mut one, end, restored, now)?;
        }
        let announced = activity.begin();
        let pending = one
            .pending(&announced, |case, seq| case_at(&common.events, partition, case.id, seq))
            .map_err(|error| corrupt(&error))?;
        one.schedule.handlers = common.handlers.clone();
        one.schedule.clock = Some(builder.clock.clone());
        one.schedule.is_reopened = !common.is_new;
        one.schedule.engine_pools.clone_from(&builder.pools);
        let open_cases = one.state.open_cases();
        let found = opened(&folded, &common.found, recovered);
        let found = Opened { is_new: common.is_new, open_cases, pending: pending.len(), ..found };
        if !builder.upkeep {
            pending.into_iter().for_each(|invocation| one.give_out(invocation, now));
            one.set_timers();
        }

        let (requests, from_callers) = bounded(seat.share_of(builder.limits.requests_max));
        let (results, from_handlers) = unbounded();
        let (stored, from_store) = unbounded();
        let (size, durable) = watch::channel(folded.events);
        one.past = Some(Past::new(source.clone(), partition).up_to(durable.clone()));
        let taken_in = Arc::new(Watermark::default());
        if let Some(last) = folded.events.checked_sub(1) {
            taken_in.reach(Seq(last));
        }
        let dispatcher = Dispatcher {
            runtime: common.runtime.clone(),
            handlers: common.handlers.clone(),
            running: common.running.clone(),
            instruments: common.instruments.clone(),
            results: results.clone(),
        };
        let machine = Machine {
            partition: one,
            from_callers,
            from_handlers,
            from_store,
            views: views.clone(),
            bus: common.bus.clone(),
            dispatcher,
            taken_in: taken_in.clone(),
            teller: None,
            activity: activity.clone(),
            clock: builder.clock.clone(),
            in_flight_max: builder.limits.blocks_in_flight_max,
        };
        let writer = Writer { sealer, signer, size, stored };
        let shard = Shard { requests, inner: results, durable, taken_in };
        Ok((OpenedOne { shard, machine, writer, announced, found }, saving))
    }
}

/// Has partition 0 tell the others from now on, and tells them what they have not heard of what it decided before.
fn tell_backlogs(opened: &mut [OpenedOne], common: &Common) -> Result<(), OpenError> {
    let Some((owner, others)) = opened.split_first_mut() else { return Ok(()) };
    if others.is_empty() {
        return Ok(());
    }
    let ways = others.iter().map(|other| other.shard.inner.clone()).collect();
    let teller = Teller { others: ways, activity: common.activity.clone() };
    for other in others {
        let heard = other.machine.partition.state.told;
        for told in backlog(&*common.source, heard, |net| common.views.net(net))? {
            teller.tell(&other.shard.inner, told);
        }
    }
    owner.machine.teller = Some(teller);
    Ok(())
}

/// What was found in all partitions.
fn sum(genesis: &Genesis, is_new: bool, opened: &[OpenedOne]) -> Opened {
    let of = |what: fn(&Opened) -> u64| opened.iter().map(|one| what(&one.found)).sum();
    let count = |what: fn(&Opened) -> usize| opened.iter().map(|one| what(&one.found)).sum();
    let first = opened.first().map(|one| &one.found);
    Opened {
        is_new,
        partitions: genesis.partitions(),
        blocks: of(|found| found.blocks),
        events: of(|found| found.events),
        unacknowledged_blocks: of(|found| found.unacknowledged_blocks),
        // Of the store and of all heads, as each partition says it.
        dropped_bytes: first.map_or(0, |found| found.dropped_bytes),
        torn_heads: first.map_or(0, |found| found.torn_heads),
        open_cases: count(|found| found.open_cases),
        pending: count(|found| found.pending),
        verifier_key: genesis.verifier_key(0).to_string(),
        recovered: Recovered {
            reread: of(|found| found.recovered.reread),
            ..first.map(|found| found.recovered.clone()).unwrap_or_default()
        },
    }
}

fn genesis_of(source: &dyn FrameSource) -> Result<Genesis, OpenError> {
    Genesis::parse(&source.genesis()?).map_err(|error| corrupt(&error))
}

/// Refuses another number of partitions than the log has, and what several cannot do yet.
fn check_partitions(genesis: &Genesis, builder: &EngineBuilder) -> Result<(), OpenError> {
    let log = genesis.partitions();
    if let Some(asked) = builder.partitions.filter(|asked| *asked != log) {
        return Err(OpenError::Partitions { log, asked });
    }
    let what = match builder {
        _ if log == 1 => return Ok(()),
        EngineBuilder { lost_key: Some(_), .. } => "replacing its key",
        EngineBuilder { restored: Some(_), .. } => "restoring it",
        EngineBuilder { reading: Reading::WholeLogWithStreams, .. } => "a checkpoint",
        _ => return Ok(()),
    };
    Err(OpenError::Several { log, what })
}

/// What was found, but for what is made of it.
fn opened(folded: &Folded, found: &actum_fjall::Found, recovered: Recovered) -> Opened {
    Opened {
        is_new: false,
        partitions: folded.genesis.partitions(),
        blocks: folded.blocks,
        events: folded.events,
        unacknowledged_blocks: folded.unacknowledged_blocks().unwrap_or(folded.blocks),
        dropped_bytes: found.dropped.as_ref().map_or(0, |dropped| dropped.bytes),
        torn_heads: found.torn_heads.len() as u32,
        open_cases: 0,
        pending: 0,
        verifier_key: folded.genesis.verifier_key(0).to_string(),
        recovered,
    }
}

/// Reads the log, from saved state on if there is some to trust.
fn read(
    source: &Arc<dyn FrameSource>,
    views: &Views,
    directory: Option<&Path>,
    builder: &EngineBuilder,
    seat: Seat,
) -> Result<(Stands, Saving), OpenError> {
    let shelf = directory.filter(|_| !seat.is_shared()).map(Shelf::of);
    let trusted = shelf.as_ref().filter(|_| builder.reading == Reading::FromSavedState);
    let stream_table = builder.reading == Reading::WholeLogWithStreams;
    let how = How {
        seat,
        shelf: trusted,
        stream_table,
        cases_resident_max: seat.share_of(builder.limits.cases_resident_max),
    };
    let stands = saved::recover(source, views, &how)?;
    if seat.is_owner() {
        views.set_directory(stands.state.directory.clone());
    }
    stands.state.nets.values().for_each(|net| views.add_net(net.clone()));
    let every = builder.save_every.filter(|_| !builder.upkeep && shelf.is_some());
    let saving = Saving::new(Keeper { shelf, named: stands.state.saved.clone() }, every);
    Ok((stands, saving))
}

fn ready(place: Place, builder: &mut EngineBuilder) -> Result<Ready, OpenError> {
    let given = builder.signer.clone().map(|signer| [Some(signer), builder.next_signer.clone()]);
    let given: Option<Vec<_>> = given.map(|signers| signers.into_iter().flatten().collect());
    match place {
        Place::Store(store) => {
            let signers = given.ok_or_else(|| OpenError::Key("a store of one's own needs a signer".to_owned()))?;
            let is_new = store.head(0).is_none();
            Ok(Ready::new(store, KeySource::Given(signers), is_new))
        }
        Place::Memory => {
            let signers = match given {
                Some(signers) => signers,
                None => vec![Arc::new(FileSigner::generate().map_err(|error| OpenError::Key(chain(&error)))?) as _],
            };
            let genesis = genesis(builder, &*signers[0], signers.get(1).map(|next| key_digest(&next.public_key())))?;
            Ok(Ready::new(Box::new(MemoryStore::new(genesis.to_string())), KeySource::Given(signers), true))
        }
        Place::Directory(directory) => {
            let directory = directory.as_path();
            let options = actum_fjall::Options::default();
            let opened = match builder.rehearsal.take() {
                Some(rehearsal) => actum_fjall::open_rehearsed(directory, &options, rehearsal),
                None => actum_fjall::open(directory, &options),
            };
            match opened {
                Ok(store) => {
                    let keys = given.map_or_else(|| KeySource::Files(KeyFiles::of(directory)), KeySource::Given);
                    let found = store.found().clone();
                    Ok(Ready { found, ..Ready::new(Box::new(store), keys, false) })
                }
                Err(actum_fjall::OpenError::NotFound(_) | actum_fjall::OpenError::Unfinished(_)) if builder.create => {
                    let (store, keys) = create(builder, directory, given)?;
                    Ok(Ready::new(Box::new(store), keys, true))
                }
                Err(actum_fjall::OpenError::Locked(path)) => Err(OpenError::Locked(path.display().to_string())),
                Err(error) => Err(ReadError::from(error).into()),
            }
        }
    }
}

fn create(
    builder: &EngineBuilder,
    directory: &Path,
    given: Option<Vec<Arc<dyn Signer>>>,
) -> Result<(FjallStore, KeySource), OpenError> {
    let had_keys = keys::exist(directory);
    let is_given = given.is_some();
    let (signer, next, source) = if let Some(signers) = given {
        let next = signers.get(1).map(|next| key_digest(&next.public_key()));
        (signers[0].clone(), next, KeySource::Given(signers))
    } else {
        let (signer, next) = keys::create(directory)?;
        (signer, Some(next), KeySource::Files(KeyFiles::of(directory)))
    };
    let genesis = genesis(builder, &*signer, next)?;
    let (text, partitions) = (genesis.to_string(), genesis.partitions());
    let store = actum_fjall::create(directory, text.as_bytes(), partitions, &actum_fjall::Options::default()).map_err(
        |error| match error {
            actum_fjall::OpenError::Locked(path) => OpenError::Locked(path.display().to_string()),
            error @ actum_fjall::OpenError::Exists { .. } => {
                if !had_keys && !is_given {
                    keys::discard(directory);
                }
                OpenError::Options(error.to_string())
            }
            error => OpenError::Read(error.into()),
        },
    )?;
    Ok((store, source))
}

fn genesis(builder: &EngineBuilder, signer: &dyn Signer, next: Option<[u8; 32]>) -> Result<Genesis, OpenError> {
    let opening = Opening::new().map_err(|error| OpenError::Key(chain(&error)))?;
    let log_id = opening.boot_id;
    let hex: String = log_id.iter().map(|byte| format!("{byte:02x}")).collect();
    let origin = builder.origin.clone().unwrap_or_else(|| format!("actum.local/{hex}"));
    let genesis = Genesis::new(log_id, &origin, builder.clock.now().0, signer.public_key())
        .map_err(|error| OpenError::Options(error.to_string()))?;
    let clock = if builder.clock.is_simulated() { actum_log::Clock::Simulated } else { actum_log::Clock::Real };
    let partitions = builder.partitions.unwrap_or(1);
    if !(1..=PARTITIONS_MAX).contains(&partitions) {
        return Err(OpenError::Options(format!("a new log has 1 to {PARTITIONS_MAX} partitions, not {partitions}")));
    }
    let genesis = genesis.with_clock(clock).with_partitions(partitions);
    let genesis = genesis.map_err(|error| OpenError::Options(error.to_string()))?;
    Ok(match next {
        Some(next) => genesis.with_next(next),
        None => genesis,
    })
}

fn check_clock(genesis: &Genesis, clock: &dyn Clock) -> Result<(), OpenError> {
    let name = |simulated| if simulated { "simulated" } else { "real" };
    let log = genesis.clock() == actum_log::Clock::Simulated;
    if log == clock.is_simulated() {
        return Ok(());
    }
    Err(OpenError::Clock { log: name(log), given: name(clock.is_simulated()) })
}

/// Says in the log that it was opened and what was found, and describes payload types before their first use.
fn announce(
    partition: &mut Partition,
    folded: &Folded,
    found: &actum_fjall::Found,
    now: Time,
) -> Result<(), OpenError> {
    let opened = SystemEvent::EngineOpened {
        software: concat!("actum ", env!("CARGO_PKG_VERSION")).to_owned(),
        blocks: folded.blocks,
        events: folded.events,
        unacknowledged_blocks: folded.unacknowledged_blocks().unwrap_or(folded.blocks),
        dropped_bytes: found.dropped.as_ref().map_or(0, |dropped| dropped.bytes),
        torn_heads: found.torn_heads.len() as u32,
    };
    announce_one(partition, stream::ENGINE, opened, now)?;
    let unknown: Vec<&payload::PayloadType> = payload::PAYLOAD_TYPES
        .iter()
        .filter(|known| !partition.state.described.contains(&(known.kind, known.schema)))
        .collect();
    for known in unknown {
        partition.state.described.insert((known.kind, known.schema));
        let event = SystemEvent::SchemaDescribed {
            kind: known.kind,
            schema: known.schema,
            name: known.name.to_owned(),
            layout: known.layout(),
        };
        announce_one(partition, stream::SCHEMAS, event, now)?;
    }
    Ok(())
}

fn announce_one(partition: &mut Partition, stream: u64, event: SystemEvent, now: Time) -> Result<(), OpenError> {
    partition.stage_system(stream, event, now).map_err(|refused| match refused {
        Refused::NoRoom => OpenError::Options("the first block has no room".to_owned()),
        Refused::Error(error) => OpenError::Options(error.to_string()),
    })
}

/// Says in the log from which saved state it was opened, if there was any.
fn announce_recovery(partition: &mut Partition, recovered: &Recovered, now: Time) -> Result<(), OpenError> {
    let Recovered { spared, hash, reread, passed_over, rebuilt: _ } = recovered;
    if *hash == [0; 32] && passed_over.is_empty() {
        return Ok(());
    }
    let (size, hash, reread, passed_over) = (*spared, *hash, *reread, passed_over.clone());
    let event = SavedEvent::Recovered { size, hash, reread, passed_over };
    announce_one(partition, stream::ENGINE, SystemEvent::Saved(event), now)
}

/// Says in the log that it was put in place from a backup, which ends with the store's newest block.
fn announce_restored(
    partition: &mut Partition,
    end: Option<Head>,
    restored: &Restored,
    now: Time,
) -> Result<(), OpenError> {
    let head = end.ok_or_else(|| OpenError::Options("an empty log was not restored from anything".to_owned()))?;
    let event = SystemEvent::LogRestored {
        source: restored.source,
        size: head.size,
        block: head.number,
        block_hash: head.hash,
        replaced: restored.replaced,
    };
    announce_one(partition, stream::ENGINE, event, now)
}

/// The writing path before its threads are there.
struct Writing<'a> {
    stage: &'a mut Stage,
    sealer: &'a mut Sealer,
    store: &'a mut dyn EventStore,
}

/// Puts the next key in force in a block of its own, which the next key alone signs.
fn replace_key(
    source: &KeySource,
    keys: &Keys,
    reason: &str,
    now: Time,
    writing: &mut Writing<'_>,
) -> Result<(), OpenError> {
    let refused = |error: ChangeKeyError| OpenError::Key(chain(&error));
    let Writing { stage, sealer, store } = writing;
    let NextSigner { signer: new, after } = source.prepare_rotation(keys)?;
    let author = Author { actor: ActorId::ENGINE.0, time: now.0 };
    stage.replace_key(new.clone(), after, reason, author).map_err(refused)?;
    let clocks = Clocks { wall_ns: now.0 as i64, monotonic_ns: 0 };
    let block = stage.close(clocks).ok_or_else(|| OpenError::Options("nothing was staged".to_owned()))?;
    let sealed = sealer.seal(block, &*new).map_err(|error| OpenError::Key(chain(&error)))?;
    store.commit(&[sealed]).map_err(|error| OpenError::Write(WriteError::from(&error)))
}

fn corrupt(error: &dyn std::error::Error) -> OpenError {
    ReadError::Corrupt(chain(error)).into()
}
