//! What a reviewer holds, as options of commands that verify.

use std::path::{Path, PathBuf};

use actum_verify::{Requirement, Trust, UnmetRequirement};
use clap::ValueEnum;

use crate::failure::{Exit, Failure, Outcome, small_file};

/// Longest key, seal or trust file; the formats allow no more.
const FILE_BYTES_MAX: usize = 64 << 10;

/// What a reviewer holds.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct TrustArgs {
    /// Verifier key that the log must begin with: itself, or a file that holds it as `@FILE`
    #[arg(long, value_name = "VKEY", conflicts_with = "trust")]
    pub(crate) key: Option<String>,
    /// Trust file: origin and key of the log, keys known to be revoked, witnesses
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    /// Seal of this log that you kept, as `verify --save-seal` writes it; may be given for each partition
    #[arg(long, value_name = "SEALFILE")]
    pub(crate) since: Vec<PathBuf>,
    /// Fail with exit code 1 when the verdict rests on less than this
    #[arg(long, value_name = "ANCHOR", value_enum)]
    pub(crate) require: Option<Required>,
}

/// What a verdict has to rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Required {
    /// A key that you gave with --key or --trust
    Pinned,
    /// A witness that the trust file names
    Witnessed,
}

impl From<Required> for Requirement {
    fn from(required: Required) -> Self {
        match required {
            Required::Pinned => Requirement::Pinned,
            Required::Witnessed => Requirement::Witnessed,
        }
    }
}

impl TrustArgs {
    /// Reads what the options name.
    pub(crate) fn read(&self) -> Outcome<Trust> {
        let trust = match (&self.key, &self.trust) {
            (Some(key), _) => of_key(key)?,
            (None, Some(file)) => of_file(file)?,
            (None, None) => Trust::self_signed(),
        };
        self.since.iter().try_fold(trust, |trust, file| with_seal(trust, file))
    }

    /// Holds a verdict against what was required.
    pub(crate) fn require(
        &self,
        place: &str,
        meets: impl Fn(Requirement) -> Result<(), UnmetRequirement>,
    ) -> Outcome<()> {
        let Some(required) = self.require else { return Ok(()) };
        meets(required.into()).map_err(|unmet| {
            let sentence = match unmet {
                UnmetRequirement::NotPinned => {
                    "verifies, but only on its own word; give a key that you hold with --key to have it pinned"
                        .to_owned()
                }
                other => format!("verifies, but is {other}"),
            };
            Failure::new(Exit::Failure, format!("{place} {sentence}"))
        })
    }
}

fn of_key(key: &str) -> Outcome<Trust> {
    let text = match key.strip_prefix('@') {
        None => key.to_owned(),
        Some(file) => {
            let bytes = small_file(Path::new(file), FILE_BYTES_MAX, "a verifier key")?;
            String::from_utf8_lossy(&bytes).into_owned()
        }
    };
    Trust::from_verifier_key(text.trim()).map_err(|error| {
        let advice = "copy the whole key, as `actum run` prints it";
        Failure::new(Exit::Usage, format!("--key: {error}; {advice}"))
    })
}

fn of_file(file: &Path) -> Outcome<Trust> {
    let text = small_file(file, FILE_BYTES_MAX, "a trust file")?;
    Trust::from_trust_file(&text).map_err(|error| {
        let advice = "`actum key show --trust-file` writes one";
        Failure::new(Exit::Usage, format!("--trust: {}: {error}; {advice}", file.display()))
    })
}

fn with_seal(trust: Trust, file: &Path) -> Outcome<Trust> {
    let seal = small_file(file, FILE_BYTES_MAX, "a seal")?;
    trust.since(&seal).map_err(|error| {
        let advice = "`actum verify --save-seal FILE` writes one";
        Failure::new(Exit::Usage, format!("--since: {}: {error}; {advice}", file.display()))
    })
}
