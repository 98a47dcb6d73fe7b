//! What partition 0 decided for all, told to the others: each logs a copy that names its origin, so that its log stands alone.
//!
//! Told in the order of the origins, after they are durable, and again at opening from where a partition's own log says it has come
//! to ([`super::backlog()`]): so nothing is missed, and what comes twice changes nothing.

use std::sync::Arc;

use actum_log::{Draft, ExtensionFields, Position};
use actum_model::{ActorId, Event, Meta, Seq, SystemEvent, Time, payload};
use actum_net::Net;
use crossbeam_channel::Sender;

use super::seat::OWNER;
use crate::activity::Activity;
use crate::partition::{Partition, Refused, internal};
use crate::request::{Ask, Request, Update};
use crate::views::Views;

/// An event of partition 0 that another one has to know.
pub(crate) struct Told {
    /// Where partition 0 has it.
    pub(crate) origin: Seq,
    pub(crate) stream: u64,
    pub(crate) actor: ActorId,
    pub(crate) event: SystemEvent,
    /// Of a deployment.
    pub(crate) net: Option<Arc<Net>>,
}

/// Whether an event concerns all partitions.
pub(crate) fn concerns_all(event: &SystemEvent) -> bool {
    matches!(
        event,
        SystemEvent::NetDeployed { .. }
            | SystemEvent::ActorRegistered { .. }
            | SystemEvent::ActorRolesChanged { .. }
            | SystemEvent::Organisation(_)
    )
}

/// Tells the other partitions what became durable in partition 0.
pub(crate) struct Teller {
    /// To each of the others; unbounded, as what is told was accepted already.
    pub(crate) others: Vec<Sender<Request>>,
    pub(crate) activity: Activity,
}

impl Teller {
    pub(crate) fn tell_all(&self, updates: &[Update], views: &Views) {
        for update in updates {
            let Update::System { stream, meta, event, .. } = update else { continue };
            if !concerns_all(event) {
                continue;
            }
            let net = if let SystemEvent::NetDeployed { net, .. } = event { views.net(*net) } else { None };
            let Meta { seq: origin, actor, .. } = *meta;
            for other in &self.others {
                let told = Told { origin, stream: *stream, actor, event: event.clone(), net: net.clone() };
                self.tell(other, told);
            }
        }
    }

    /// A partition that has ended is told when the log is opened next.
    pub(crate) fn tell(&self, other: &Sender<Request>, told: Told) {
        let ask = Ask::Told(Box::new(told));
        other.send(Request { ask, reply: None, ongoing: self.activity.begin() }).ok();
    }
}

impl Partition {
    /// Logs a copy of what partition 0 decided, unless it is there already.
    pub(crate) fn hear(&mut self, told: &Told, now: Time) -> Result<(), Refused> {
        let Told { origin, stream, actor, event, net } = told;
        if self.state.told.is_some_and(|last| last >= *origin) {
            return Ok(());
        }
        let remote_cause = Some(Position { partition: OWNER, seq: origin.0 });
        let extensions = ExtensionFields { remote_cause, ..ExtensionFields::default() }.encode().map_err(internal)?;
        let event = Event::System(event.clone());
        let encoded = payload::encode(&event);
        let draft = Draft {
            stream: *stream,
            kind: encoded.kind,
            schema: encoded.schema,
            terminal: false,
            actor: actor.0,
            cause: None,
            time: now.0,
            extensions: extensions.as_ref(),
            payload: &encoded.bytes,
        };
        let pushed = self.push(&draft)?;
        self.state.told = Some(*origin);
        match (&event, net) {
            (Event::System(SystemEvent::NetDeployed { .. }), Some(net)) => {
                self.state.add_net(net.clone(), Time(pushed.time));
            }
            (Event::System(event), _) => self.state.take_in(Seq(pushed.seq), event),
            _ => {}
        }
        // Whoever reads has it from partition 0.
        Ok(())
    }
}
