//! Nets as Petri nets.

use std::io::{Write as _, stderr};
use std::path::Path;
use std::sync::Arc;

use actum_kernel::explore::{Exploration, STATES_MAX, Space, View, explore};
use actum_model::{CaseEvent, NetHash};
use actum_net::{Net, Scenario, Severity};
use actum_replay::petri::{PetriNet, of_net, of_space, write_pnml};
use actum_replay::{CaseRef, Events};
use actum_verify::Trust;

use super::{Written, no_case};
use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::log::{self, Target};
use crate::number::counted;
use crate::output::complain;
use crate::progress;
use crate::run::net_file::NetFile;

/// Which net is to be written, and how.
pub(crate) struct NetArgs<'a> {
    pub(crate) file: Option<&'a Path>,
    pub(crate) case: Option<&'a str>,
    pub(crate) net: Option<&'a str>,
    pub(crate) graph: bool,
    pub(crate) target: Option<&'a Path>,
    pub(crate) force: bool,
    pub(crate) common: &'a Common,
}

/// Writes a net as PNML.
pub(crate) fn pnml(args: &NetArgs<'_>) -> Outcome<Written> {
    let net = match args.file {
        Some(file) => Arc::new(compiled(file)?),
        None => of_log(args)?,
    };
    let petri = if args.graph { graph_of(&net)? } else { petri_of(&net)? };
    let mut target = Target::open(args.target, args.force)?;
    target.write_all(write_pnml(&petri).as_bytes()).map_err(|error| target.failure(&error))?;
    target.keep()?;
    let (places, transitions) = (petri.places.len() as u64, petri.transitions.len() as u64);
    let what = format!("net {}: {}, {}", net.name, counted(places, "place"), counted(transitions, "transition"));
    Ok(Written { verdict: None, what: Some(what) })
}

/// A net file, as the kernel runs it.
pub(crate) fn compiled(path: &Path) -> Outcome<Net> {
    let file = NetFile::read(path)?;
    match actum_net::compile(&file.source) {
        Ok(checked) => Ok(checked.net),
        Err(found) => {
            complain(file.render(&found, &stderr()).trim_end());
            let errors = found.iter().filter(|one| one.severity == Severity::Error).count() as u64;
            let sentence = format!("{} has {}; mend it first", file.name, counted(errors, "error"));
            Err(Failure::new(Exit::Failure, sentence))
        }
    }
}

/// A net's tasks as a Petri net.
pub(crate) fn petri_of(net: &Net) -> Outcome<PetriNet> {
    of_net(net).map_err(|error| Failure::new(Exit::Failure, format!("{error}; write its states with --graph")))
}

/// A net's reachable states as a Petri net.
pub(crate) fn graph_of(net: &Net) -> Outcome<PetriNet> {
    let space = space_of(net)?;
    of_space(net, &space).map_err(|error| Failure::new(Exit::Failure, error.to_string()))
}

fn space_of(net: &Net) -> Outcome<Space> {
    let scenario = Scenario::default();
    let view = View { lifecycle: true, cancel: false };
    let space = explore(&Exploration { net, scenario: &scenario, view, states_max: STATES_MAX });
    space.map_err(|error| Failure::new(Exit::Failure, format!("net {}: {error}", net.name)))
}

/// The net of the log that is meant.
fn of_log(args: &NetArgs<'_>) -> Outcome<Arc<Net>> {
    let Ok(case) = args.case.map(str::parse::<CaseRef>).transpose();
    let mut log = log::open(&args.common.data)?;
    let place = log.place.clone();
    let bar = progress::bar(args.common.format, "reading", None);
    let (_, (nets, of_case)) = log::read(&mut log, &Trust::self_signed(), &bar, |verified| {
        verified.only_one(&place, "exporting a net")?;
        let mut events = Events::of_records(verified.records());
        let (mut nets, mut of_case): (Vec<Arc<Net>>, Option<Arc<Net>>) = (Vec::new(), None);
        while let Some(event) = events.next() {
            let event = event.map_err(|error| Failure::replay(&place, &error))?;
            if let actum_replay::Fact::Event(actum_model::Event::System(actum_model::SystemEvent::NetDeployed {
                net,
                ..
            })) = &event.fact
            {
                let known = |net: &NetHash| nets.iter().any(|one| one.hash == *net);
                if !known(net) {
                    nets.extend(events.names().net(*net).cloned());
                }
            }
            if let Some((_, CaseEvent::CaseStarted { net, .. })) = event.of_case()
                && case.as_ref().is_some_and(|case| case.begins_with(&event))
            {
                of_case = events.names().net(*net).cloned();
            }
        }
        Ok((nets, of_case))
    })?;
    match (case, args.net) {
        (Some(case), _) => of_case.ok_or_else(|| no_case(&args.common.data, &case)),
        (None, wanted) => one_of(&place, nets, wanted),
    }
}

fn one_of(place: &str, nets: Vec<Arc<Net>>, wanted: Option<&str>) -> Outcome<Arc<Net>> {
    let names = nets.iter().map(|net| format!("{} ({:.12})", net.name, net.hash.to_string()));
    let names = names.collect::<Vec<_>>().join(", ");
    let fits = |net: &Arc<Net>| {
        wanted.is_none_or(|wanted| net.name == wanted || wanted.len() >= 8 && net.hash.to_string().starts_with(wanted))
    };
    // Of several versions the newest is meant.
    let mut fitting: Vec<Arc<Net>> = nets.into_iter().filter(fits).collect();
    match (fitting.len(), wanted) {
        (0, _) if names.is_empty() => Err(Failure::new(Exit::NotFound, format!("{place} has no net"))),
        (0, _) => {
            let wanted = wanted.unwrap_or_default();
            Err(Failure::new(Exit::NotFound, format!("{place} has no net {wanted}; it has {names}")))
        }
        (2.., None) => {
            let sentence = format!("{place} has several nets ({names}); say which with --net or --case");
            Err(Failure::new(Exit::Usage, sentence))
        }
        _ => Ok(fitting.swap_remove(fitting.len() - 1)),
    }
}
