//! The private keys, held against what the log says.

use std::path::Path;

use actum::{KeyFile, KeyFileState, KeyFiles};
use actum_log::KeyError;

use super::Finding;
use crate::engine::{NEXT_KEY, SEAL_KEY};
use crate::failure::{Exit, chain};
use crate::log::KeyStates;

/// Without `states` the log cannot be believed, and what keys it wants is unknown.
pub(super) fn look(data: &Path, states: Option<&KeyStates>, findings: &mut Vec<Finding>) {
    let Some(states) = states else { return };
    if std::env::var_os(SEAL_KEY).is_some() {
        return from_environment(states, findings);
    }
    let files = KeyFiles::of(data);
    let found = files.states(&states.ring());
    let in_force = found.iter().find(|(_, state)| matches!(state, KeyFileState::InForce)).map(|(file, _)| *file);
    let next = found.iter().find(|(_, state)| matches!(state, KeyFileState::Next)).map(|(file, _)| *file);
    if in_force.is_some_and(|file| file != KeyFile::Seal) || next == Some(KeyFile::AfterNext) {
        findings.push(Finding::note(
            "key/rotation-interrupted",
            "a rotation was logged, but the key files were not all renamed",
            "nothing; the next opening finishes it",
        ));
    }
    for (file, state) in &found {
        match file {
            KeyFile::Seal if in_force.is_none() => findings.push(seal(&files, state)),
            KeyFile::Next if next.is_none() && states.next.is_some() => findings.push(next_key(&files, state)),
            _ => {}
        }
    }
}

fn seal(files: &KeyFiles, state: &KeyFileState) -> Finding {
    let path = files.path(KeyFile::Seal);
    let path = path.display();
    let remedy = "restore it from where you keep a copy; if there is none, put the next key in force with `actum key revoke --lost`";
    match state {
        KeyFileState::Missing => Finding::problem(
            "key/seal-missing",
            Exit::NotFound,
            format!("{path}, the key in force, is missing: the log can be read, not written"),
            remedy,
        ),
        KeyFileState::Unusable(error) => unusable("key/seal", &path, error, remedy),
        _ => Finding::problem(
            "key/seal-mismatch",
            Exit::Tampered,
            format!(
                "{path} holds another key than the one that the log says is in force: the log can be read, not written"
            ),
            remedy,
        ),
    }
}

fn next_key(files: &KeyFiles, state: &KeyFileState) -> Finding {
    let path = files.path(KeyFile::Next);
    let path = path.display();
    let remedy = "restore it from where you keep a copy; without it the key in force can never be rotated, nor replaced if it is stolen";
    match state {
        KeyFileState::Missing => Finding::problem(
            "key/next-missing",
            Exit::NotFound,
            format!("{path}, the next key, is missing; the log itself is sound and can be written"),
            remedy,
        ),
        KeyFileState::Unusable(error) => unusable("key/next", &path, error, remedy),
        _ => Finding::problem(
            "key/next-mismatch",
            Exit::Tampered,
            format!(
                "{path} does not fit the digest that the log committed; the log itself is sound and can be written"
            ),
            remedy,
        ),
    }
}

fn unusable(code: &str, path: &dyn std::fmt::Display, error: &KeyError, remedy: &str) -> Finding {
    let what = format!("{path} cannot be used: {}", chain(error));
    match error {
        KeyError::Permissions(_) => {
            let remedy = format!("give it to its owner alone: chmod 600 {path}");
            Finding::problem(&format!("{code}-permissions"), Exit::Unavailable, what, remedy)
        }
        KeyError::Io(_) => {
            let remedy = "run this as the user who runs the engine, or mend the permissions";
            Finding::problem(&format!("{code}-unreadable"), Exit::Unavailable, what, remedy)
        }
        _ => Finding::problem(&format!("{code}-corrupt"), Exit::Corrupt, what, remedy),
    }
}

fn from_environment(states: &KeyStates, findings: &mut Vec<Finding>) {
    let key = |variable| actum::signer_from_env(variable).map(|signer| signer.map(|signer| signer.public_key()));
    match key(SEAL_KEY) {
        Ok(Some(key)) if key == states.in_force() => {}
        // The next one may have come into force.
        Ok(_) if matches!(key(NEXT_KEY), Ok(Some(key)) if key == states.in_force()) => {}
        Ok(_) => findings.push(Finding::problem(
            "key/seal-mismatch",
            Exit::Tampered,
            format!("{SEAL_KEY} holds another key than the one that the log says is in force"),
            "set it to the key that `actum key show` names, or unset it to use the key files",
        )),
        Err(error) => findings.push(Finding::problem(
            "key/seal-corrupt",
            Exit::Corrupt,
            chain(&error),
            "set it to the key's whole PEM, or unset it to use the key files",
        )),
    }
}
