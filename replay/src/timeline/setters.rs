//! Who set a variable.

use actum_model::{FrameId, Seq, Time, Value};

use super::Story;
use crate::{ReplayError, names};

/// One event that set a variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Where in the log.
    pub seq: Seq,
    /// Which event of the case.
    pub version: u64,
    /// When.
    pub time: Time,
    /// What kind of event.
    pub kind: &'static str,
    /// The task whose work it was, if it was work.
    pub task: Option<String>,
    /// The running subnet whose variable it was; the root's for the case's own.
    pub frame: FrameId,
    /// Who.
    pub actor: String,
    /// For whom.
    pub on_behalf_of: Option<String>,
    /// What was there; `None` if nothing was.
    pub before: Option<Value>,
    /// What is there now.
    pub after: Value,
}

/// Every event of a case that set a variable, oldest first; also those that set it to what it was. A subnet's variable is
/// meant by `subnet/name`, or by its name alone if the case itself has none of that name.
///
/// # Errors
/// The net has no such variable, or is not in the log.
pub fn setters(story: &Story, name: &str) -> Result<Vec<Setting>, ReplayError> {
    let net = story.net().ok_or(ReplayError::NoNet { case: story.case() })?;
    let meant = |subnet: &str, variable: &str| name == variable || name.split_once('/') == Some((subnet, variable));
    let mut wanted: Vec<_> = net.variable(name).into_iter().collect();
    if wanted.is_empty() {
        let variables = net.variables.iter().enumerate();
        let of_subnets = variables.filter(|(_, variable)| {
            net.subnets.get(variable.subnet.index()).is_some_and(|subnet| meant(&subnet.name, &variable.name))
        });
        wanted = of_subnets.map(|(index, _)| actum_model::VariableIx::of(index)).collect();
    }
    if wanted.is_empty() {
        let known: Vec<&str> = net.variables.iter().map(|variable| variable.name.as_str()).collect();
        let there =
            if known.is_empty() { "it has none".to_owned() } else { format!("there are: {}", known.join(", ")) };
        return Err(ReplayError::NoVariable { name: name.to_owned(), there });
    }
    let mut cursor = super::Cursor::new(story);
    let mut settings = Vec::new();
    for logged in story.events() {
        let Some((_, event)) = logged.of_case() else { continue };
        for change in event.changes().iter().filter(|change| wanted.contains(&change.variable)) {
            let frame = cursor.state().control.frame_of(event);
            settings.push(Setting {
                seq: logged.meta.seq,
                version: logged.meta.version,
                time: logged.meta.time,
                kind: logged.kind(),
                task: event.work().map(|(_, task)| names::task(Some(net), task)),
                frame,
                actor: story.actor(logged.meta.actor),
                on_behalf_of: logged.on_behalf_of.map(|actor| story.actor(actor)),
                before: cursor.state().variable_in(frame, change.variable).cloned(),
                after: change.value.clone(),
            });
        }
        cursor.forward();
    }
    Ok(settings)
}
