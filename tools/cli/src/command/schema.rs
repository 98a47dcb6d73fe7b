//! `schema`: prints the JSON Schema of what people write.

use clap::ValueEnum;

use crate::failure::{Exit, Outcome};
use crate::output::Output;

/// Print the JSON Schema of net, organisation, scenario or rules files, for editors and linters
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  actum schema net > net.schema.json
  then begin a net with: # yaml-language-server: $schema=net.schema.json")]
pub(crate) struct Args {
    /// Of what
    what: What,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    /// Net files, in YAML or JSON
    Net,
    /// Organisation files for `actum run --org`
    Organisation,
    /// Scenarios for `actum explore`
    Scenario,
    /// Compliance rules for `actum audit`
    Rules,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let schema = match args.what {
        What::Net => actum_net::JSON_SCHEMA,
        What::Organisation => actum_net::ORGANISATION_SCHEMA,
        What::Scenario => actum_net::SCENARIO_SCHEMA,
        What::Rules => actum_replay::rules::RULES_SCHEMA,
    };
    let mut output = Output::new();
    output.line(schema.trim_end())?;
    output.finish()?;
    Ok(Exit::Done)
}
