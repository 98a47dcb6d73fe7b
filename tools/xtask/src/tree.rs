//! The files of the tree: what git tracks, or would track at the next `git add`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::call::Call;

/// Where the work tree and the target directory are.
pub(crate) struct Tree {
    root: PathBuf,
    target: PathBuf,
}

/// A text file, its path relative to the top and with `/`.
pub(crate) struct TextFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Tree {
    pub(crate) fn of_this_crate() -> Result<Self> {
        // Cargo and nextest set it when they start us; the path at build time serves a bare binary.
        let here =
            std::env::var_os("CARGO_MANIFEST_DIR").map_or(PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root =
            here.join("../..").canonicalize().with_context(|| format!("no work tree above {}", here.display()))?;
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or(PathBuf::from("target"), PathBuf::from);
        Ok(Self { target: root.join(target), root })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The full path of `name` below the target directory.
    pub(crate) fn in_target(&self, name: &str) -> String {
        self.target.join(name).to_string_lossy().into_owned()
    }

    /// Paths that git knows or would add, sorted; files deleted but not yet removed from the index are left out.
    pub(crate) fn paths(&self) -> Result<Vec<String>> {
        let list = Call::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "-z"])
            .output(self)
            .context("the rules of the tree need a git work tree")?;
        let mut paths: Vec<String> =
            list.split_terminator('\0').filter(|path| self.root.join(path).is_file()).map(str::to_owned).collect();
        paths.sort();
        Ok(paths)
    }

    /// The files among `paths` that are text.
    pub(crate) fn read(&self, paths: &[String]) -> Result<Vec<TextFile>> {
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            let bytes = std::fs::read(self.root.join(path)).with_context(|| format!("cannot read {path}"))?;
            if let Ok(text) = String::from_utf8(bytes) {
                files.push(TextFile { path: path.clone(), text });
            }
        }
        Ok(files)
    }
}
