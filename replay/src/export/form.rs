//! What every form of export is: text that grows entry by entry.

use super::Entry;

/// Text that an export has made so far. Its user writes it somewhere and clears it, as often as it likes.
#[derive(Debug, Default)]
pub struct Parts {
    /// The file, as it grows; of a form that asks for [`Parts::objects`], its list of events.
    pub events: String,
    /// The list of objects: kept aside while events go on coming.
    pub objects: String,
}

/// Whose log it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The id of its genesis.
    pub log: [u8; 16],
    /// Its origin.
    pub origin: String,
}

/// A form of export. The same entries give the same text.
pub trait Form {
    /// What comes before all entries.
    fn begin(&mut self, identity: &Identity, parts: &mut Parts);

    /// An entry, in the order of the log.
    fn entry(&mut self, entry: &Entry<'_>, parts: &mut Parts);

    /// Everything that was held back: of cases that have not ended.
    fn finish(&mut self, parts: &mut Parts);
}
