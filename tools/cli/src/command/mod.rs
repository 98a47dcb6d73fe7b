//! The commands, one file each.

pub(crate) mod audit;
pub(crate) mod bisect;
pub(crate) mod check;
pub(crate) mod checkpoint;
pub(crate) mod completions;
pub(crate) mod conform;
pub(crate) mod dead;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod explore;
pub(crate) mod export;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod key;
pub(crate) mod man;
pub(crate) mod message;
pub(crate) mod past;
pub(crate) mod prove;
pub(crate) mod read_directory;
pub(crate) mod recover;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod verify;
pub(crate) mod verify_proof;
pub(crate) mod what_if;
pub(crate) mod who;
pub(crate) mod why;

pub(crate) use prove::explain as explain_proof;
pub(crate) use read_directory::NAME as CHILD;

use crate::cli::{Cli, Command};
use crate::failure::{Exit, Failure, Outcome};
use crate::output::{Format, complain, error_object};

/// Does what was asked; says what went wrong.
pub(crate) fn run(cli: Cli) -> Exit {
    let common = &cli.common;
    let format = common.format;
    let outcome = match cli.command {
        Command::Run(args) => run::run(args, common),
        Command::Check(args) => check::run(&args, common),
        Command::Explore(args) => explore::run(&args, common),
        Command::Log(args) => history::run(&args, common),
        Command::Show(args) => show::run(&args, common),
        Command::Diff(args) => diff::run(&args, common),
        Command::Bisect(args) => bisect::run(&args, common),
        Command::Why(args) => why::run(&args, common),
        Command::Who(args) => who::run(&args, common),
        Command::WhatIf(args) => what_if::run(&args, common),
        Command::Replay(args) => replay::run(&args, common),
        Command::Audit(args) => audit::run(&args, common),
        Command::Verify(args) => verify::run(&args, common),
        Command::Prove(args) => prove::run(&args, common),
        Command::VerifyProof(args) => verify_proof::run(&args, common),
        Command::Export(args) => export::run(&args, common),
        Command::Conform(args) => conform::run(&args, common),
        Command::Import(args) => import::run(&args, common),
        Command::Key(args) => key::run(&args, common),
        Command::Checkpoint(args) => checkpoint::run(&args, common),
        Command::Message(args) => message::run(&args, common),
        Command::Recover(args) => recover::run(&args, common),
        Command::Dead(args) => dead::run(&args, common),
        Command::Doctor(args) => doctor::run(&args, common),
        Command::Schema(args) => schema::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    };
    end(outcome, format)
}

/// Does what this process asks of its children; nobody types that.
pub(crate) fn run_child(arguments: impl Iterator<Item = std::ffi::OsString>) -> Exit {
    end(read_directory::run(arguments), Format::Text)
}

fn end(outcome: Outcome, format: Format) -> Exit {
    match outcome {
        Ok(exit) => exit,
        Err(Failure::BrokenPipe) => Exit::Done,
        Err(Failure::Said { exit, sentence }) => {
            let sentence = without_numbers(&sentence);
            if format == Format::Json {
                error_object(exit.word(), exit as u8, &sentence);
            }
            complain(&format!("error: {sentence}"));
            exit
        }
    }
}

/// Without the numbers that the operating system gives its errors: the words say the same.
fn without_numbers(sentence: &str) -> String {
    let mut parts = sentence.split(" (os error ");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text += part.split_once(')').map_or(part, |(_, rest)| rest);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::without_numbers;

    #[test]
    fn numbers_of_errors_are_left_out() {
        assert_eq!(
            without_numbers("d1: No space left on device (os error 28); make room"),
            "d1: No space left on device; make room"
        );
        assert_eq!(without_numbers("nothing"), "nothing");
    }
}
