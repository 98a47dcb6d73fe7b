//! `recover`: puts a log in place from a backup, and says so in the log.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use actum::{Engine, EngineBuilder, KeyFile, KeyFileState, KeyFiles, ReplacedHead, RestoreSource, Restored};
use actum_fjall::{DirectoryState, FjallStore, Options, Rehearsal};
use actum_log::{
    ArchiveReader, BlockBody, CommitError, EventStore, Genesis, Hash, Head, SealedBlock, block_hash, records_in,
    split_body_and_seal,
};
use actum_verify::{BlockInput, Trust};
use serde_json::json;

use crate::cli::Common;
use crate::engine::{SEAL_KEY, upkeep};
use crate::failure::{Exit, Failure, Outcome, no_log};
use crate::log::{self, KeyStates};
use crate::number::{counted, grouped};
use crate::output::{Format, Output};
use crate::progress;

/// Bytes of blocks that go into one commit.
const COMMIT_BYTES: usize = 16 << 20;

/// Restore a log from a backup, as an event that is in the log ever after
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The backup is verified to its end, then written to a new directory beside --data, which takes its place when it is complete and \
durable; what was there is kept under another name. The first block after the backup's says that the log was restored, from \
what, and what was acknowledged before in the directory that was replaced. If that was more than the backup has, those events are \
lost, and --accept-loss is needed.

The private key in force at the backup's end must be there: in keys/ of the backup's directory, of --data, or in --keys; or in \
ACTUM_SEAL_KEY. A rotation erases the key before it; if that is the one, --lost-key goes on with the next key.

Examples:
  actum recover --from backup.actum --data d1
  actum recover --from /mnt/backup/d1 --keys /mnt/safe/keys --data d1 --accept-loss")]
pub(crate) struct Args {
    /// The backup: an archive, or a data directory
    #[arg(long, value_name = "FILE.actum|DIR")]
    from: PathBuf,
    /// Directory with the private keys (seal.pem, next.pem)
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// The private key in force is lost: put the next key in force, and revoke the lost one
    #[arg(long)]
    lost_key: bool,
    /// Go on although events that were acknowledged after the backup are lost
    #[arg(long)]
    accept_loss: bool,
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let data = &common.data;
    if let (Ok(from), Ok(to)) = (args.from.canonicalize(), data.canonicalize())
        && from == to
    {
        let sentence = format!("{} is both the backup and what is to be replaced; name two places", data.display());
        return Err(Failure::new(Exit::Usage, sentence));
    }
    let text = genesis_text(&args.from)?;
    let genesis = Genesis::parse(&text)
        .map_err(|error| Failure::new(Exit::Corrupt, format!("{}: {error}", args.from.display())))?;
    log::only_one(&args.from.display().to_string(), genesis.partitions(), "restoring it")?;
    let before = Before::of(data, &text)?;
    let staging = Staging::make(data)?;
    let Staged { newest: restored, states, continues } = stage(args, &before, &staging.log, &text, &genesis, common)?;
    before.check_loss(args, data, &restored, continues)?;
    let kept_keys = bring_keys(args, data, &staging.log, &states)?;
    announce(args, &staging.log, &before)?;
    let expected = before.head.clone();
    let replaced = actum_fjall::replace(data, &staging.log, |dir| acknowledged(dir) == expected)
        .map_err(|error| Failure::read(&data.display().to_string(), &error.into()))?;
    let mut output = Output::new();
    let kept = replaced.kept.map(|kept| kept.display().to_string());
    match common.format {
        Format::Json => output.json(&json!({
            "restored": data.display().to_string(),
            "from": args.from.display().to_string(),
            "size": restored.size,
            "block": restored.number,
            "replaced_size": before.head.as_ref().map(|head| head.size),
            "kept": kept,
        }))?,
        Format::Text => {
            let (events, from) = (counted(restored.size, "event"), args.from.display());
            output.line(format!("{}: restored {events} from {from}; the log says so", data.display()))?;
            if let Some(kept) = kept {
                output.line(format!("  what was there before is kept as {kept}"))?;
            }
            if !kept_keys {
                output.line("  there is no next key with it: the key can be replaced no more; restore next.pem")?;
            }
        }
    }
    output.finish()?;
    Ok(Exit::Done)
}

/// What lies in the place of the restored log.
struct Before {
    /// What was acknowledged last, where that can be told.
    head: Option<Head>,
    /// There is a log whose head cannot be read.
    is_unreadable: bool,
}

impl Before {
    fn of(data: &Path, genesis: &[u8]) -> Outcome<Self> {
        let place = data.display().to_string();
        let state = match actum_fjall::state(data) {
            Ok(state) => state,
            Err(actum_fjall::OpenError::NotFound(_)) if data.exists() => {
                let sentence = format!("{place} is a file; name a directory with --data");
                return Err(Failure::new(Exit::Usage, sentence));
            }
            Err(actum_fjall::OpenError::NotFound(_)) => {
                return Ok(Before { head: None, is_unreadable: false });
            }
            Err(error) => return Err(Failure::read(&place, &error.into())),
        };
        if let Ok(there) = &state.genesis
            && there != genesis
        {
            let sentence = format!("{place} holds another log than the backup; name another directory with --data");
            return Err(Failure::new(Exit::Failure, sentence));
        }
        if let Ok(Some(holder)) = actum_fjall::lock_holder(data) {
            let who = holder.map_or_else(String::new, |pid| format!(" (process {pid})"));
            let sentence = format!("an engine{who} is running on {place}; stop it first");
            return Err(Failure::new(Exit::Unavailable, sentence));
        }
        let is_log = state.has_store || state.genesis.is_ok();
        let head = head_of(&state);
        let whole = !state.heads.is_empty() && state.heads.iter().all(is_readable);
        Ok(Before { head, is_unreadable: is_log && !whole })
    }

    /// Refuses to replace acknowledged events that the backup, which `continues` what is there or not, does not have.
    fn check_loss(&self, args: &Args, data: &Path, restored: &Head, continues: bool) -> Outcome<()> {
        if args.accept_loss {
            return Ok(());
        }
        let place = data.display();
        let advice = "find a newer backup, or accept the loss with --accept-loss (what is there is kept)";
        match &self.head {
            _ if self.is_unreadable => {
                let sentence = format!(
                    "{place} holds a log whose head cannot be read, so that it may be ahead of the backup; {advice}"
                );
                Err(Failure::new(Exit::Failure, sentence))
            }
            Some(head) if head.size > restored.size => {
                let sentence = format!(
                    "{place} is ahead of the backup: {} events were acknowledged there, the backup has {}; {advice}",
                    grouped(head.size),
                    grouped(restored.size)
                );
                Err(Failure::new(Exit::Failure, sentence))
            }
            // Longer is not newer: who has an old copy with its key can make it any length.
            Some(head) if !continues => {
                let sentence = format!(
                    "{place} and the backup parted: block {}, which was acknowledged there, is another one in the backup; find out \
                     which is the log that others hold seals of (`actum verify --since`), or accept the loss of what is there with \
                     --accept-loss (it is kept)",
                    grouped(head.number)
                );
                Err(Failure::new(Exit::Tampered, sentence))
            }
            _ => Ok(()),
        }
    }
}

fn is_readable(head: &actum_fjall::HeadState) -> bool {
    matches!(head, actum_fjall::HeadState::Whole(_) | actum_fjall::HeadState::Torn(_))
}

fn head_of(state: &DirectoryState) -> Option<Head> {
    state.heads.first().and_then(|head| head.head().cloned())
}

fn acknowledged(data: &Path) -> Option<Head> {
    actum_fjall::state(data).ok().and_then(|state| head_of(&state))
}

/// A directory beside the log's, on its file system, that is ours alone and goes away unless the log in it moves out.
struct Staging {
    path: PathBuf,
    log: PathBuf,
    _lock: File,
}

impl Staging {
    fn make(data: &Path) -> Outcome<Self> {
        let name = data
            .file_name()
            .ok_or_else(|| Failure::new(Exit::Usage, format!("{} is not the name of a directory", data.display())))?;
        let path = data.with_file_name(format!(".{}.restoring", name.to_string_lossy()));
        let fail = |error: std::io::Error| Failure::file(&path, "written", &error);
        match fs::create_dir(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => made.map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => {
                    let parent = path.parent().unwrap_or(Path::new(".")).display();
                    Failure::new(Exit::NotFound, format!("there is no directory {parent}; make it first"))
                }
                _ => fail(error),
            })?,
        }
        let lock = File::open(&path).map_err(fail)?;
        if lock.try_lock().is_err() {
            let sentence = format!("another recovery of {} is running; wait for it", data.display());
            return Err(Failure::new(Exit::Unavailable, sentence));
        }
        let log = path.join("log");
        // Left over by one that was killed.
        if log.exists() {
            fs::remove_dir_all(&log).map_err(fail)?;
        }
        Ok(Staging { path, log, _lock: lock })
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.path).ok();
    }
}

fn genesis_text(from: &Path) -> Outcome<Vec<u8>> {
    let place = from.display().to_string();
    let meta = fs::metadata(from).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => no_log(&place),
        _ => Failure::file(from, "read", &error),
    })?;
    if meta.is_dir() {
        let state = actum_fjall::state(from).map_err(|error| Failure::read(&place, &error.into()))?;
        return state.genesis.map_err(|error| Failure::read(&place, &error.into()));
    }
    let file = File::open(from).map_err(|error| Failure::file(from, "read", &error))?;
    match ArchiveReader::new(std::io::BufReader::new(file)) {
        Ok(reader) => Ok(reader.genesis_text().to_vec()),
        Err(error) => {
            // The verification says better what it is.
            let mut log = log::open(from)?;
            let bar = progress::bar(Format::Json, "verifying", None);
            log::read(&mut log, &Trust::self_signed(), &bar, |_| Ok(()))?;
            Err(Failure::new(Exit::Corrupt, format!("{place}: {error}")))
        }
    }
}

/// A backup that was verified and written to a new store.
struct Staged {
    newest: Head,
    states: KeyStates,
    /// It has the newest block that was acknowledged in the place of the restored log; so if there was none.
    continues: bool,
}

/// Verifies the backup while it is written to a new store.
fn stage(args: &Args, before: &Before, to: &Path, text: &[u8], genesis: &Genesis, common: &Common) -> Outcome<Staged> {
    let mut log = log::open(&args.from)?;
    let bar = progress::bar(common.format, "restoring", None);
    let place = log.place.clone();
    let mut options = Options::default();
    options.rehearsal = Rehearsal::Never;
    let store = actum_fjall::create(to, text, genesis.partitions(), &options)
        .map_err(|error| Failure::read(&to.display().to_string(), &error.into()))?;
    let expected = before.head.as_ref().map(|head| (head.number, head.hash));
    let mut writer = Writer { store, group: Vec::new(), bytes: 0, expected };
    log::read(&mut log, &Trust::self_signed(), &bar, |verified| {
        verified.blocks().try_for_each(|block| writer.put(block, &place))?;
        writer.commit(&place)
    })?;
    let head = writer.store.head(0);
    let continues = writer.expected.is_none();
    drop(writer);
    // The keys from what was written, so that all of it is read once more.
    let mut written = log::open(to)?;
    let bar = progress::bar(common.format, "checking", None);
    let (_, states) = log::read(&mut written, &Trust::self_signed(), &bar, |verified| {
        let genesis = verified.genesis();
        KeyStates::read(&genesis, verified.records()).map_err(|error| Failure::replay(&place, &error))
    })?;
    let head = head.ok_or_else(|| {
        Failure::new(Exit::NotFound, format!("{place} has no block yet, so there is nothing to restore"))
    })?;
    Ok(Staged { newest: head, states, continues })
}

struct Writer {
    store: FjallStore,
    group: Vec<SealedBlock>,
    bytes: usize,
    /// Number and hash of a block that has to be among those written, until it is.
    expected: Option<(u64, Hash)>,
}

impl Writer {
    fn put(&mut self, block: BlockInput, place: &str) -> Outcome<()> {
        self.bytes += block.chunks.iter().map(|chunk| chunk.bytes.len()).sum::<usize>() + block.block.bytes.len();
        let sealed = sealed(block).ok_or_else(|| {
            Failure::new(Exit::Corrupt, format!("{place}: a block that verified does not decode; report this"))
        })?;
        self.expected = self.expected.filter(|expected| *expected != (sealed.number, sealed.hash));
        self.group.push(sealed);
        if self.bytes >= COMMIT_BYTES { self.commit(place) } else { Ok(()) }
    }

    fn commit(&mut self, place: &str) -> Outcome<()> {
        self.store.commit(&self.group).map_err(|error| match error {
            CommitError::Io(error) => Failure::file(Path::new("the new directory"), "written", &error),
            error => Failure::new(Exit::Failure, format!("{place} cannot be restored: {error}")),
        })?;
        self.group.clear();
        self.bytes = 0;
        Ok(())
    }
}

fn sealed(block: BlockInput) -> Option<SealedBlock> {
    let raw = block.block.decode().ok()?.1;
    let (body, seal) = split_body_and_seal(&raw).ok()?;
    let decoded = BlockBody::decode(body).ok()?;
    let first = block.chunks.first()?.decode().ok()?.1;
    let record = records_in(&first).next()?.ok()?;
    Some(SealedBlock {
        partition: block.partition,
        number: decoded.number,
        first_seq: decoded.first_seq,
        size: decoded.first_seq + u64::from(decoded.records),
        previous_hash: *record.payload().first_chunk()?,
        hash: block_hash(body),
        seal: seal.to_vec(),
        chunks: block.chunks,
        block: block.block,
    })
}

/// Copies the key files that fit; gives whether the next key is among them. The key in force has to be, unless the environment has it.
fn bring_keys(args: &Args, data: &Path, to: &Path, states: &KeyStates) -> Outcome<bool> {
    if std::env::var_os(SEAL_KEY).is_some() {
        return Ok(true);
    }
    let sources: Vec<KeyFiles> = match &args.keys {
        Some(keys) => vec![KeyFiles::in_directory(keys)],
        None => vec![KeyFiles::of(&args.from), KeyFiles::of(data)],
    };
    let target = KeyFiles::of(to);
    let fits = |wanted: fn(&KeyFileState) -> bool| {
        sources.iter().find_map(|files| {
            let found = files.states(&states.ring()).into_iter().find(|(_, state)| wanted(state));
            found.map(|(file, _)| files.path(file))
        })
    };
    let in_force = fits(|state| matches!(state, KeyFileState::InForce));
    let next = fits(|state| matches!(state, KeyFileState::Next));
    if in_force.is_none() && !(args.lost_key && next.is_some()) {
        let else_ = if next.is_some() { ", or go on with the next key, which is there, by --lost-key" } else { "" };
        let sentence = format!(
            "the private key that was in force at the backup's end is not found; name its directory with --keys, or put it into \
             {SEAL_KEY}{else_} (nothing was changed at {})",
            data.display()
        );
        return Err(Failure::new(Exit::NotFound, sentence));
    }
    let directory = target.path(KeyFile::Seal);
    let directory = directory.parent().unwrap_or(to);
    fs::create_dir(directory).map_err(|error| Failure::file(directory, "written", &error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700))
            .map_err(|error| Failure::file(directory, "written", &error))?;
    }
    let copy = |from: &Path, file: KeyFile| {
        let path = target.path(file);
        let fail = |error: actum_log::KeyError| {
            Failure::new(Exit::Unavailable, format!("{} cannot be copied: {error}", from.display()))
        };
        actum_log::FileSigner::open(from).map_err(fail)?.save(&path).map_err(fail)
    };
    if let Some(in_force) = in_force {
        copy(&in_force, KeyFile::Seal)?;
    }
    let Some(next) = next else { return Ok(states.next.is_none()) };
    copy(&next, KeyFile::Next)?;
    Ok(true)
}

/// Writes the event that says so.
fn announce(args: &Args, to: &Path, before: &Before) -> Outcome<()> {
    let source = if args.from.is_dir() { RestoreSource::Directory } else { RestoreSource::Archive };
    let replaced =
        before.head.as_ref().map(|head| ReplacedHead { size: head.size, block: head.number, block_hash: head.hash });
    let restored = Restored { source, replaced };
    let is_lost = args.lost_key && !KeyFiles::of(to).path(KeyFile::Seal).exists();
    let configure = |builder: EngineBuilder| {
        let builder = builder.restored(restored);
        if is_lost { builder.replace_key("lost when the log was restored from a backup") } else { builder }
    };
    upkeep(to, configure, |_: Engine| async { Ok(()) })
}
