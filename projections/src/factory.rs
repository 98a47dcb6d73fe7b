//! How projections are made, and a set of them that is fed together.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use crate::{Projection, Recorded};

/// Makes projections of one type, each empty: to run one, to rebuild one beside it, to fold one for a checkpoint.
#[derive(Clone)]
pub struct Factory {
    name: &'static str,
    version: u32,
    make: Arc<dyn Fn() -> Arc<dyn Projection> + Send + Sync>,
}

impl Factory {
    /// From a function that makes an empty projection.
    pub fn new<P: Projection>(make: impl Fn() -> P + Send + Sync + 'static) -> Self {
        let make = move || Arc::new(make()) as Arc<dyn Projection>;
        let one = make();
        Factory { name: one.name(), version: one.version(), make: Arc::new(make) }
    }

    /// Name of what it makes.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Version of what it makes.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// A new, empty projection.
    #[must_use]
    pub fn make(&self) -> Arc<dyn Projection> {
        (self.make)()
    }
}

impl fmt::Debug for Factory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Factory").field("name", &self.name).field("version", &self.version).finish_non_exhaustive()
    }
}

/// Two projections of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are two projections named {0}")]
pub struct DuplicateName(pub &'static str);

/// Projections that are fed together, each with what makes its like. Any of them can be replaced while it is read.
pub struct Projections {
    factories: Vec<Factory>,
    /// In the order of the factories.
    running: RwLock<Arc<[Arc<dyn Projection>]>>,
}

impl Projections {
    /// One of each, empty.
    ///
    /// # Errors
    /// Two have the same name.
    pub fn new(factories: Vec<Factory>) -> Result<Self, DuplicateName> {
        let twice = |(index, one): (usize, &Factory)| factories[..index].iter().any(|other| other.name == one.name);
        if let Some((_, factory)) = factories.iter().enumerate().find(|one| twice(*one)) {
            return Err(DuplicateName(factory.name));
        }
        let running = RwLock::new(factories.iter().map(Factory::make).collect());
        Ok(Projections { factories, running })
    }

    /// What makes each, in the order in which they are fed.
    #[must_use]
    pub fn factories(&self) -> &[Factory] {
        &self.factories
    }

    /// Those that run, in the order of their factories.
    #[must_use]
    pub fn running(&self) -> Arc<[Arc<dyn Projection>]> {
        self.running.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Feeds all of them the next events of the log.
    pub fn feed(&self, batch: &[Recorded<'_>]) {
        self.running().iter().for_each(|projection| projection.feed(batch));
    }

    /// The one of a type.
    #[must_use]
    pub fn get<P: Projection>(&self) -> Option<Arc<P>> {
        self.running().iter().find_map(|projection| (projection.clone() as Arc<dyn Any + Send + Sync>).downcast().ok())
    }

    /// The one of a name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Arc<dyn Projection>> {
        self.running().iter().find(|projection| projection.name() == name).cloned()
    }

    /// Puts another in the place of the one of its name; gives that back. `None`, and nothing changes, if there is none. What is
    /// fed meanwhile may still go to the old one: feeding must be held meanwhile.
    pub fn replace(&self, with: Arc<dyn Projection>) -> Option<Arc<dyn Projection>> {
        let mut running = self.running.write().unwrap_or_else(PoisonError::into_inner);
        let index = running.iter().position(|projection| projection.name() == with.name())?;
        let mut all = running.to_vec();
        let old = std::mem::replace(&mut all[index], with);
        *running = all.into();
        Some(old)
    }
}

impl fmt::Debug for Projections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Projections").field("factories", &self.factories).finish_non_exhaustive()
    }
}
