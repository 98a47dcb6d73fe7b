//! What the steps need: found on the path, found below the target directory from last time, or installed there.
//! Nothing outside the target directory is changed, but for rustup's own components.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::call::Call;
use crate::tree::Tree;

/// Configuration and arguments depend on the minor version.
const DENY: Tool = Tool { binary: "cargo-deny", version: "0.20.2", accepts: "cargo-deny 0.20." };
const NEXTEST: Tool = Tool { binary: "cargo-nextest", version: "0.9.148", accepts: "cargo-nextest 0.9." };

/// What the Python tests need; the list is theirs.
const REQUIREMENTS: &str = "tests/python/requirements.txt";

/// A cargo subcommand that does not come with the toolchain.
struct Tool {
    binary: &'static str,
    /// The one that is installed where none is found.
    version: &'static str,
    /// How the output of `--version` must begin.
    accepts: &'static str,
}

/// rustfmt and clippy.
pub(crate) fn toolchain(tree: &Tree) -> Result<()> {
    for (component, binary) in [("rustfmt", "cargo-fmt"), ("clippy", "cargo-clippy")] {
        if Call::new(binary).args(["--version"]).output(tree).is_err() {
            println!("installing {component}");
            let add = Call::new("rustup").args(["component", "add", component]);
            add.run(tree).with_context(|| format!("the toolchain has no {component}"))?;
        }
    }
    Ok(())
}

/// `cargo-nextest nextest`, ready for more arguments.
pub(crate) fn nextest(tree: &Tree) -> Result<Call> {
    Ok(found_or_installed(tree, &NEXTEST)?.args(["nextest"]))
}

/// `cargo-deny` with the project's configuration, ready for more arguments.
pub(crate) fn cargo_deny(tree: &Tree) -> Result<Call> {
    Ok(found_or_installed(tree, &DENY)?.args(["--locked", "--config", ".deny.toml"]))
}

/// The interpreter of a virtual environment that holds exactly what the Python tests ask for.
pub(crate) fn python(tree: &Tree) -> Result<String> {
    let venv = tree.in_target("venv");
    let interpreter = format!("{venv}/bin/python");
    let wanted = std::fs::read_to_string(tree.root().join(REQUIREMENTS))
        .with_context(|| format!("cannot read {REQUIREMENTS}"))?;
    // Written last, so that an interrupted installation is begun anew.
    let installed = Path::new(&venv).join("installed.txt");
    let ready = std::fs::read_to_string(&installed).is_ok_and(|text| text == wanted);
    if ready && Call::new(&interpreter).args(["--version"]).output(tree).is_ok() {
        return Ok(interpreter);
    }
    println!("installing {REQUIREMENTS} into {venv}");
    new_venv(tree, &venv)?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS];
    Call::new(&interpreter).args(pip).run(tree).context("the Python tests lack their libraries")?;
    std::fs::write(&installed, wanted).with_context(|| format!("cannot write {}", installed.display()))?;
    Ok(interpreter)
}

fn found_or_installed(tree: &Tree, tool: &Tool) -> Result<Call> {
    let fits =
        |path: &str| Call::new(path).args(["--version"]).output(tree).is_ok_and(|text| text.starts_with(tool.accepts));
    let home = tree.in_target(&format!("tools/{}-{}", tool.binary, tool.version));
    let ours = format!("{home}/bin/{}", tool.binary);
    if let Some(path) = [tool.binary, &ours].into_iter().find(|path| fits(path)) {
        return Ok(Call::new(path));
    }
    println!("installing {} {} into {home}", tool.binary, tool.version);
    if let Err(error) = install_wheel(tree, tool, &home) {
        println!("no wheel of {} to be had ({error:#}); building it instead, which takes minutes", tool.binary);
        install_crate(tree, tool, &home)?;
    }
    if !fits(&ours) {
        bail!("{ours} was installed but `--version` does not begin with `{}`", tool.accepts);
    }
    Ok(Call::new(ours))
}

/// The same program as a Python wheel: seconds instead of minutes of building.
fn install_wheel(tree: &Tree, tool: &Tool, home: &str) -> Result<()> {
    new_venv(tree, home)?;
    let wheel = format!("astral-dev-toolchain-{}=={}", tool.binary, tool.version);
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", &wheel];
    Call::new(format!("{home}/bin/python")).args(pip).output(tree)?;
    Ok(())
}

fn install_crate(tree: &Tree, tool: &Tool, home: &str) -> Result<()> {
    let install = ["install", "--locked", "--root", home, tool.binary, "--version", tool.version];
    Call::new("cargo").args(install).run(tree)
}

fn new_venv(tree: &Tree, path: &str) -> Result<()> {
    let make = Call::new("python3").args(["-m", "venv", "--clear", path]);
    make.output(tree).map(drop).context("a python3 with venv is needed (Debian: python3-venv)")
}
