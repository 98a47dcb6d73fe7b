//! The canonical form: what the log stores and the hash covers.
//!
//! It is a net file in JSON without spaces: keys sorted by bytes, defaults left out, shorthands written out (`flow: end`
//! becomes `[{"to":"end"}]`), lists only where order means something. `play` is part of it: a net is what was deployed, as a whole.
//! So comments, spelling and the order of keys do not change a net's hash; everything else does.

mod json;
mod object;
mod play;
mod policies;
mod starts;
mod subnet;
mod task;

use actum_model::Value;

use crate::net::Net;
use crate::read::{Draft, LANGUAGE_VERSION, Name};
use object::Object;

pub(crate) use json::write_string;

/// The derive-key context of a net's hash.
pub(crate) const HASH_CONTEXT: &str = "actum 2026 net 1";

/// Bytes that are not the canonical form of a net.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// The bytes are a net, but written differently: no log of this version holds them.
    #[error("the net is not in its canonical form")]
    NotCanonical,
    /// The bytes are not a net that may run.
    #[error("not a net: {0}")]
    NotANet(String),
}

impl Net {
    /// Makes the net of a canonical form again: equal in every part to the one that was compiled from the source.
    ///
    /// # Errors
    /// [`CanonicalError`], when the bytes are anything else than what [`Net::canonical`] was.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, CanonicalError> {
        let text = std::str::from_utf8(bytes).map_err(|error| CanonicalError::NotANet(error.to_string()))?;
        let net = crate::compile(text)
            .map_err(|found| CanonicalError::NotANet(found.first().map_or_else(String::new, ToString::to_string)))?
            .net;
        if net.canonical == bytes { Ok(net) } else { Err(CanonicalError::NotCanonical) }
    }
}

/// Writes a draft that has no errors, and whose parts are sorted.
pub(crate) fn write(draft: &Draft) -> String {
    let mut text = String::new();
    json::write_value(&mut text, &document(draft));
    text
}

fn string(text: &str) -> Value {
    Value::String(text.to_owned())
}

/// Names in an order that means nothing.
fn sorted(names: &[Name]) -> Value {
    let mut names: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    Value::List(names.into_iter().map(string).collect())
}

/// Such names, unless there are none.
fn some(names: &[Name]) -> Option<Value> {
    (!names.is_empty()).then(|| sorted(names))
}

fn document(draft: &Draft) -> Value {
    let roles = draft
        .roles
        .iter()
        .map(|role| (role.name.text.clone(), Object::default().text("title", role.title.as_ref()).done()));
    let (root, nets) = (&draft.subnets[0], &draft.subnets[1..]);
    subnet::write(root)
        .with("actum", Some(Value::Int(LANGUAGE_VERSION)))
        .with("net", Some(string(&root.name.text)))
        .text("version", draft.version.as_ref())
        .map("roles", roles)
        .map("nets", nets.iter().map(|net| (net.name.text.clone(), subnet::write(net).done())))
        .with("exceptions", task::exceptions(&draft.exceptions))
        .with("policies", policies::of_net(&draft.policies))
        .map("starts", starts::starts(&draft.starts))
        .with("play", play::write(&draft.play))
        .done()
}
