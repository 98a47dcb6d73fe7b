//! A small office that the kernel runs.

use std::collections::BTreeMap;

use actum_kernel::{Context, decide};
use actum_model::{ActorId, Case, CaseCommand, CaseEvent, CaseId, Directory, ItemId, SystemEvent, Time, Value};
use actum_net::Net;
use actum_projections::History;
use actum_projections::kit::Given;

pub(crate) const ANA: ActorId = ActorId(1);
pub(crate) const BEN: ActorId = ActorId(2);

/// A net of three tasks, run by the kernel: two people approve orders, a handler ships them, and one case rests.
pub(crate) fn office() -> History {
    let checked = actum_net::compile(
        "actum: 1\nnet: order\nroles: { clerk: {} }\nstart: approve\ntasks:\n  \
         approve: { role: clerk, flow: ship }\n  ship: { handler: log, flow: wait }\n  wait: { wait: { for: PT1H }, flow: end }\n",
    );
    let net = checked.expect("the net has no errors").net;
    let mut directory = Directory::default();
    let registered = |actor, name: &str| SystemEvent::ActorRegistered {
        actor,
        name: name.to_owned(),
        roles: vec!["clerk".to_owned()],
    };
    let mut given = Given::new(net.hash);
    for (actor, name) in [(ANA, "ana"), (BEN, "ben")] {
        directory.apply(&registered(actor, name));
        given = given.system((1 << 63) + 4, registered(actor, name));
    }
    let now = Time(1_893_456_000_000_000_000);
    let run = |actor, command| decided(&net, &directory, now, actor, command);
    for case in [CaseId(101), CaseId(102), CaseId(103)] {
        let begun = run(ActorId::ENGINE, CaseCommand::StartCase { input: BTreeMap::new() })(&Case::unborn(case));
        given = given.by(ActorId::ENGINE).case(case, &format!("order-{case}"), begun);
    }
    let item = ItemId(0);
    given = given.by(ANA).when(CaseId(101), run(ANA, CaseCommand::TakeWork { item }));
    given = given.when(CaseId(101), run(ANA, CaseCommand::StartWork { item }));
    let result = Value::Map(BTreeMap::new());
    given = given
        .after(60_000_000_000)
        .when(CaseId(101), run(ANA, CaseCommand::CompleteWork { item, result: result.clone() }));
    given = given.by(BEN).when(CaseId(102), run(BEN, CaseCommand::TakeWork { item }));
    given = given.when(CaseId(102), run(BEN, CaseCommand::StartWork { item }));
    given = given.by(ActorId::ENGINE);
    given = given.when(CaseId(101), run(ActorId::ENGINE, CaseCommand::CompleteWork { item: ItemId(1), result }));
    given = given.when(CaseId(103), run(ActorId::ENGINE, CaseCommand::SuspendCase { until: None }));
    given.then(&[CaseEvent::CaseSuspended]).history()
}

fn decided<'a>(
    net: &'a Net,
    directory: &'a Directory,
    now: Time,
    actor: ActorId,
    command: CaseCommand,
) -> impl FnOnce(&Case) -> Vec<CaseEvent> + 'a {
    move |case| {
        let decided = decide(net, case, &command, &Context::new(now, actor, directory));
        decided.expect("the command is allowed").into_iter().map(|one| one.event).collect()
    }
}
