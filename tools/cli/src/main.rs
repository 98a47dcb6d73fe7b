//! The command line of Actum: `actum`.
//!
//! [`cli`] says which commands there are, `command/` does each of them, `log/` reads logs (verifying whatever it reads),
//! `run/` drives an embedded engine. Everything that goes wrong is a [`failure::Failure`] with its exit code.
//!
//! Deliberately absent: anything that decides about cases, and any code that judges a log; both are libraries.

mod audit;
mod cli;
mod command;
mod conform;
mod debugger;
mod doctor;
mod engine;
mod export;
mod failure;
mod log;
mod number;
mod output;
mod progress;
mod run;
mod trust;

use std::process::ExitCode;

use clap::Parser;

use crate::failure::Exit;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|place| format!(" (at {}:{})", place.file(), place.line())).unwrap_or_default();
        output::complain(&format!("error: this is a bug in actum{place}; please report it with the command you ran"));
    }));
    let code = std::panic::catch_unwind(|| {
        let mut arguments = std::env::args_os().skip(1);
        if arguments.next().is_some_and(|first| first == command::CHILD) {
            return command::run_child(arguments);
        }
        match cli::Cli::try_parse() {
            Ok(cli) => command::run(cli),
            Err(error) => usage(&error),
        }
    });
    ExitCode::from(code.unwrap_or(Exit::Failure) as u8)
}

/// Help and version are answers; everything else is a mistake of who typed.
fn usage(error: &clap::Error) -> Exit {
    // If neither output can be written, nobody is there to be told.
    error.print().ok();
    if error.use_stderr() { Exit::Usage } else { Exit::Done }
}
