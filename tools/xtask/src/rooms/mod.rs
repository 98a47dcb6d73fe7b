//! The rooms: which crate may depend on which, and what each deliberately knows nothing of.
//!
//! This table is the rule; a new crate is one line here. The checks are in [`edges`] and [`absences`].

mod absences;
mod edges;

use anyhow::Result;

use crate::call::Call;
use crate::tidy::Finding;
use crate::tree::Tree;

use absences::{Absence, Licence};
use edges::{Graph, Owner, Room, Uses};

/// Normal and build dependencies between our own crates. Development dependencies may go anywhere.
const ROOMS: [Room; 15] = [
    Room { name: "actum-model", uses: Uses::Only(&[]) },
    Room { name: "actum-net", uses: Uses::Only(&["actum-model"]) },
    Room { name: "actum-kernel", uses: Uses::Only(&["actum-model", "actum-net"]) },
    Room { name: "actum-log", uses: Uses::Only(&[]) },
    Room { name: "actum-verify", uses: Uses::Only(&["actum-log"]) },
    Room { name: "actum-fjall", uses: Uses::Only(&["actum-log"]) },
    Room { name: "actum-adapt", uses: Uses::Only(&["actum-model"]) },
    Room { name: "actum-projections", uses: Uses::Only(&["actum-model", "actum-adapt"]) },
    Room {
        name: "actum",
        uses: Uses::Only(&[
            "actum-model",
            "actum-net",
            "actum-kernel",
            "actum-log",
            "actum-fjall",
            "actum-verify",
            "actum-projections",
        ]),
    },
    Room {
        name: "actum-replay",
        uses: Uses::Only(&[
            "actum-model",
            "actum-net",
            "actum-kernel",
            "actum-log",
            "actum-verify",
            "actum-projections",
        ]),
    },
    // Text in, text out: what it makes is read by `actum-net`, and tests hold it to that.
    Room { name: "actum-import", uses: Uses::Only(&[]) },
    Room { name: "actum-cli", uses: Uses::All },
    Room { name: "actum-tests", uses: Uses::All },
    Room { name: "actum-benches", uses: Uses::All },
    // It reports on a workspace that may not compile.
    Room { name: "xtask", uses: Uses::Only(&[]) },
];

/// Foreign crates that only these of ours may name. Whoever depends on one of them reaches it too, so the edges decide the rest.
const OWNERS: [Owner; 5] = [
    Owner { of: "tokio", names: &["actum", "actum-cli", "actum-tests", "actum-benches"] },
    Owner { of: "fjall", names: &["actum-fjall", "actum-benches"] },
    Owner { of: "getrandom", names: &["actum-log", "actum", "actum-cli"] },
    Owner { of: "clap", names: &["actum-cli"] },
    // Embedders build no C.
    Owner { of: "rusqlite", names: &["actum-cli"] },
];

/// Foreign crates that pure rooms do not reach, however far away: an executor, a store, randomness, a clock, a socket.
const IMPURE: [&str; 14] = [
    "tokio",
    "async-std",
    "smol",
    "mio",
    "socket2",
    "fjall",
    "rand",
    "rand_core",
    "fastrand",
    "getrandom",
    "chrono",
    "time",
    "rustix",
    "ureq",
];

/// Rooms whose functions depend on their arguments only. The log may ask for entropy (keys, salts), verification not, but
/// it shares the log's crate: for it the words below decide.
const PURE: [&str; 5] = ["actum-model", "actum-net", "actum-kernel", "actum-adapt", "actum-projections"];

const OPERATING_SYSTEM: [&str; 6] = ["std::fs", "std::net", "std::process", "std::env", "std::os", "std::thread"];
const CLOCK: [&str; 4] = ["SystemTime", "Instant", "Timestamp::now", "Zoned::now"];
const ASYNC: [&str; 4] = ["tokio", "async", "await", "std::future"];
const RANDOM: [&str; 4] = ["rand", "getrandom", "RandomState", "thread_rng"];

/// What the code of a folder (not its tests, examples and comments) never names.
const ABSENCES: [Absence; 6] = [
    Absence { folder: "core/model/src", never: &[&OPERATING_SYSTEM, &CLOCK, &ASYNC, &RANDOM] },
    Absence { folder: "core/net/src", never: &[&OPERATING_SYSTEM, &CLOCK, &ASYNC, &RANDOM] },
    Absence { folder: "core/kernel/src", never: &[&OPERATING_SYSTEM, &CLOCK, &ASYNC, &RANDOM] },
    Absence { folder: "core/adapt/src", never: &[&OPERATING_SYSTEM, &CLOCK, &ASYNC, &RANDOM] },
    Absence { folder: "projections/src", never: &[&OPERATING_SYSTEM, &CLOCK, &ASYNC, &RANDOM] },
    Absence { folder: "eventstore/verify/src", never: &[&OPERATING_SYSTEM, &CLOCK, &ASYNC, &RANDOM] },
];

/// Files that may name one thing after all. One that names it no longer is a finding too.
const LICENCES: [Licence; 1] = [Licence {
    file: "core/net/src/check/mod.rs",
    names: "std::thread",
    reason: "parsing a deep guard needs a larger stack than the caller's thread may have",
}];

pub(crate) fn findings(tree: &Tree) -> Result<Vec<Finding>> {
    let mut findings = edges::broken(&graph(tree)?, &ROOMS, &OWNERS, &PURE, &IMPURE);
    let mut paths = tree.paths()?;
    paths.retain(|path| ABSENCES.iter().any(|absence| path.starts_with(absence.folder)));
    findings.extend(absences::broken(&tree.read(&paths)?, &ABSENCES, &LICENCES));
    Ok(findings)
}

/// As cargo resolves it, for every platform and feature.
fn graph(tree: &Tree) -> Result<Graph> {
    let list = Call::new("cargo").args(["tree", "--locked", "--workspace", "--all-features", "--target", "all"]);
    let text = list.args(["--edges", "normal,build", "--prefix", "depth", "--format", " {p}"]).output(tree)?;
    Graph::from_cargo_tree(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rooms_are_as_the_table_says() -> Result<()> {
        let findings = findings(&Tree::of_this_crate()?)?;
        assert!(findings.is_empty(), "\n{}", findings.iter().map(|finding| format!("{finding}\n")).collect::<String>());
        Ok(())
    }
}
