//! What holds for every file of the tree: lengths, words, blanks, names. The rules are in [`rules`].

mod rules;

use std::fmt;

use anyhow::Result;

use crate::tree::Tree;

use rules::Rule;

/// The visible top level; dotfiles may stand beside it.
const TOP_LEVEL: [&str; 12] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "core",
    "eventstore",
    "projections",
    "replay",
    "tests",
    "tools",
];

/// Each of these has a README.md that says what the room is for. Tools share one.
const ROOMS: [&str; 12] = [
    "core/model",
    "core/net",
    "core/kernel",
    "core/engine",
    "eventstore/log",
    "eventstore/verify",
    "eventstore/fjall",
    "projections",
    "replay",
    "tools",
    "tests",
    "benches",
];

/// Files that may break one rule. If none of them breaks it any longer, that is a finding too.
pub(crate) struct Exception {
    /// How their paths end; `*` stands for one folder or file.
    files: &'static str,
    rule: Rule,
    reason: &'static str,
}

const EXCEPTIONS: [Exception; 1] = [Exception {
    files: "tests/*/mod.rs",
    rule: Rule::DeadCode,
    reason: "each test crate of a room uses another part of its shared module, so no `expect` fits all",
}];

/// A breach of a rule.
#[derive(Debug)]
pub(crate) struct Finding {
    path: String,
    /// From 1; 0 for the file as a whole.
    line: usize,
    pub(crate) what: String,
}

impl Finding {
    pub(crate) fn at(path: &str, line: usize, what: String) -> Self {
        Self { path: path.to_owned(), line, what }
    }

    pub(crate) fn about(path: &str, what: String) -> Self {
        Self::at(path, 0, what)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

pub(crate) fn findings(tree: &Tree) -> Result<Vec<Finding>> {
    let paths = tree.paths()?;
    let files = tree.read(&paths)?;
    let mut findings = rules::names(&paths, &TOP_LEVEL, &ROOMS);
    findings.extend(rules::texts(&files, &EXCEPTIONS));
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() -> Result<()> {
        let findings = findings(&Tree::of_this_crate()?)?;
        assert!(findings.is_empty(), "\n{}", findings.iter().map(|finding| format!("{finding}\n")).collect::<String>());
        Ok(())
    }
}
