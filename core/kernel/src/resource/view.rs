//! A participant as the filters of a net see one: the map `who`.

use std::collections::BTreeMap;

use actum_model::{ActorId, Control, Decimal, Directory, Value};
use actum_net::Net;

use super::Held;

/// Digits behind the point of a figure in thousandths.
const MILLI_SCALE: u8 = 3;

/// | key | value |
/// |---|---|
/// | `name` | text |
/// | `roles`, `positions`, `groups` | lists of text |
/// | `capabilities` | map from name to level |
/// | `cost`, `experience`, `speed`, `risk` | decimals |
/// | `queue`, `load` | how many items they have not begun, and in all |
/// | `did` | tasks that they completed in this case: list of text |
pub(super) fn who(net: &Net, control: &Control, directory: &Directory, held: Held<'_>, actor: ActorId) -> Value {
    let Some(known) = directory.actor(actor) else { return Value::Null };
    let texts = |list: &[String]| Value::List(list.iter().cloned().map(Value::String).collect());
    let milli = |number: u64| {
        let mantissa = i64::try_from(number).unwrap_or(i64::MAX);
        Value::Decimal(Decimal { mantissa, scale: MILLI_SCALE })
    };
    let count = |column: &[u32]| {
        let index = (actor.0 as usize).wrapping_sub(1);
        Value::Int(i64::from(column.get(index).copied().unwrap_or(0)))
    };
    let capabilities = known.capabilities.iter().map(|(name, level)| (name.clone(), Value::Int(i64::from(*level))));
    let did = control.performers.iter().filter(|(_, who)| *who == actor);
    let did = did.map(|(task, _)| Value::String(net.task_label(*task))).collect();
    let entries = [
        ("name", Value::String(known.name.clone())),
        ("roles", texts(&known.roles)),
        ("positions", texts(&known.positions)),
        ("groups", texts(&known.groups)),
        ("capabilities", Value::Map(capabilities.collect())),
        ("cost", milli(known.figures.cost_milli)),
        ("experience", milli(known.figures.experience_milli)),
        ("speed", milli(known.figures.speed_milli)),
        ("risk", milli(known.figures.risk_milli)),
        ("queue", count(held.queued)),
        ("load", count(held.all)),
        ("did", Value::List(did)),
    ];
    Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<BTreeMap<_, _>>())
}
