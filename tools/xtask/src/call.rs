//! A child process, started at the top of the tree, that can be printed as one would type it there.

use std::fmt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::tree::Tree;

/// How often a child with a time limit is looked at.
const POLL: Duration = Duration::from_millis(50);

/// A command line with its own environment; `Display` is what to type to repeat it.
#[derive(Clone)]
pub(crate) struct Call {
    program: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

impl Call {
    pub(crate) fn new(program: impl Into<String>) -> Self {
        Self { program: program.into(), args: Vec::new(), env: Vec::new() }
    }

    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs it to its end, its output going where ours goes.
    pub(crate) fn run(&self, tree: &Tree) -> Result<()> {
        let status = self.command(tree).status().with_context(|| format!("cannot start `{}`", self.program))?;
        if !status.success() {
            bail!("failed ({status}); to repeat it:\n  {self}");
        }
        Ok(())
    }

    /// What it prints to standard output.
    pub(crate) fn output(&self, tree: &Tree) -> Result<String> {
        let out = self.command(tree).output().with_context(|| format!("cannot start `{}`", self.program))?;
        if !out.status.success() {
            bail!("failed ({}): {}\nto repeat it:\n  {self}", out.status, String::from_utf8_lossy(&out.stderr).trim());
        }
        String::from_utf8(out.stdout).with_context(|| format!("`{self}` printed something that is not UTF-8"))
    }

    /// Whether it succeeds within `limit`, silently. What runs longer is ended.
    pub(crate) fn succeeds_within(&self, tree: &Tree, limit: Duration) -> Result<bool> {
        let mut command = self.command(tree);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().with_context(|| format!("cannot start `{}`", self.program))?;
        let begun = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status.success());
            }
            if begun.elapsed() > limit {
                child.kill()?;
                child.wait()?;
                return Ok(false);
            }
            std::thread::sleep(POLL);
        }
    }

    fn command(&self, tree: &Tree) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(tree.root()).envs(self.env.iter().map(|(name, value)| (name, value)));
        // What `cargo run` told us about ourselves would tell the children lies.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|p| name.starts_with(p)) {
                command.env_remove(&*name);
            }
        }
        command
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.env {
            write!(f, "{name}={} ", quoted(value))?;
        }
        write!(f, "{}", quoted(&self.program))?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

/// For a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_a_shell_takes() {
        let call = Call::new("cargo").args(["test", "--", "it's all"]).env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(call.to_string(), r"RUSTDOCFLAGS='-D warnings' cargo test -- 'it'\''s all'");
    }
}
