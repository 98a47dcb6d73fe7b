//! What every projection promises, checked on a history.

use crate::history::feed;
use crate::{Factory, History, Projection};

/// A promise that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("projection {name}: {what}")]
pub struct Broken {
    /// The projection.
    pub name: &'static str,
    /// What it does that it should not, in words.
    pub what: String,
}

/// Checks that the same history gives the same bytes: event by event and in batches, when it is saved and restored in the middle,
/// and, for a projection that goes by stream, in another order of streams.
///
/// # Errors
/// The first promise that does not hold.
pub fn promises(history: &History, factory: &Factory) -> Result<(), Broken> {
    let broken = |what: &str| Broken { name: factory.name(), what: what.to_owned() };
    let all = factory.make();
    history.feed(&*all);
    let bytes = all.snapshot();
    if all.snapshot() != bytes {
        return Err(broken("two snapshots of one state differ"));
    }
    let singly = factory.make();
    history.events().iter().for_each(|event| singly.apply(&event.recorded()));
    if singly.snapshot() != bytes {
        return Err(broken("events fed in a batch make something else than one after the other"));
    }
    let middle = history.events().len() / 2;
    if saved_on_the_way(history, factory, middle)?.snapshot() != bytes {
        return Err(broken("saved and restored in the middle of the history, it ends elsewhere"));
    }
    let ordered = factory.make();
    history.stream_by_stream().feed(&*ordered);
    if all.by_stream() && ordered.snapshot() != bytes {
        return Err(broken("it says that it goes by stream, but another order of streams ends elsewhere"));
    }
    Ok(())
}

/// Folds up to an event, saves, restores into another, and folds the rest.
fn saved_on_the_way(
    history: &History,
    factory: &Factory,
    index: usize,
) -> Result<std::sync::Arc<dyn Projection>, Broken> {
    let (before, after) = history.events().split_at(index);
    let (one, other) = (factory.make(), factory.make());
    feed(before, &*one);
    let bytes = one.snapshot();
    other
        .restore(&bytes)
        .map_err(|error| Broken { name: factory.name(), what: format!("it cannot restore what it saved: {error}") })?;
    feed(after, &*other);
    Ok(other)
}
