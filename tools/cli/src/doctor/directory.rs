//! The directory itself: genesis, heads, lock, permissions, space, what was left over.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;

use actum_fjall::{Corruption, Defect, DirectoryState, HeadState, OpenError};

use super::Finding;
use crate::failure::{Exit, chain, plain};

/// Below this a running engine soon finds no room: its journals alone may take as much.
const SPACE_LOW_BYTES: u64 = 256 << 20;
/// Below this an engine cannot begin to write.
const SPACE_NONE_BYTES: u64 = 16 << 20;

const RESTORE: &str = "keep the directory as evidence, and restore a backup with `actum recover --from BACKUP`";

/// What lies there; `None` when it cannot be looked into or is no log.
pub(super) fn look(data: &Path, findings: &mut Vec<Finding>) -> Option<DirectoryState> {
    let place = data.display();
    if data.is_file() {
        let remedy = "name a data directory; an archive is checked by `actum verify`";
        findings.push(Finding::problem("directory/file", Exit::NotFound, format!("{place} is a file"), remedy));
        return None;
    }
    let state = match actum_fjall::state(data) {
        Ok(state) => state,
        Err(OpenError::NotFound(_)) => {
            let what = format!("there is no directory {place}");
            findings.push(Finding::problem(
                "directory/missing",
                Exit::NotFound,
                what,
                "check the name given with --data",
            ));
            return None;
        }
        Err(error) => {
            findings.push(inaccessible(data, &error));
            return None;
        }
    };
    match &state.genesis {
        Ok(_) => Some(state),
        Err(OpenError::Unfinished(_)) => {
            let what = "creating the log was interrupted; nothing was acknowledged, nothing is lost";
            findings.push(Finding::problem(
                "creation/interrupted",
                Exit::NotFound,
                what,
                "start the engine again (`actum run`): it creates the log anew",
            ));
            None
        }
        Err(OpenError::NotFound(_)) => {
            let what = format!("there is no log in {place}");
            let remedy = "check the name given with --data, or start a log with `actum run FILE`";
            findings.push(Finding::problem("directory/no-log", Exit::NotFound, what, remedy));
            None
        }
        Err(OpenError::Corrupt(Corruption { defect: Defect::Missing, .. })) => {
            let what = "the genesis is missing, but other files of a log are there";
            findings.push(Finding::problem("genesis/missing", Exit::Corrupt, what, RESTORE));
            None
        }
        Err(error @ (OpenError::Inaccessible { .. } | OpenError::Io { .. })) => {
            findings.push(inaccessible(data, error));
            None
        }
        Err(error) => {
            findings.push(Finding::problem("genesis/corrupt", Exit::Corrupt, error.to_string(), RESTORE));
            None
        }
    }
}

fn inaccessible(data: &Path, error: &OpenError) -> Finding {
    let what = format!("{}: {}", data.display(), chain(error));
    match error {
        OpenError::Inaccessible { source, .. } if source.kind() == ErrorKind::PermissionDenied => {
            let remedy = "run this as the user who runs the engine, or mend the permissions";
            Finding::problem("directory/permissions", Exit::Unavailable, what, remedy)
        }
        _ => Finding::problem("disk/failed", Exit::Failure, what, "check the disk (system log, `dmesg`)"),
    }
}

pub(super) fn heads(state: &DirectoryState, data: &Path, findings: &mut Vec<Finding>) {
    if !state.has_store {
        findings.push(Finding::problem("store/missing", Exit::Corrupt, "the directory `store` is missing", RESTORE));
    }
    for (partition, head) in state.heads.iter().enumerate() {
        let name = format!("head-{partition}");
        match head {
            HeadState::Whole(_) => {}
            HeadState::Torn(_) => findings.push(Finding::note(
                "head/torn",
                format!("{name}: the newest of its two slots was written only in part, as a power loss leaves it; the other counts"),
                "nothing; the next opening says it in the log",
            )),
            HeadState::Foreign(_) => findings.push(Finding::problem(
                "head/foreign",
                Exit::Tampered,
                format!("{name} belongs to another log than the genesis"),
                RESTORE,
            )),
            HeadState::Unreadable(OpenError::Corrupt(Corruption { defect: Defect::Missing, .. })) => {
                findings.push(Finding::problem(
                    "head/missing",
                    Exit::Corrupt,
                    format!("{name} is missing, so nobody can tell whether acknowledged events are lost"),
                    RESTORE,
                ));
            }
            HeadState::Unreadable(error @ (OpenError::Inaccessible { .. } | OpenError::Io { .. })) => {
                findings.push(inaccessible(data, error));
            }
            HeadState::Unreadable(error) => {
                findings.push(Finding::problem("head/corrupt", Exit::Corrupt, error.to_string(), RESTORE));
            }
        }
    }
}

pub(super) fn surroundings(data: &Path, state: &DirectoryState, findings: &mut Vec<Finding>) {
    lock(data, findings);
    permissions(data, findings);
    space(data, findings);
    if state.has_creating {
        findings.push(Finding::note(
            "creation/left-over",
            "an empty directory `creating` is left over from creating the log",
            "nothing; the next opening removes it",
        ));
    }
    let restoring = data.file_name().map(|name| data.with_file_name(format!(".{}.restoring", name.to_string_lossy())));
    if let Some(path) = restoring.filter(|path| path.exists()) {
        findings.push(Finding::warning(
            "recover/left-over",
            format!(
                "{} is left over from a recovery that was interrupted, or belongs to one that is running",
                path.display()
            ),
            "if none is running, give the same `actum recover` again, or remove it",
        ));
    }
    for path in actum_fjall::leftovers(data) {
        findings.push(Finding::warning(
            "scratch/left-over",
            format!("the scratch copy {} is left over from a process that was killed", path.display()),
            "nothing; the next command that reads a log there removes it",
        ));
    }
}

fn lock(data: &Path, findings: &mut Vec<Finding>) {
    match actum_fjall::lock_holder(data) {
        Ok(None) => {}
        Ok(Some(holder)) => {
            let who = holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
            findings.push(Finding::note(
                "directory/locked",
                format!("{who} has the log open for writing"),
                "nothing, unless you want to write too: stop that process first",
            ));
        }
        Err(error) => findings.push(Finding::warning(
            "directory/locked",
            format!("whether an engine runs cannot be told: {}", plain(&error)),
            "run this as the user who runs the engine",
        )),
    }
}

/// Whether we could write; nothing is written.
fn permissions(data: &Path, findings: &mut Vec<Finding>) {
    if let Err(error) = OpenOptions::new().write(true).open(data.join("head-0"))
        && matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
    {
        findings.push(Finding::problem(
            "directory/permissions",
            Exit::Unavailable,
            format!("this user may read the log, but not write it: {}", plain(&error)),
            "run the engine as the directory's owner, or mend the permissions",
        ));
    }
}

fn space(data: &Path, findings: &mut Vec<Finding>) {
    let Ok(free) = actum_fjall::free_bytes(data) else { return };
    let what = format!("{} MiB are free on the disk of {}", free >> 20, data.display());
    let remedy = "make room before the engine stops; what was acknowledged is safe then too";
    if free < SPACE_NONE_BYTES {
        findings.push(Finding::problem(
            "disk/full",
            Exit::Unavailable,
            what,
            "make room; nothing can be written until then",
        ));
    } else if free < SPACE_LOW_BYTES {
        findings.push(Finding::warning("disk/low", what, remedy));
    }
}
