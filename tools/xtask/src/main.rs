//! The project's own chores: `cargo xtask help`.
//!
//! `cargo xtask test` is the README's test command and all that `.ci/run` runs. From a clean clone it takes one
//! toolchain (cargo, rustfmt, clippy) and a python3 with venv; every other tool it finds or installs below the
//! target directory. It stops at the first step that fails and prints the command that repeats it.
//!
//! ```text
//! main    which chore
//! gate    the steps of `test`, in order; one more step is one line there
//! call    a child process that can be printed as one would type it
//! tools   what the steps need: found, or installed below the target directory
//! rooms   the table of rooms: who may depend on whom, and what each knows nothing of
//! tidy    what holds for every file of the tree
//! source  Rust text without comments and literals, so that rules see code only
//! tree    the files git knows or would add
//! ```
//!
//! The two sets of rules are unit tests too, so that plain `cargo nextest run` finds a breach.
//! Deliberately absent: every crate of the workspace (a broken engine must not break the command that says so) and
//! every parser of JSON or TOML.

mod call;
mod gate;
mod rooms;
mod source;
mod tidy;
mod tools;
mod tree;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::call::Call;
use crate::tree::Tree;

const HELP: &str = "\
usage: cargo xtask CHORE

  test [STEP...]   all that must hold before a commit; with names, only those steps
  tidy             only the rules of the tree: rooms, file lengths, forbidden words (no build)
  bench [ARG...]   the benches; arguments go to `cargo bench`
  help             this text";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match chore(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn chore(args: &[String]) -> Result<()> {
    let (name, rest) = args.split_first().map_or(("help", args), |(name, rest)| (name.as_str(), rest));
    let tree = Tree::of_this_crate()?;
    match name {
        "test" => gate::test(&tree, rest),
        "tidy" => tidy(&tree),
        "bench" => Call::new("cargo").args(["bench", "--locked", "-p", "actum-benches"]).args(rest).run(&tree),
        "help" | "-h" | "--help" => {
            println!("{HELP}\n\nsteps of test: {}", gate::names().join(" "));
            Ok(())
        }
        other => bail!("there is no chore `{other}`; `cargo xtask help` lists them"),
    }
}

/// Every breach of the tree's rules, at once.
fn tidy(tree: &Tree) -> Result<()> {
    let mut findings = rooms::findings(tree)?;
    findings.extend(tidy::findings(tree)?);
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        count => bail!(
            "{count} findings; each rule and its exceptions are in tools/xtask/src/rooms and tools/xtask/src/tidy"
        ),
    }
}
