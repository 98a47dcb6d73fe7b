//! What ordinals in events mean: learned from the log while it is read.

use std::sync::Arc;

use actum_model::{
    ActorId, CaseEvent, CaseId, ConditionIx, Directory, Event, FrameId, NetHash, RoleIx, SubnetIx, SystemEvent, TaskIx,
    VariableIx,
};
use actum_net::Net;
use rustc_hash::FxHashMap;

use crate::{Fact, LoggedEvent, ReplayError};

/// Names of everything that events mention by ordinal, as of the last event that was read.
///
/// An ordinal that the log never introduced is shown as `#` and its number: such a log is unlawful, but still shown.
#[derive(Debug, Clone, Default)]
pub struct Names {
    nets: FxHashMap<NetHash, Arc<Net>>,
    /// Nets of cases that may have further events.
    cases: FxHashMap<CaseId, Arc<Net>>,
    directory: Directory,
}

impl Names {
    /// A net by its hash.
    #[must_use]
    pub fn net(&self, hash: NetHash) -> Option<&Arc<Net>> {
        self.nets.get(&hash)
    }

    /// The net that a case runs; `None` once the case has ended.
    #[must_use]
    pub fn net_of(&self, case: CaseId) -> Option<&Arc<Net>> {
        self.cases.get(&case)
    }

    /// Everybody who acts.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The name of an actor.
    #[must_use]
    pub fn actor(&self, actor: ActorId) -> String {
        match self.directory.actor(actor) {
            Some(known) => known.name.clone(),
            None if actor == ActorId::ENGINE => Directory::ENGINE_NAME.to_owned(),
            None => format!("#{actor}"),
        }
    }

    /// Takes in an event; before it is shown, so that an event that introduces a name is shown with it.
    pub(crate) fn learn(&mut self, logged: &LoggedEvent) -> Result<(), ReplayError> {
        match &logged.fact {
            Fact::Block(_)
            | Fact::KeyRotated(_)
            | Fact::KeyRevoked { .. }
            | Fact::Checkpoint { .. }
            | Fact::Unknown => {}
            Fact::Event(Event::System(SystemEvent::NetDeployed { net, canonical, .. })) => {
                let fail = |reason| ReplayError::Net { seq: logged.meta.seq, net: *net, reason };
                let compiled = Net::from_canonical(canonical).map_err(|error| fail(error.to_string()))?;
                if compiled.hash != *net {
                    return Err(fail(format!("its hash is {}", compiled.hash)));
                }
                self.nets.insert(*net, Arc::new(compiled));
            }
            Fact::Event(Event::System(event)) => self.directory.apply(event),
            Fact::Event(Event::Case(event)) => self.learn_case(logged.stream.case(), event),
        }
        Ok(())
    }

    fn learn_case(&mut self, case: Option<CaseId>, event: &CaseEvent) {
        let Some(case) = case else { return };
        if let CaseEvent::CaseStarted { net, .. } = event
            && let Some(net) = self.nets.get(net)
        {
            self.cases.insert(case, net.clone());
        } else if event.is_terminal() {
            // The events that end a case mention nothing of its net.
            self.cases.remove(&case);
        }
    }
}

/// Name of a task of a net; with its subnet's name before it, if it is of one.
pub(crate) fn task(net: Option<&Net>, task: TaskIx) -> String {
    match net {
        Some(net) if task.index() < net.tasks.len() => net.task_label(task),
        _ => format!("#{task}"),
    }
}

/// Name of a subnet.
pub(crate) fn subnet(net: Option<&Net>, subnet: SubnetIx) -> String {
    net.and_then(|net| net.subnets.get(subnet.index()))
        .map_or_else(|| format!("#{subnet}"), |subnet| subnet.name.clone())
}

/// Name of a role of a net.
pub(crate) fn role(net: Option<&Net>, role: RoleIx) -> String {
    net.and_then(|net| net.roles.get(role.index())).map_or_else(|| format!("#{role}"), |role| role.name.clone())
}

/// Name of a condition of a net; with its subnet's name before it, if it is of one.
pub(crate) fn condition(net: Option<&Net>, condition: ConditionIx) -> String {
    let Some((net, known)) = net.and_then(|net| Some((net, net.conditions.get(condition.index())?))) else {
        return format!("#{condition}");
    };
    if known.subnet == SubnetIx::ROOT {
        return known.name.clone();
    }
    format!("{}/{}", subnet(Some(net), known.subnet), known.name)
}

/// Name of a condition of a running frame: with the frame's number before it, if it is not the root's.
pub(crate) fn marked(net: Option<&Net>, frame: FrameId, of: ConditionIx) -> String {
    if frame == FrameId::ROOT { condition(net, of) } else { format!("{frame}:{}", condition(net, of)) }
}

/// Name of a variable of a net.
pub(crate) fn variable(net: Option<&Net>, variable: VariableIx) -> String {
    net.and_then(|net| net.variables.get(variable.index()))
        .map_or_else(|| format!("#{variable}"), |variable| variable.name.clone())
}
