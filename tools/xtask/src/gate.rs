//! `cargo xtask test`: the steps, in order, stopping at the first that fails.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::call::Call;
use crate::tools;
use crate::tree::Tree;

/// How long fetching the database of advisories may take before it counts as unreachable.
const DATABASE_WAIT: Duration = Duration::from_mins(1);

/// One thing that must hold.
struct Step {
    name: &'static str,
    what: &'static str,
    run: fn(&Tree) -> Result<Outcome>,
}

enum Outcome {
    Holds,
    /// The step could not be done, for this reason; said again at the very end.
    NotChecked(&'static str),
}

/// Fast and cheap before slow and dear. `tests` is last: it has most to say.
const STEPS: [Step; 8] = [
    Step {
        name: "tools",
        what: "rustfmt, clippy, cargo-nextest, cargo-deny and python are there, or are installed",
        run: tools,
    },
    Step { name: "format", what: "rustfmt would change nothing", run: format },
    Step { name: "deny", what: "licences, sources, duplicates", run: deny },
    Step { name: "advisories", what: "no dependency has a known vulnerability", run: advisories },
    Step { name: "lint", what: "clippy has nothing to say", run: lint },
    Step { name: "docs", what: "every page of documentation builds, every link in it leads somewhere", run: docs },
    Step { name: "examples", what: "examples in the documentation compile and run", run: examples },
    Step { name: "tests", what: "all other tests", run: tests },
];

pub(crate) fn names() -> Vec<&'static str> {
    STEPS.iter().map(|step| step.name).collect()
}

/// Runs the steps called `only`, or all of them.
pub(crate) fn test(tree: &Tree, only: &[String]) -> Result<()> {
    if let Some(unknown) = only.iter().find(|name| !names().contains(&name.as_str())) {
        bail!("there is no step `{unknown}`; the steps are {}", names().join(" "));
    }
    let steps: Vec<&Step> =
        STEPS.iter().filter(|step| only.is_empty() || only.iter().any(|name| name == step.name)).collect();
    let begun = Instant::now();
    let mut not_checked = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        say(Tone::Begin, &format!("[{}/{}] {}: {}", index + 1, steps.len(), step.name, step.what));
        let step_begun = Instant::now();
        let outcome = (step.run)(tree).with_context(|| {
            format!(
                "{} failed after {} (again: cargo xtask test {})",
                step.name,
                seconds(step_begun.elapsed()),
                step.name
            )
        })?;
        let took = format!("{}, {} in all", seconds(step_begun.elapsed()), seconds(begun.elapsed()));
        match outcome {
            Outcome::Holds => say(Tone::Good, &format!("{}: ok, {took}", step.name)),
            Outcome::NotChecked(why) => {
                not_checked.push(format!("{}: not checked, {why}", step.name));
                say(Tone::Doubt, &format!("{}: not checked, {why}; {took}", step.name));
            }
        }
    }
    for line in &not_checked {
        say(Tone::Doubt, line);
    }
    let held = steps.len() - not_checked.len();
    say(Tone::Good, &format!("{held} of {} steps hold, {} in all", steps.len(), seconds(begun.elapsed())));
    Ok(())
}

fn tools(tree: &Tree) -> Result<Outcome> {
    tools::toolchain(tree)?;
    tools::nextest(tree)?;
    tools::cargo_deny(tree)?;
    tools::python(tree)?;
    Ok(Outcome::Holds)
}

fn format(tree: &Tree) -> Result<Outcome> {
    holds(tree, &Call::new("cargo").args(["fmt", "--all", "--check"]))
}

fn lint(tree: &Tree) -> Result<Outcome> {
    holds(tree, &workspace("clippy").args(["--all-targets", "--all-features", "--", "-D", "warnings"]))
}

/// Twice: as an embedder reads it, where a link to a private item leads nowhere; and as we read it, private items too.
/// Binaries are left out: the command line and the engine are both called `actum` and would overwrite each other.
fn docs(tree: &Tree) -> Result<Outcome> {
    let doc = workspace("doc").args(["--lib", "--no-deps", "--all-features"]).env("RUSTDOCFLAGS", "-D warnings");
    doc.clone().args(["--document-private-items"]).run(tree)?;
    holds(tree, &doc)
}

fn deny(tree: &Tree) -> Result<Outcome> {
    // Warnings are exceptions that nothing needs any more.
    let check = ["check", "-D", "warnings", "--hide-inclusion-graph", "bans", "licenses", "sources"];
    holds(tree, &tools::cargo_deny(tree)?.args(check))
}

fn advisories(tree: &Tree) -> Result<Outcome> {
    let deny = tools::cargo_deny(tree)?;
    if !deny.clone().args(["fetch", "db"]).succeeds_within(tree, DATABASE_WAIT)? {
        return Ok(Outcome::NotChecked("database unreachable"));
    }
    holds(tree, &deny.args(["check", "--hide-inclusion-graph", "advisories"]))
}

fn examples(tree: &Tree) -> Result<Outcome> {
    holds(tree, &workspace("test").args(["--all-features", "--doc"]))
}

fn tests(tree: &Tree) -> Result<Outcome> {
    let python = tools::python(tree)?;
    let run = ["run", "--locked", "--workspace", "--all-features", "--profile", "ci"];
    holds(tree, &tools::nextest(tree)?.args(run).env("ACTUM_PYTHON", &python))
}

/// `--locked`: a lock file that does not fit the manifests is an error here, not something to mend in passing.
fn workspace(command: &str) -> Call {
    Call::new("cargo").args([command, "--locked", "--workspace"])
}

fn holds(tree: &Tree, call: &Call) -> Result<Outcome> {
    call.run(tree)?;
    Ok(Outcome::Holds)
}

#[derive(Clone, Copy)]
enum Tone {
    Begin,
    Good,
    Doubt,
}

/// One line of ours between the children's; coloured only where somebody can see it.
fn say(tone: Tone, line: &str) {
    let colour = match tone {
        Tone::Begin => "1",
        Tone::Good => "32",
        Tone::Doubt => "33",
    };
    if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        println!("\x1b[{colour}m== {line}\x1b[0m");
    } else {
        println!("== {line}");
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}
