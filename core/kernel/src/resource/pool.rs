//! Who comes into question for a task, whatever the case: kept ready, as it changes with the directory only.

use std::cell::OnceCell;

use actum_model::{ActorId, ActorSet, Directory, RoleIx, TaskIx};
use actum_net::{Net, Who, Work};

/// Who comes into question for one task, as of one version of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pool {
    /// Who has a role, position, group or name that the task asks for, and has not left.
    named: ActorSet,
    /// Each capability that is asked for, with those of `named` who lack it.
    lacking: Vec<(String, ActorSet)>,
    /// Who is left.
    able: ActorSet,
    /// The same as a list.
    list: Vec<ActorId>,
}

impl Pool {
    /// The pool of a task. Nobody comes into question for work that is not people's.
    #[must_use]
    pub fn of_task(net: &Net, task: TaskIx, directory: &Directory) -> Self {
        match net.tasks.get(task.index()).map(|task| &task.work) {
            Some(Work::Manual { role, resourcing, .. }) => Pool::of(net, *role, &resourcing.who, directory),
            _ => Pool::default(),
        }
    }

    /// The pool of a demand: any of the roles, positions, groups and names, and all of the capabilities. With nothing
    /// named, everybody.
    #[must_use]
    pub fn of(net: &Net, role: Option<RoleIx>, who: &Who, directory: &Directory) -> Self {
        let mut named = ActorSet::default();
        let roles = who.roles.iter().copied().chain(role);
        let roles = roles.filter_map(|role| directory.with_role(&net.roles.get(role.index())?.name));
        let positions = who.positions.iter().filter_map(|name| directory.with_position(name));
        roles.chain(positions).for_each(|set| named.unite(set));
        who.groups.iter().for_each(|name| named.unite(&directory.with_group(name)));
        named.unite(&who.participants.iter().filter_map(|name| directory.id_of(name)).collect());
        if is_open(role, who) {
            named.unite(directory.active());
        }
        named.keep(directory.active());
        let mut able = named.clone();
        let mut lacking = Vec::with_capacity(who.capabilities.len());
        for (name, level) in &who.capabilities {
            let capable = directory.with_capability(name, *level);
            lacking.push((name.clone(), able.without(&capable)));
            able.keep(&capable);
        }
        let list = able.iter().collect();
        Pool { named, lacking, able, list }
    }

    /// Who has a role, position, group or name that is asked for.
    #[must_use]
    pub fn named(&self) -> &ActorSet {
        &self.named
    }

    /// Capabilities that are asked for, each with those who came that far and lack it.
    #[must_use]
    pub fn lacking(&self) -> &[(String, ActorSet)] {
        &self.lacking
    }

    /// Who has all that is asked for.
    #[must_use]
    pub fn able(&self) -> &ActorSet {
        &self.able
    }

    /// The same, ascending.
    #[must_use]
    pub fn list(&self) -> &[ActorId] {
        &self.list
    }
}

/// Whether nothing says who may do it.
fn is_open(role: Option<RoleIx>, who: &Who) -> bool {
    let Who { roles, positions, groups, participants, capabilities: _ } = who;
    role.is_none() && roles.is_empty() && [positions, groups, participants].into_iter().all(Vec::is_empty)
}

/// The pools of a net's tasks, each made when it is first asked for.
///
/// Whoever keeps them drops them when [`Directory::version`] changes.
#[derive(Debug, Default)]
pub struct Pools(Vec<OnceCell<Pool>>);

impl Pools {
    /// Nothing made yet.
    #[must_use]
    pub fn of(net: &Net) -> Self {
        Pools(net.tasks.iter().map(|_| OnceCell::new()).collect())
    }

    /// The pool of a task; `None` if the net is another one.
    #[must_use]
    pub fn get(&self, net: &Net, task: TaskIx, directory: &Directory) -> Option<&Pool> {
        Some(self.0.get(task.index())?.get_or_init(|| Pool::of_task(net, task, directory)))
    }
}
