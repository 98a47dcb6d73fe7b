//! The relation agrees with the kernel on what happens, and not with whoever changes what happened.

/// The nets that the kernel itself is tested with.
#[path = "../../../../core/kernel/tests/drawn/mod.rs"]
mod drawn;
mod forged;
mod people;

use std::collections::BTreeMap;
use std::sync::Arc;

use actum_kernel::resource::{Glance, Held, Practice, ResourceFacts, Standing};
use actum_kernel::{Cause, Context, decide};
use actum_model::{ActorId, Case, CaseCommand, CaseEvent, CaseId, Directory, Meta, Seq, TaskIx, Time};
use actum_net::Net;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::rule::Broken;
use super::run::{Around, Run};

/// Between two commands: enough for any timer of the drawn nets.
const STEP: u64 = 2_000_000_000;

/// What happened in a case.
#[derive(Debug, Clone)]
struct History {
    net: Arc<Net>,
    directory: Directory,
    events: Vec<(Meta, CaseEvent)>,
    /// As it is after them.
    case: Case,
    standing: Standing,
}

#[derive(Debug)]
struct Facts<'a>(&'a Standing);

impl ResourceFacts for Facts<'_> {
    fn held(&self) -> Held<'_> {
        self.0.held()
    }

    fn practice(&self, net: &Net, task: TaskIx) -> Practice<'_> {
        self.0.practice(net.hash, task)
    }
}

impl History {
    fn new(net: Net, directory: Directory) -> Self {
        let case = Case::unborn(CaseId(1));
        History { net: Arc::new(net), directory, events: Vec::new(), case, standing: Standing::default() }
    }

    /// Lets the kernel decide a command. False: it rejects it.
    fn command(&mut self, command: &CaseCommand, actor: ActorId, time: Time) -> bool {
        let facts = Facts(&self.standing);
        let context =
            Context { resources: Some(&facts), seed: time.0 / 7, ..Context::new(time, actor, &self.directory) };
        let Ok(decided) = decide(&self.net, &self.case, command, &context) else { return false };
        let first = self.events.len();
        for one in decided {
            let cause = match one.cause {
                Cause::Request => None,
                Cause::Logged(seq) => Some(seq),
                Cause::Staged(index) => Some(seq_of(first + index)),
            };
            let version = self.events.len() as u64 + 1;
            let meta = Meta { seq: seq_of(self.events.len()), version, time, actor: one.actor, cause };
            let glance = Glance::at(&self.case.control, &one.event);
            self.case.apply(&meta, &one.event);
            self.standing.apply(self.net.hash, &glance, &self.case.control, &meta, &one.event);
            self.events.push((meta, one.event));
        }
        true
    }

    fn start(&mut self, input: BTreeMap<String, actum_model::Value>) {
        assert!(self.command(&CaseCommand::StartCase { input }, ActorId::ENGINE, Time(1)));
    }

    /// Judges it from the beginning: how many events were lawful, whether all was looked at, what is not.
    fn judge(&self) -> (usize, bool, Option<Broken>) {
        let mut run = Run::new(CaseId(1), self.net.clone());
        let (mut standing, mut staged, mut all) = (Standing::default(), Vec::new(), true);
        for (index, (meta, event)) in self.events.iter().enumerate() {
            if meta.time != run.case.changed {
                for (glance, control, meta, event) in staged.drain(..) {
                    Standing::apply(&mut standing, self.net.hash, &glance, &control, &meta, &event);
                }
            }
            let glance = Glance::at(&run.case.control, event);
            let around = Around { directory: &self.directory, standing: &standing, exact: true };
            match run.take(around, meta, event.clone()) {
                Ok(looked) => all &= looked,
                Err(broken) => return (index, all, Some(broken)),
            }
            staged.push((glance, run.case.control.clone(), *meta, event.clone()));
        }
        let around = Around { directory: &self.directory, standing: &standing, exact: true };
        let Some((meta, _)) = self.events.last() else { return (0, all, None) };
        match run.settle(around, &Meta { cause: None, ..*meta }) {
            Ok(looked) => (self.events.len(), all && looked, None),
            Err(broken) => (self.events.len(), all, Some(broken)),
        }
    }

    fn described(&self, upto: usize) -> String {
        let line = |(meta, event): &(Meta, CaseEvent)| {
            format!(
                "{} by {} because {:?} at {}: {event:?}\n",
                meta.seq,
                meta.actor,
                meta.cause.map(|seq| seq.0),
                meta.time.0
            )
        };
        let from = upto.saturating_sub(14);
        self.events.iter().take(upto + 1).skip(from).map(line).collect()
    }
}

fn seq_of(index: usize) -> Seq {
    Seq(index as u64 + 10)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 3_000, max_global_rejects: 20_000, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    /// Whatever the kernel decides is lawful, in nets with every construct, under every sequence of commands.
    #[test]
    fn what_the_kernel_decides_is_lawful(
        root in drawn::drawn(),
        sub in drawn::drawn(),
        orders in prop::collection::vec((0..34_u8, any::<u8>(), 0..7_i64), 1..50),
    ) {
        let net = drawn::net(&root, &sub);
        prop_assume!(net.is_some());
        let Some(net) = net else { return Ok(()) };
        let mut history = History::new(net, Directory::default());
        history.start(BTreeMap::new());
        for (step, order) in orders.into_iter().enumerate() {
            let command = drawn::command(&history.case, order);
            history.command(&command, ActorId::ENGINE, Time((step as u64 + 1) * STEP));
        }
        let (lawful, _, broken) = history.judge();
        prop_assert!(
            broken.is_none(),
            "{broken:?}\n{}\n{}",
            history.described(lawful),
            String::from_utf8_lossy(&history.net.canonical)
        );
    }
}
