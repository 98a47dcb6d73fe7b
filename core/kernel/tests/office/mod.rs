//! An office: the organisation of the examples, a case, and what happened in it.
#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::needless_pass_by_value, reason = "commands are written where they are given")]

use std::collections::BTreeMap;

use actum_kernel::resource::{AllocationStrategy, Held, Practice, ResourceFacts};
use actum_kernel::{Context, decide};
use actum_model::{
    ActorId, Case, CaseCommand, CaseEvent, CaseId, Directory, Meta, OrganisationEvent, Rejection, Seq, SystemEvent,
    TaskIx, Time, Value, WorkItemState,
};
use actum_net::Net;

pub(crate) const ANA: ActorId = ActorId(1);
pub(crate) const BEN: ActorId = ActorId(2);
pub(crate) const CEM: ActorId = ActorId(3);
pub(crate) const DIA: ActorId = ActorId(4);
pub(crate) const EVE: ActorId = ActorId(5);

const ORGANISATION: &str = include_str!("../../../../tools/examples/organisation.yaml");

/// What an `AllocationDecided` says, with sets as lists.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    pub(crate) directory: Seq,
    pub(crate) strategy: String,
    pub(crate) seed: u64,
    pub(crate) candidates: Vec<ActorId>,
    pub(crate) rules: Vec<(String, Vec<ActorId>)>,
    pub(crate) scores: Vec<(ActorId, i64)>,
    pub(crate) chosen: Option<ActorId>,
}

/// Somebody, when they were given the task last, how often, how many they did, what they have queued and in all.
pub(crate) type Stands = (ActorId, u64, u32, u32, u32, u32);

pub(crate) struct Office {
    pub(crate) net: Net,
    pub(crate) case: Case,
    pub(crate) directory: Directory,
    pub(crate) now: Time,
    pub(crate) seed: u64,
    pub(crate) standing: Vec<Stands>,
    pub(crate) own: Option<Box<dyn AllocationStrategy>>,
    pub(crate) events: Vec<CaseEvent>,
    seq: u64,
}

#[derive(Debug)]
struct Facts<'a> {
    columns: [Vec<u32>; 4],
    last: Vec<u64>,
    own: Option<&'a dyn AllocationStrategy>,
}

impl ResourceFacts for Facts<'_> {
    fn held(&self) -> Held<'_> {
        Held { queued: &self.columns[2], all: &self.columns[3] }
    }

    fn practice(&self, _net: &Net, _task: TaskIx) -> Practice<'_> {
        Practice { last: &self.last, given: &self.columns[0], done: &self.columns[1] }
    }

    fn strategy(&self, name: &str) -> Option<&dyn AllocationStrategy> {
        self.own.filter(|_| name == "mine")
    }
}

impl Office {
    #[track_caller]
    pub(crate) fn of(net: &str) -> Self {
        let net = actum_net::compile(net).unwrap_or_else(|found| panic!("{net}: {found:#?}")).net;
        let mut office = Office {
            net,
            case: Case::unborn(CaseId(1)),
            directory: Directory::default(),
            now: at("2026-01-07T11:30:00Z"),
            seed: 0,
            standing: Vec::new(),
            own: None,
            events: Vec::new(),
            seq: 0,
        };
        let organisation = actum_net::organisation(ORGANISATION).unwrap_or_else(|found| panic!("{found:#?}"));
        for change in organisation.changes(&office.directory) {
            office.seq += 1;
            office.directory.apply_at(Seq(office.seq), &change);
        }
        office
    }

    pub(crate) fn change(&mut self, change: OrganisationEvent) {
        self.seq += 1;
        self.directory.apply_at(Seq(self.seq), &SystemEvent::Organisation(change));
    }

    fn facts(&self) -> Facts<'_> {
        let size = self.standing.iter().map(|(actor, ..)| actor.0 as usize).max().unwrap_or(0);
        let mut facts =
            Facts { columns: std::array::from_fn(|_| vec![0; size]), last: vec![0; size], own: self.own.as_deref() };
        for (actor, last, given, done, queued, all) in &self.standing {
            let index = actor.0 as usize - 1;
            facts.last[index] = *last;
            for (column, value) in facts.columns.iter_mut().zip([given, done, queued, all]) {
                column[index] = *value;
            }
        }
        facts
    }

    pub(crate) fn ask(&mut self, actor: ActorId, command: &CaseCommand) -> Result<Vec<CaseEvent>, Rejection> {
        let facts = self.facts();
        let context =
            Context { seed: self.seed, resources: Some(&facts), ..Context::new(self.now, actor, &self.directory) };
        let decided = decide(&self.net, &self.case, command, &context)?;
        for one in &decided {
            self.seq += 1;
            let meta = Meta {
                seq: Seq(self.seq),
                version: self.case.version + 1,
                time: self.now,
                actor: one.actor,
                cause: None,
            };
            self.case.apply(&meta, &one.event);
        }
        let events: Vec<CaseEvent> = decided.into_iter().map(|one| one.event).collect();
        self.events.extend(events.iter().cloned());
        Ok(events)
    }

    #[track_caller]
    pub(crate) fn does(&mut self, actor: ActorId, command: CaseCommand) -> Vec<CaseEvent> {
        self.ask(actor, &command).unwrap_or_else(|rejection| panic!("{command:?}: {rejection}"))
    }

    #[track_caller]
    pub(crate) fn refuses(&mut self, actor: ActorId, command: CaseCommand, code: &str) {
        let before = self.case.clone();
        let rejection = self.ask(actor, &command).expect_err("a rejection");
        assert_eq!(rejection.code, code, "{command:?}: {rejection}");
        assert_eq!(self.case, before, "a rejection must leave the case as it was");
    }

    #[track_caller]
    pub(crate) fn start(&mut self) {
        self.does(ActorId::ENGINE, CaseCommand::StartCase { input: BTreeMap::new() });
    }

    /// Takes, starts and completes the live item of a task.
    #[track_caller]
    pub(crate) fn do_as(&mut self, actor: ActorId, task: &str) {
        let item = self.item(task).id;
        self.does(actor, CaseCommand::TakeWork { item });
        self.does(actor, CaseCommand::StartWork { item });
        self.does(actor, CaseCommand::CompleteWork { item, result: nothing() });
    }

    #[track_caller]
    pub(crate) fn item(&self, task: &str) -> &WorkItemState {
        let task = self.net.task(task).expect("a task of the net");
        self.case.control.items.iter().find(|item| item.task == task).expect("a live item")
    }

    /// The newest decision on an allocation.
    #[track_caller]
    pub(crate) fn decision(&self) -> Decision {
        let decided = self.events.iter().rev().find_map(|event| match event {
            CaseEvent::AllocationDecided { directory, strategy, seed, candidates, rules, scores, chosen, .. } => {
                let rules = rules.iter().map(|(name, removed)| (name.clone(), removed.iter().collect())).collect();
                Some(Decision {
                    directory: *directory,
                    strategy: strategy.clone(),
                    seed: *seed,
                    candidates: candidates.iter().collect(),
                    rules,
                    scores: scores.clone(),
                    chosen: *chosen,
                })
            }
            _ => None,
        });
        decided.expect("a decision")
    }
}

/// The result of a task without a form.
pub(crate) fn nothing() -> Value {
    Value::Map(BTreeMap::new())
}

/// A point in time from RFC 3339.
pub(crate) fn at(text: &str) -> Time {
    let Ok(Value::Time(time)) = actum_net::ValueKind::Time.admit(Value::String(text.to_owned())) else {
        panic!("{text} is no time")
    };
    time
}
