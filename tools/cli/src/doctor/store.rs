//! The store: opened by a child process on a scratch copy, then verified.

use std::path::Path;

use actum_fjall::DirectoryState;
use actum_verify::Trust;

use super::Finding;
use crate::failure::{Exit, Failure, advice};
use crate::log::{self, KeyStates};
use crate::number::{counted, grouped};
use crate::output::Format;
use crate::progress;

const RESTORE: &str = "keep the directory as evidence, and restore a backup with `actum recover --from BACKUP`";

/// Opens and verifies; gives the log's keys when it is sound.
pub(super) fn look(
    data: &Path,
    state: &DirectoryState,
    format: Format,
    findings: &mut Vec<Finding>,
) -> Option<KeyStates> {
    let served = match log::examine(data) {
        Ok(served) => served,
        Err(Failure::Said { exit, sentence }) => {
            findings.push(Finding::problem("store/aborts", exit, without_advice(&sentence, exit), RESTORE));
            return None;
        }
        Err(Failure::BrokenPipe) => return None,
    };
    if let Some(problem) = served.problem {
        let exit = Exit::of_code(problem.exit.into()).unwrap_or(Exit::Failure);
        findings.push(Finding::problem(
            &problem.code,
            exit,
            without_advice(&problem.message, exit),
            remedy(&problem.code),
        ));
        return None;
    }
    if let Some(bytes) = served.dropped_bytes {
        findings.push(Finding::note(
            "store/torn-tail",
            format!("the store ends with {bytes} bytes of a commit that is not whole and that nobody was promised"),
            "nothing; the next opening drops it and says so in the log",
        ));
    }
    verify(data, state, format, findings)
}

fn remedy(code: &str) -> &'static str {
    match code {
        "store/behind-head" => {
            "acknowledged events are lost: keep the directory as evidence, look for its newest backup, and restore that with \
             `actum recover --from BACKUP --accept-loss`"
        }
        "directory/permissions" => "run this as the user who runs the engine, or mend the permissions",
        "disk/full" => "make room, then look again",
        "disk/failed" => "check the disk (system log, `dmesg`)",
        "store/unavailable" => "try again; if there is no room for a scratch copy, make some or set TMPDIR",
        _ => RESTORE,
    }
}

fn verify(data: &Path, state: &DirectoryState, format: Format, findings: &mut Vec<Finding>) -> Option<KeyStates> {
    let bar = progress::bar(format, "verifying", None);
    let opened = log::open(data).and_then(|mut log| {
        log::read(&mut log, &Trust::self_signed(), &bar, |verified| {
            let genesis = verified.genesis();
            Ok(KeyStates::read(&genesis, verified.records()))
        })
    });
    let (verdict, states) = match opened {
        Ok(verified) => verified,
        Err(Failure::Said { exit, sentence }) => {
            let code = if exit == Exit::Tampered { "log/tampered" } else { "log/corrupt" };
            findings.push(Finding::problem(code, exit, without_advice(&sentence, exit), RESTORE));
            return None;
        }
        Err(Failure::BrokenPipe) => return None,
    };
    findings.push(Finding::note(
        "log/verified",
        format!(
            "the log verifies: {} in {}, on its own word",
            counted(verdict.events(), "event"),
            counted(verdict.blocks(), "block")
        ),
        "",
    ));
    for partition in &verdict.partitions {
        if partition.unacknowledged_blocks > 0 {
            findings.push(Finding::note(
                "store/ahead",
                format!(
                    "the last {} after event {} were stored but not acknowledged when the writer stopped",
                    counted(partition.unacknowledged_blocks, "block"),
                    grouped(
                        state
                            .heads
                            .get(usize::from(partition.partition))
                            .and_then(|head| head.head())
                            .map_or(0, |head| head.size)
                    ),
                ),
                "nothing; the next opening takes them in and says so in the log",
            ));
        }
    }
    states.ok()
}

/// The remedy is said in its own place.
fn without_advice(sentence: &str, exit: Exit) -> String {
    sentence.trim_end_matches(advice(exit)).to_owned()
}
