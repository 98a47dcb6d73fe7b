//! Reading logs. Whatever is read is verified on the way, so that no command shows what does not verify.
//!
//! [`open()`] gives the bytes of an archive: a file's, or those that a child process makes of a data directory
//! ([`child`]: the storage engine aborts its process on some damaged files). [`verified`] turns them into blocks that
//! were judged, whose records `actum-replay` takes.

mod child;
mod interruption;
mod key_states;
mod nature;
mod open;
mod partitions;
mod target;
mod verified;

pub(crate) use child::{Problem, Served, examine, probe};
pub(crate) use key_states::KeyStates;
pub(crate) use nature::what;
pub(crate) use open::{OpenLog, open, open_tail};
pub(crate) use partitions::only_one;
pub(crate) use target::{NewFile, Target};
pub(crate) use verified::{explain, judge, read};
