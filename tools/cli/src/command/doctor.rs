//! `doctor`: names what is wrong with a data directory, and what to do.

use std::io::stdout;

use console::Term;
use serde_json::{Value as Json, json};

use crate::cli::Common;
use crate::doctor::{Finding, Severity, examine, exit_of};
use crate::failure::{Exit, Outcome};
use crate::number::counted;
use crate::output::{Format, Output, is_colourful};

/// Say what is wrong with a data directory, and what to do about it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Looks at the directory, its heads, store, keys, locks, permissions and disk, and verifies the log. Works beside a running engine \
and writes nothing into the directory: the store is opened by a child process, on a scratch copy. The exit code is that of the \
gravest problem; notes and warnings alone give 0.

Example:
  actum doctor --data d1 -o json | jq '.findings[] | select(.severity == \"problem\")'")]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, common: &Common) -> Outcome {
    let findings = examine(&common.data, common.format);
    let exit = exit_of(&findings);
    let place = common.data.display().to_string();
    let mut output = Output::new();
    match common.format {
        Format::Json => output.json(&to_json(&place, &findings, exit))?,
        Format::Text => {
            let width = Term::stdout().size_checked().map_or(usize::MAX, |(_, columns)| usize::from(columns));
            output.text(&to_text(&place, &findings, is_colourful(&stdout()), width))?;
        }
    }
    output.finish()?;
    Ok(exit)
}

fn to_json(place: &str, findings: &[Finding], exit: Exit) -> Json {
    let one = |finding: &Finding| {
        json!({
            "code": finding.code,
            "severity": finding.severity.word(),
            "exit": finding.exit as u8,
            "what": finding.what,
            "remedy": finding.remedy,
        })
    };
    json!({
        "data": place,
        "healthy": exit == Exit::Done,
        "exit": exit as u8,
        "findings": findings.iter().map(one).collect::<Vec<_>>(),
    })
}

fn to_text(place: &str, findings: &[Finding], colour: bool, width: usize) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count() as u64;
    let mut lines = vec![match (count(Severity::Problem), count(Severity::Warning)) {
        (0, 0) => format!("{place}: healthy"),
        (0, warnings) => format!("{place}: healthy, {}", counted(warnings, "warning")),
        (problems, _) => format!("{place}: {}", counted(problems, "problem")),
    }];
    for finding in findings {
        let word = finding.severity.word();
        let colour = match finding.severity {
            Severity::Problem if colour => "\x1b[31m",
            Severity::Warning if colour => "\x1b[33m",
            _ => "",
        };
        let end = if colour.is_empty() { "" } else { "\x1b[0m" };
        let mut told = wrapped(&format!("{word}: {} ({})", finding.what, finding.code), "  ", width);
        told[0] = told[0].replacen(word, &format!("{colour}{word}{end}"), 1);
        lines.extend(told);
        if !finding.remedy.is_empty() {
            lines.extend(wrapped(&format!("to do: {}", finding.remedy), "    ", width));
        }
    }
    lines.join("\n") + "\n"
}

/// Lines of at most `width` columns, where words allow it; those after the first are indented by two more. At least one.
fn wrapped(text: &str, indent: &str, width: usize) -> Vec<String> {
    let mut lines = vec![indent.to_owned()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let begun = lines[last].trim_start().len();
        if begun > 0 && lines[last].chars().count() + 1 + word.chars().count() > width {
            lines.push(format!("{indent}  {word}"));
        } else {
            let space = if begun > 0 { " " } else { "" };
            lines[last].push_str(space);
            lines[last].push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn long_text_is_wrapped_at_words() {
        assert_eq!(wrapped("one two three", "  ", 9), ["  one two", "    three"]);
        assert_eq!(wrapped("averyveryverylongword x", "", 5), ["averyveryverylongword", "  x"]);
        assert_eq!(wrapped("one two", "  ", usize::MAX), ["  one two"]);
    }
}
