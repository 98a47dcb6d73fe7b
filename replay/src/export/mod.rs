//! A log in the forms that process mining reads: XES, OCEL 2.0, CSV.
//!
//! A [`Selection`] makes [`Entry`]s of events; a [`Form`] makes text of entries, bit by bit, into [`Parts`]. Neither reads nor
//! writes files. One more form is one more file here. How events become steps of the standard lifecycle: [`Transition`].

mod csv;
mod entry;
mod form;
mod ocel;
mod selection;
mod text;
mod transition;
mod xes;

pub use csv::{COLUMNS as CSV_COLUMNS, Csv};
pub use entry::{Began, Changed, Data, Ended, Entry, Step};
pub use form::{Form, Identity, Parts};
pub use ocel::{Attribute, AttributeType, Object, Ocel, OcelEvent, OcelJson, OcelXml, Record, Relation, Types};
pub use selection::{Selection, Wanted};
pub(crate) use text::put_xml;
pub use transition::Transition;
pub use xes::Xes;
