//! The deciding state as sections of saved state, and back.

use std::collections::{BTreeMap, HashMap};

use actum_kernel::SEMANTICS;
use actum_kernel::resource::Standing;
use actum_kernel::saved::{CASES, DIRECTORY, NETS, STANDING, decode_nets, encode_nets};
use actum_log::{SavedError, SavedFile};
use actum_model::snapshot::wire::{Reader, put, put_list, put_text};
use actum_model::snapshot::{SnapshotError, decode_case, decode_directory, encode_directory};
use actum_model::{CaseId, NetHash, Time};

use crate::error::chain;
use crate::passive::Form;
use crate::policy::Breakers;
use crate::resources::Resources;
use crate::state::State;

/// The rest of the state: numbers, keys, what the log describes.
const ENGINE: &str = "engine";

/// Version of that section, and of what this state makes of events: raise it when either changes.
const ENGINE_VERSION: u32 = 1;

/// Messages that are kept, and starts that are dealt with, each with the version of the section.
const MESSAGES: (&str, u32) = ("messages", 1);
const STARTS: (&str, u32) = ("starts", 1);

/// How circuit breakers stand.
const BREAKERS: (&str, u32) = ("breakers", 1);

/// Plain sections by name, each with its version.
pub(crate) type Sections = BTreeMap<String, (u32, Vec<u8>)>;

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    #[error(transparent)]
    File(#[from] SavedError),
    #[error(transparent)]
    State(#[from] SnapshotError),
    #[error("it was made under semantics {0}, not {SEMANTICS}")]
    Semantics(u64),
    #[error("{0}")]
    Log(String),
}

impl Unusable {
    pub(crate) fn log(error: &dyn std::error::Error) -> Self {
        Unusable::Log(chain(error))
    }
}

/// Which cases to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cases {
    /// All, to decide from: so many in memory, the others at rest.
    All { resident_max: usize },
    /// None: they are read when an event is about them.
    OnDemand,
}

/// All of the state but its cases.
pub(crate) fn sections(state: &State) -> Sections {
    // Named one by one: a field that is left out would be missing after a recovery. It needs a place in a section (and the section
    // a higher version), or a reason why it follows from others.
    let State {
        cases: _,
        nets,
        newest: _,
        directory,
        resources,
        keys: _,
        last_case: _,
        deadlocked: _,
        described: _,
        saved: _,
        // Logs of several partitions are folded from their beginning.
        seat: _,
        told: _,
        messages,
        starts,
        breakers,
    } = state;
    let mut sections = Sections::new();
    let mut add = |(name, version): (&str, u32), bytes| sections.insert(name.to_owned(), (version, bytes));
    let mut bytes = Vec::new();
    encode_directory(directory, &mut bytes);
    add(DIRECTORY, bytes);
    let mut nets: Vec<_> = nets.values().cloned().collect();
    nets.sort_unstable_by_key(|net| net.hash);
    add(NETS, encode_nets(&nets));
    let mut bytes = Vec::new();
    resources.standing().encode(&mut bytes);
    add(STANDING, bytes);
    add(MESSAGES, crate::messages::encode(messages));
    add(STARTS, crate::starts::encode(starts));
    add(BREAKERS, breakers.encode());
    add((ENGINE, ENGINE_VERSION), engine(state));
    sections
}

fn engine(state: &State) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, u64::from(SEMANTICS));
    put(&mut out, state.last_case);
    put(&mut out, state.deadlocked as u64);
    let mut described: Vec<_> = state.described.iter().copied().collect();
    described.sort_unstable();
    put_list(&mut out, &described, |out, (kind, schema)| {
        put(out, u64::from(*kind));
        put(out, u64::from(*schema));
    });
    let mut newest: Vec<_> = state.newest.iter().collect();
    newest.sort_unstable();
    put_list(&mut out, &newest, |out, (name, net)| {
        put_text(out, name);
        out.extend_from_slice(&net.0);
    });
    put_list(&mut out, &state.saved, |out, (size, hash)| {
        put(out, *size);
        out.extend_from_slice(hash);
    });
    let mut of_nets: Vec<_> = state.keys.iter().collect();
    of_nets.sort_unstable_by_key(|(net, _)| *net);
    put_list(&mut out, &of_nets, |out, (net, keys)| {
        put_text(out, net);
        let mut keys: Vec<_> = keys.iter().collect();
        keys.sort_unstable_by_key(|(key, _)| *key);
        put_list(out, &keys, |out, (key, case)| {
            put_text(out, key);
            put(out, case.0);
        });
    });
    out
}

/// The state that a file holds.
pub(crate) fn state_of(file: &SavedFile, cases: Cases) -> Result<State, Unusable> {
    let plain = |(name, version): (&str, u32)| file.plain(name, version);
    let mut state = State { directory: decode_directory(&plain(DIRECTORY)?)?, ..State::default() };
    for net in decode_nets(&plain(NETS)?)? {
        state.nets.insert(net.hash, net);
    }
    state.resources = Resources::of(Standing::decode(&plain(STANDING)?)?);
    read_engine(&plain((ENGINE, ENGINE_VERSION))?, &mut state)?;
    state.messages = crate::messages::decode(&plain(MESSAGES)?)?;
    state.starts = crate::starts::decode(&plain(STARTS)?)?;
    state.breakers = Breakers::decode(&plain(BREAKERS)?)?;
    state.nets.values().for_each(|net| state.breakers.add_net(net));
    for net in state.newest.values().filter_map(|hash| state.nets.get(hash)) {
        state.starts.deployed(net, Time(0));
    }
    if let Cases::All { resident_max } = cases {
        state.cases.keep_resident(resident_max);
        let mut entries = file.entries(CASES.0, CASES.1)?;
        while let Some((id, entry)) = entries.next_entry()? {
            let case = decode_case(entry)?;
            let known = state.nets.contains_key(&case.net);
            if case.id != CaseId(id) || !known {
                return Err(SnapshotError::NotCanonical("a case").into());
            }
            state.messages.watch(&case);
            state.cases.insert(case);
            // The log has all that a file of saved state is over.
            state.rest(Form::InLog(file.contents().size));
        }
        if state.deadlocked > state.cases.len() {
            return Err(SnapshotError::NotCanonical("the number of deadlocked cases").into());
        }
    }
    Ok(state)
}

fn read_engine(bytes: &[u8], state: &mut State) -> Result<(), Unusable> {
    let mut reader = Reader::new(bytes);
    let semantics = reader.number()?;
    if semantics != u64::from(SEMANTICS) {
        return Err(Unusable::Semantics(semantics));
    }
    state.last_case = reader.number()?;
    state.deadlocked = reader.small()?;
    let described = reader.list(|reader| Ok((reader.small()?, reader.small()?)))?;
    state.described = described.into_iter().collect();
    let newest = reader.list(|reader| Ok((reader.text()?.to_owned(), NetHash(reader.array()?))))?;
    if newest.iter().any(|(_, net)| !state.nets.contains_key(net)) {
        return Err(SnapshotError::NotCanonical("nets").into());
    }
    state.newest = newest.into_iter().collect();
    state.saved = reader.list(|reader| Ok((reader.number()?, reader.array()?)))?;
    let keys = reader.list(|reader| {
        let net = reader.text()?.to_owned();
        let keys = reader.list(|reader| Ok((Box::<str>::from(reader.text()?), CaseId(reader.number()?))))?;
        Ok((net, keys.into_iter().collect::<HashMap<_, _>>()))
    })?;
    state.keys = keys.into_iter().collect();
    reader.end()?;
    Ok(())
}
