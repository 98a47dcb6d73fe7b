//! What can be typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::command::{
    audit, bisect, check, checkpoint, completions, conform, dead, diff, doctor, explore, export, history, import, key,
    man, message, prove, recover, replay, run, schema, show, verify, verify_proof, what_if, who, why,
};
use crate::output::Format;

/// Runs workflows and proves what they did.
#[derive(Debug, Parser)]
#[command(
    name = "actum",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "\
Examples:
  actum check order.yaml                          find mistakes in a net
  actum run order.yaml --input @orders.jsonl --play 7 --data d1
                                                  run a case for each line, simulated people do the work
  actum log 1 --data d1                           what happened in case 1
  actum show 1 --at @v3 --data d1                 the state of case 1 after its third event
  actum diff 1@v3 1 --data d1                     what changed in it since
  actum why 1 42 --data d1                        what caused an event, and who got the work
  actum verify --data d1                          check every hash, chain and seal
  actum audit --rules rules.yaml --data d1        judge it by compliance rules
  actum export --format log --data d1 -O d1.actum  the whole log as one file
  actum doctor --data d1                          what is wrong with a data directory, and what to do

Exit codes:
  0 ok   1 failure   2 usage   3 not found   4 tampered   5 corrupt   6 unavailable (locked, full, busy)
  7 unlawful   8 the run ended with failed, deadlocked or waiting cases   130 interrupted"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Common {
    /// Data directory; for commands that only read also an archive (`.actum`)
    #[arg(long, global = true, value_name = "PATH", default_value = "actum-data")]
    pub(crate) data: PathBuf,
    /// Form of the output
    #[arg(id = "form", short = 'o', long = "output", global = true, value_name = "FORM", default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(run::Args),
    Check(check::Args),
    Explore(explore::Args),
    Log(history::Args),
    Show(show::Args),
    Diff(diff::Args),
    Bisect(bisect::Args),
    Why(why::Args),
    Who(who::Args),
    WhatIf(what_if::Args),
    Replay(replay::Args),
    Audit(audit::Args),
    Verify(verify::Args),
    Prove(prove::Args),
    VerifyProof(verify_proof::Args),
    Export(export::Args),
    Conform(conform::Args),
    Import(import::Args),
    Key(key::Args),
    Checkpoint(checkpoint::Args),
    Message(message::Args),
    Dead(dead::Args),
    Recover(recover::Args),
    Doctor(doctor::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
}
