//! Promises: choosing an executor among a team takes at most 30 ns; allocating one of 1,000 participants at most 2 µs.
//!
//! Compared with, in the same run: a plain scan of the directory by role and level for the same demand.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use actum_kernel::resource::{Choice, Held, Pool, Pools, Practice, ResourceFacts, choose, pick};
use actum_kernel::{Context, decide};
use actum_model::{
    ActorId, Case, CaseCommand, CaseEvent, CaseId, Directory, Figures, OrganisationEvent, SystemEvent, TaskIx, Time,
};
use actum_net::{Net, Strategy};

const PARTICIPANTS: u32 = 1_000;
/// People of the small team.
const TEAM: u32 = 8;
const ROUNDS: usize = 5;

#[derive(Debug)]
struct Facts {
    queued: Vec<u32>,
    all: Vec<u32>,
    last: Vec<u64>,
    pools: Pools,
}

impl ResourceFacts for Facts {
    fn held(&self) -> Held<'_> {
        Held { queued: &self.queued, all: &self.all }
    }

    fn practice(&self, _net: &Net, _task: TaskIx) -> Practice<'_> {
        Practice { last: &self.last, given: &self.all, done: &self.queued }
    }

    fn pool(&self, net: &Net, task: TaskIx, directory: &Directory) -> Option<&Pool> {
        self.pools.get(net, task, directory)
    }
}

fn main() {
    let net = net();
    let directory = directory();
    let facts = facts(&net);
    let (team, everybody) = (net.task("team").expect("a task"), net.task("everybody").expect("a task"));
    println!("executor among a team of {TEAM}, of {PARTICIPANTS} participants (promise: at most 30 ns)");
    for strategy in [Strategy::ShortestQueue, Strategy::RoundRobinTime, Strategy::Cheapest, Strategy::Random] {
        print(strategy.name(), best(200_000, || pick(strategy, &choice(&net, team, &directory, &facts, 7))));
    }
    println!("one of {PARTICIPANTS} participants, with the record of scores (promise: at most 2,000 ns)");
    for strategy in Strategy::ALL {
        print(strategy.name(), best(5_000, || choose(*strategy, &choice(&net, everybody, &directory, &facts, 7))));
    }
    println!("one of {PARTICIPANTS} participants, a whole decision: case, item, rules, strategy, events");
    for task in ["everybody", "ruled"] {
        print(task, best(2_000, || whole(&net, task, &directory, &facts)));
    }
    println!("compared with");
    print("a scan of the directory for the same demand", best(2_000, || scan(&directory)));
}

fn net() -> Net {
    let source = "actum: 1\nnet: bench\nroles: { clerk: {}, team: {} }\ndata: { which: { type: string, input: true } }\nstart: route\ntasks:\n  route: { split: xor, flow: [{ to: team, when: 'which == \"team\"' }, { to: ruled, when: 'which == \"ruled\"' }, { to: everybody, default: true }] }\n  team: { resources: { who: { roles: team }, allocate: { by: shortest-queue } }, flow: end }\n  everybody: { resources: { who: { roles: clerk, capabilities: { audit: 2 } }, allocate: { by: shortest-queue } }, flow: end }\n  ruled: { resources: { who: { roles: clerk }, calendar: true, separate_from: team, allocate: { by: round-robin-time } }, flow: end }\n";
    actum_net::compile(source).unwrap_or_else(|found| panic!("{found:#?}")).net
}

fn directory() -> Directory {
    let mut directory = Directory::default();
    let shifts = (0..7).map(|day| actum_model::Shift { day, from_minute: 0, until_minute: 1_440 }).collect();
    let zone = "Europe/Berlin".to_owned();
    let calendar = OrganisationEvent::CalendarDefined { name: "office".to_owned(), zone, shifts, closed: Vec::new() };
    directory.apply(&calendar.into());
    for ordinal in 1..=PARTICIPANTS {
        let actor = ActorId(ordinal);
        // The team sits anywhere in the directory.
        let mut roles = vec!["clerk".to_owned()];
        roles.extend((ordinal % (PARTICIPANTS / TEAM) == 0).then(|| "team".to_owned()));
        directory.apply(&SystemEvent::ActorRegistered { actor, name: format!("p{ordinal}"), roles });
        let capabilities = vec![("audit".to_owned(), 2 + ordinal % 3)];
        directory.apply(&OrganisationEvent::CapabilitiesChanged { actor, capabilities }.into());
        let figures = Figures { cost_milli: u64::from(ordinal * 7919 % 997), ..Figures::default() };
        directory.apply(&OrganisationEvent::FiguresChanged { actor, figures }.into());
        let calendar = Some("office".to_owned());
        directory.apply(&OrganisationEvent::CalendarAssigned { actor, calendar }.into());
    }
    directory
}

fn facts(net: &Net) -> Facts {
    let column = |prime: u32| (0..PARTICIPANTS).map(|index| 1 + index * prime % 13).collect::<Vec<_>>();
    let last = (0..PARTICIPANTS).map(|index| u64::from(index * 7907 % 1_009)).collect();
    Facts { queued: column(31), all: column(37), last, pools: Pools::of(net) }
}

fn choice<'a>(net: &'a Net, task: TaskIx, directory: &'a Directory, facts: &'a Facts, seed: u64) -> Choice<'a> {
    let pool = facts.pool(net, task, directory).expect("a pool");
    Choice {
        net,
        task,
        candidates: pool.able(),
        list: Some(pool.list()),
        directory,
        held: facts.held(),
        practice: facts.practice(net, task),
        now: Time(1_800_000_000_000_000_000),
        seed,
    }
}

fn whole(net: &Net, task: &str, directory: &Directory, facts: &Facts) -> usize {
    let case = Case::unborn(CaseId(1));
    let input = BTreeMap::from([("which".to_owned(), actum_model::Value::String(task.to_owned()))]);
    let now = Time(1_800_000_000_000_000_000);
    let context = Context { seed: 1, resources: Some(facts), ..Context::new(now, ActorId::ENGINE, directory) };
    let decided = decide(net, &case, &CaseCommand::StartCase { input }, &context).expect("a decision");
    let given = decided.iter().any(|one| matches!(one.event, CaseEvent::WorkAllocated { .. }));
    assert!(given, "somebody got it");
    decided.len()
}

fn scan(directory: &Directory) -> Option<ActorId> {
    let able = |actor: &actum_model::Actor| {
        actor.active
            && actor.roles.iter().any(|role| role == "clerk")
            && actor.level("audit").is_some_and(|level| level >= 2)
    };
    directory
        .iter()
        .filter(|(_, actor)| able(actor))
        .min_by_key(|(_, actor)| actor.figures.cost_milli)
        .map(|(id, _)| id)
}

fn print(what: &str, nanoseconds: f64) {
    println!("  {what:<45} {nanoseconds:>10.1} ns");
}

/// Nanoseconds of one call, in the best of some rounds.
fn best<T>(calls: u32, mut run: impl FnMut() -> T) -> f64 {
    let mut round = || {
        let begin = Instant::now();
        for _ in 0..calls {
            black_box(run());
        }
        begin.elapsed().as_nanos() as f64 / f64::from(calls)
    };
    (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min)
}
