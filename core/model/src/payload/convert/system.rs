//! Events about the log, the engine and the directory.

#[allow(clippy::wildcard_imports, reason = "every stored type, and nothing else, is in that module")]
use super::super::{Encoded, v1::*, v2::*};
use super::{into_event, stored, stored_as};
use crate::{
    ActorId, NetHash,
    cbor::CborError,
    event::{Event, ReplacedHead, RestoreSource, SystemEvent},
};

pub(super) fn encode(event: &SystemEvent) -> Encoded {
    match event {
        SystemEvent::EngineOpened { software, blocks, events, unacknowledged_blocks, dropped_bytes, torn_heads } => {
            stored_as(
                256,
                2,
                &EngineOpenedV2 {
                    software: software.clone(),
                    blocks: *blocks,
                    events: *events,
                    unacknowledged_blocks: *unacknowledged_blocks,
                    dropped_bytes: *dropped_bytes,
                    torn_heads: *torn_heads,
                },
            )
        }
        SystemEvent::LogRestored { source, size, block, block_hash, replaced } => stored(
            257,
            &LogRestoredV1 {
                from_directory: *source == RestoreSource::Directory,
                size: *size,
                block: *block,
                block_hash: *block_hash,
                replaced: replaced.map(|ReplacedHead { size, block, block_hash }| ReplacedHeadV1 {
                    size,
                    block,
                    block_hash,
                }),
            },
        ),
        SystemEvent::NetDeployed { net, name, canonical } => {
            stored(272, &NetDeployedV1 { net: net.0, name: name.clone(), canonical: canonical.clone() })
        }
        SystemEvent::ActorRegistered { actor, name, roles } => {
            stored(288, &ActorRegisteredV1 { actor: actor.0, name: name.clone(), roles: roles.clone() })
        }
        SystemEvent::ActorRolesChanged { actor, roles } => {
            stored(289, &ActorRolesChangedV1 { actor: actor.0, roles: roles.clone() })
        }
        SystemEvent::Saved(event) => crate::payload::saved::encode(event),
        SystemEvent::Breaker(event) => crate::payload::policy::encode_breaker(event),
        SystemEvent::Organisation(event) => crate::payload::organisation::encode(event),
        SystemEvent::Message(event) => crate::payload::durable::encode_message(event),
        SystemEvent::Start(event) => crate::payload::durable::encode_start(event),
        SystemEvent::SchemaDescribed { kind, schema, name, layout } => {
            stored(304, &SchemaDescribedV1 { kind: *kind, schema: *schema, name: name.clone(), layout: layout.clone() })
        }
    }
}

into_event! {
    EngineOpenedV1: System => |v| SystemEvent::EngineOpened {
        software: v.software,
        blocks: v.blocks,
        events: v.events,
        unacknowledged_blocks: v.unacknowledged_blocks,
        dropped_bytes: 0,
        torn_heads: 0,
    };
    EngineOpenedV2: System => |v| SystemEvent::EngineOpened {
        software: v.software,
        blocks: v.blocks,
        events: v.events,
        unacknowledged_blocks: v.unacknowledged_blocks,
        dropped_bytes: v.dropped_bytes,
        torn_heads: v.torn_heads,
    };
    LogRestoredV1: System => |v| SystemEvent::LogRestored {
        source: if v.from_directory { RestoreSource::Directory } else { RestoreSource::Archive },
        size: v.size,
        block: v.block,
        block_hash: v.block_hash,
        replaced: v.replaced.map(|head| ReplacedHead { size: head.size, block: head.block, block_hash: head.block_hash }),
    };
    NetDeployedV1: System => |v| SystemEvent::NetDeployed { net: NetHash(v.net), name: v.name, canonical: v.canonical };
    ActorRegisteredV1: System => |v| SystemEvent::ActorRegistered { actor: ActorId(v.actor), name: v.name, roles: v.roles };
    ActorRolesChangedV1: System => |v| SystemEvent::ActorRolesChanged { actor: ActorId(v.actor), roles: v.roles };
    SchemaDescribedV1: System => |v| SystemEvent::SchemaDescribed {
        kind: v.kind,
        schema: v.schema,
        name: v.name,
        layout: v.layout,
    };
}
