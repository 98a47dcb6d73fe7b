//! `key`: which keys a log has, and changing them.

use std::path::Path;

use actum::{KeyFile, KeyFileState, KeyFiles, Keys};
use actum_log::{Genesis, VerifierKey, key_digest, key_id, key_name};
use actum_verify::Trust;
use serde_json::{Value as Json, json};

use crate::cli::Common;
use crate::engine::{NEXT_KEY, SEAL_KEY, cannot_open, stopped, upkeep};
use crate::failure::{Exit, Failure, Outcome, chain};
use crate::log::{self, KeyStates};
use crate::number::grouped;
use crate::output::{Format, Output};
use crate::progress;

/// Show, rotate or revoke the keys that seal a log
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The log says which key is in force; the next one is committed to before it is ever used. Private keys lie in `keys/` of the data \
directory (seal.pem, next.pem), or come from the environment variables ACTUM_SEAL_KEY and ACTUM_NEXT_KEY (PKCS#8 PEM); then no \
files are used. Changing keys opens the log for writing, so no engine may run on it; an embedded engine has calls of its own.

Examples:
  actum key show --data d1
  actum key show --trust-file --data d1 > reviewers.trust    what reviewers pin
  actum key rotate --data d1
  actum key revoke 1a2b3c4d --reason 'on a stolen laptop' --data d1
  actum key revoke --lost --reason 'its disk broke' --data d1   the key in force, which is not there any more")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show which keys were and are in force, and what the key files hold
    Show {
        /// Print a trust file for reviewers instead: origin, first key, revoked keys
        #[arg(long)]
        trust_file: bool,
    },
    /// Put the next key in force, and commit to the one after it
    Rotate {
        /// SHA-256 of the public key after the next one, or `none`; for keys from the environment
        #[arg(long, value_name = "HEX|none")]
        then: Option<String>,
    },
    /// Revoke a key; the key in force is replaced by the next one
    Revoke {
        /// The key: a verifier key, its id (8 hex digits), or the public key (64 hex digits)
        #[arg(value_name = "KEY", required_unless_present = "lost")]
        key: Option<String>,
        /// The key in force, which is lost or stolen: it is not used for this
        #[arg(long, conflicts_with = "key")]
        lost: bool,
        /// Why, for readers of the log
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    match &args.action {
        Action::Show { trust_file } => show(*trust_file, common),
        Action::Rotate { then } => rotate(then.as_deref(), common),
        Action::Revoke { key: Some(key), reason, .. } => revoke(key, reason, common),
        Action::Revoke { key: None, reason, .. } => replace_lost(reason, common),
    }
}

fn show(trust_file: bool, common: &Common) -> Outcome {
    let mut log = log::open(&common.data)?;
    let bar = progress::bar(common.format, "verifying", None);
    let (_, states) = log::read(&mut log, &Trust::self_signed(), &bar, |verified| {
        let genesis = verified.genesis();
        Ok(KeyStates::read(&genesis, verified.records()))
    })?;
    let states = states.map_err(|error| Failure::replay(&log.place, &error))?;
    let files = (!log.is_archive()).then(|| KeyFiles::of(&common.data));
    let mut output = Output::new();
    if trust_file {
        output.text(&trust_text(&states))?;
    } else if common.format == Format::Json {
        output.json(&show_json(&states, files.as_ref()))?;
    } else {
        output.text(&show_text(&log.place, &states, files.as_ref()))?;
    }
    output.finish()?;
    Ok(Exit::Done)
}

fn trust_text(states: &KeyStates) -> String {
    let head = format!("actum-trust 1\norigin {}\nkey {}\n", states.origin, hex(&states.first_key()));
    head + &states.revoked().map(|key| format!("revoked {}\n", hex(&key))).collect::<String>()
}

fn show_text(place: &str, states: &KeyStates, files: Option<&KeyFiles>) -> String {
    let mut lines = vec![format!("{place}: {}", states.origin)];
    for key in &states.keys {
        let id = id_of(&states.origin, &key.key);
        let from = match key.from_seq {
            0 => "from the first event on".to_owned(),
            seq => format!("from event {} on", grouped(seq)),
        };
        let state = match &key.revoked {
            Some(reason) if reason.is_empty() => ", revoked".to_owned(),
            Some(reason) => format!(", revoked: {reason}"),
            None if key.key == states.in_force() => ", in force".to_owned(),
            None => String::new(),
        };
        lines.push(format!("  key {id}  {from}{state}"));
        lines.push(format!("    {}", VerifierKey::new(&states.origin, 0, key.key)));
    }
    match states.next {
        Some(next) => lines.push(format!("  next key   committed, SHA-256 {}", hex(&next))),
        None => lines.push("  next key   none was committed: this log's key can never be rotated".to_owned()),
    }
    for (file, state) in files.into_iter().flat_map(|files| files.states(&states.ring())) {
        if file != KeyFile::AfterNext || !matches!(state, KeyFileState::Missing) {
            lines.push(format!("  {:<10} {}", file.name(), file_text(&state)));
        }
    }
    for (variable, state) in variables(states) {
        lines.push(format!("  {variable} {state}"));
    }
    lines.join("\n") + "\n"
}

/// What a key file holds, in words.
pub(crate) fn file_text(state: &KeyFileState) -> String {
    match state {
        KeyFileState::Missing => "missing".to_owned(),
        KeyFileState::InForce => "the key in force".to_owned(),
        KeyFileState::Next => "the next key, as committed".to_owned(),
        KeyFileState::Past => "a key that is not in force any more".to_owned(),
        KeyFileState::Unknown => "a key that the log knows nothing of".to_owned(),
        KeyFileState::Unusable(error) => format!("cannot be used: {}", chain(error)),
        _ => "cannot be told".to_owned(),
    }
}

/// A stable word for it.
pub(crate) fn file_word(state: &KeyFileState) -> &'static str {
    match state {
        KeyFileState::Missing => "missing",
        KeyFileState::InForce => "in-force",
        KeyFileState::Next => "next",
        KeyFileState::Past => "past",
        KeyFileState::Unusable(_) => "unusable",
        _ => "unknown",
    }
}

/// What the environment holds, by public key only.
fn variables(states: &KeyStates) -> Vec<(&'static str, &'static str)> {
    let state = |variable: &'static str| {
        let signer = actum::signer_from_env(variable).transpose()?;
        Some((
            variable,
            match signer.map(|signer| signer.public_key()) {
                Err(_) => "is not a PKCS#8 PEM of an Ed25519 private key",
                Ok(key) if key == states.in_force() => "is the key in force",
                Ok(key) if states.next == Some(key_digest(&key)) => "is the next key, as committed",
                Ok(key) if states.keys.iter().any(|used| used.key == key) => "is a key that is not in force any more",
                Ok(_) => "is a key that the log knows nothing of",
            },
        ))
    };
    [SEAL_KEY, NEXT_KEY].into_iter().filter_map(state).collect()
}

fn show_json(states: &KeyStates, files: Option<&KeyFiles>) -> Json {
    let keys = states.keys.iter().map(|key| {
        json!({
            "id": id_of(&states.origin, &key.key),
            "public_key": hex(&key.key),
            "verifier_key": VerifierKey::new(&states.origin, 0, key.key).to_string(),
            "from_seq": key.from_seq,
            "in_force": key.key == states.in_force(),
            "revoked": key.revoked.is_some(),
            "reason": key.revoked,
        })
    });
    let files = files.map(|files| {
        let states = files.states(&states.ring());
        Json::Object(
            states.into_iter().map(|(file, state)| (file.name().to_owned(), file_word(&state).into())).collect(),
        )
    });
    json!({
        "origin": states.origin,
        "keys": keys.collect::<Vec<_>>(),
        "next": states.next.map(|next| hex(&next)),
        "files": files,
    })
}

fn rotate(then: Option<&str>, common: &Common) -> Outcome {
    let data = &common.data;
    let then = then.map(digest).transpose()?;
    let given = match (std::env::var_os(SEAL_KEY), then) {
        (None, None) => None,
        (None, Some(_)) => {
            let sentence = "--then is for keys from the environment; key files have their own next key";
            return Err(Failure::new(Exit::Usage, sentence));
        }
        (Some(_), None) => {
            let sentence = format!(
                "the keys come from the environment: put the next key into {NEXT_KEY}, and give the SHA-256 of the public key \
                 after it with --then (or `--then none`, after which the key can never be rotated again)"
            );
            return Err(Failure::new(Exit::Usage, sentence));
        }
        (Some(_), Some(then)) => Some((next_signer(data)?, then)),
    };
    let keys = upkeep(
        data,
        |builder| builder,
        |engine| async move {
            match given {
                None => engine.rotate_key().await,
                Some((next, then)) => engine.rotate_key_to(next, then).await,
            }
            .map_err(|error| stopped(data, &error))
        },
    )?;
    let replaced = keys.past().last().copied();
    said(common, &keys, "rotated", replaced)
}

fn next_signer(data: &Path) -> Outcome<std::sync::Arc<dyn actum::Signer>> {
    actum::signer_from_env(NEXT_KEY).map_err(|error| cannot_open(data, &error))?.ok_or_else(|| {
        Failure::new(Exit::Usage, format!("{NEXT_KEY} is not set; set it to the PEM of the key that comes into force"))
    })
}

fn revoke(key: &str, reason: &str, common: &Common) -> Outcome {
    let data = &common.data;
    let genesis = std::fs::read(data.join("genesis")).ok().and_then(|text| Genesis::parse(&text).ok());
    let origin = genesis.map(|genesis| genesis.origin().to_owned()).unwrap_or_default();
    let (keys, revoked) = upkeep(
        data,
        |builder| builder,
        |engine| async move {
            let keys = engine.keys().await.map_err(|error| stopped(data, &error))?;
            let known = keys.past().iter().copied().chain([keys.in_force()]);
            let Some(found) = known.into_iter().find(|known| is_named(known, key, &origin)) else {
                let sentence =
                    format!("{}: no key {key} is or was in force; `actum key show` lists them", data.display());
                return Err(Failure::new(Exit::NotFound, sentence));
            };
            let changed = if found == keys.in_force() {
                engine.replace_key(reason).await
            } else {
                engine.revoke_key(found, reason).await
            };
            changed.map(|keys| (keys, found)).map_err(|error| stopped(data, &error))
        },
    )?;
    said(common, &keys, "revoked", Some(revoked))
}

fn replace_lost(reason: &str, common: &Common) -> Outcome {
    let data = &common.data;
    let keys = upkeep(
        data,
        |builder| builder.replace_key(reason),
        |engine| async move { engine.keys().await.map_err(|error| stopped(data, &error)) },
    )?;
    let revoked = keys.revoked().last().copied();
    said(common, &keys, "revoked", revoked)
}

fn is_named(key: &[u8; 32], name: &str, origin: &str) -> bool {
    name == id_of(origin, key) || name == hex(key) || name == VerifierKey::new(origin, 0, *key).to_string()
}

/// Says what was done to `key`, and which keys are in force after it.
fn said(common: &Common, keys: &Keys, what: &str, key: Option<[u8; 32]>) -> Outcome {
    let place = common.data.display();
    let mut output = Output::new();
    match common.format {
        Format::Json => output.json(&json!({
            what: key.map(|key| hex(&key)),
            "in_force": hex(&keys.in_force()),
            "next": keys.next().map(|next| hex(&next)),
        }))?,
        Format::Text => {
            let key = key.map_or_else(String::new, |key| format!(" the key {}", hex(&key)));
            output.line(format!("{place}: {what}{key}; the key {} is in force", hex(&keys.in_force())))?;
            output.line("  verifiers go on with the first key, or the trust file, that they hold")?;
        }
    }
    output.finish()?;
    Ok(Exit::Done)
}

fn digest(text: &str) -> Outcome<Option<[u8; 32]>> {
    if text == "none" {
        return Ok(None);
    }
    let byte = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(byte).collect();
    let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.map(Some).ok_or_else(|| Failure::new(Exit::Usage, "--then takes 64 hex digits, or `none`"))
}

fn id_of(origin: &str, key: &[u8; 32]) -> String {
    format!("{:08x}", u32::from_be_bytes(key_id(&key_name(origin, 0), key)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
