//! A disk that may lose what was not synced: follows a recording, and gives the states in which a power loss may leave it.
//!
//! Harsher than file systems are: each sector of each write, each change of a size and each change of a directory entry
//! since the last sync of that file or directory may be there or not, in any combination. Syncing a file does not sync
//! its name. A rename is atomic, and synced with either of its directories.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use actum_tests::Random;

use crate::image::{Content, Entry, Image};
use crate::trace::Call;

/// Number of a file or directory.
pub(crate) type Inode = usize;
const ROOT: Inode = 0;

/// A change of a file's content.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Data { at: u64, bytes: Rc<[u8]> },
    Size(u64),
}

#[derive(Debug, Default)]
struct File {
    name: String,
    is_directory: bool,
    size: u64,
    durable: Content,
    /// Since the last sync; the first of them is change number `synced`.
    pending: Vec<Change>,
    synced: usize,
}

/// A change of directory entries that happens as a whole.
#[derive(Debug, Clone)]
struct Naming {
    number: usize,
    entries: Vec<(Entry, Option<Inode>)>,
}

/// An open file; descriptors that were duplicated share it.
#[derive(Debug)]
struct Handle {
    inode: Inode,
    offset: u64,
    appends: bool,
}

/// What a sync covers, noted when it begins.
#[derive(Debug)]
struct Syncing {
    inode: Inode,
    changes: usize,
    namings: usize,
}

#[derive(Debug)]
pub(crate) struct Disk {
    root: String,
    files: Vec<File>,
    live: BTreeMap<Entry, Inode>,
    durable: BTreeMap<Entry, Inode>,
    pending: Vec<Naming>,
    namings: usize,
    handles: Vec<Handle>,
    descriptors: HashMap<i64, usize>,
    syncing: HashMap<usize, Syncing>,
}

impl Disk {
    /// An empty one that follows what happens below the path `root`, which is there and synced.
    pub(crate) fn new(root: &str) -> Self {
        let top = File { is_directory: true, ..File::default() };
        Disk {
            root: root.to_owned(),
            files: vec![top],
            live: BTreeMap::new(),
            durable: BTreeMap::new(),
            pending: Vec::new(),
            namings: 0,
            handles: Vec::new(),
            descriptors: HashMap::new(),
            syncing: HashMap::new(),
        }
    }

    /// A call begins: a sync covers what is done by now.
    pub(crate) fn begin(&mut self, index: usize, call: &Call) {
        if !matches!(call.name.as_str(), "fsync" | "fdatasync") {
            return;
        }
        if let Some(inode) = self.descriptors.get(&call.number(0)).map(|handle| self.handles[*handle].inode) {
            let file = &self.files[inode];
            let changes = file.synced + file.pending.len();
            self.syncing.insert(index, Syncing { inode, changes, namings: self.namings });
        }
    }

    /// A call ends. `honest` is asked of each sync, by the name of the file, whether it happens.
    pub(crate) fn end(&mut self, index: usize, call: &Call, honest: &mut dyn FnMut(&str) -> bool) {
        if let Some(syncing) = self.syncing.remove(&index) {
            if call.result == 0 && honest(&self.files[syncing.inode].name) {
                self.sync(&syncing);
            }
        } else if call.result >= 0 {
            self.apply(call);
        }
    }

    fn sync(&mut self, syncing: &Syncing) {
        let file = &mut self.files[syncing.inode];
        let count = syncing.changes.saturating_sub(file.synced);
        for change in file.pending.drain(..count) {
            file.durable.apply(&change, &mut || true);
        }
        file.synced += count;
        let durable = &mut self.durable;
        self.pending.retain(|naming| {
            let synced = naming.number < syncing.namings && naming.touches(syncing.inode);
            if synced {
                naming.apply(durable);
            }
            !synced
        });
    }

    fn apply(&mut self, call: &Call) {
        match call.name.as_str() {
            "openat" => self.open(call),
            "close" => drop(self.descriptors.remove(&call.number(0))),
            "fcntl" if call.word(1).starts_with("F_DUPFD") => {
                if let Some(handle) = self.descriptors.get(&call.number(0)).copied() {
                    self.descriptors.insert(call.result, handle);
                }
            }
            "fcntl" => {}
            "lseek" => {
                if let Some(handle) = self.handle(call.number(0)) {
                    handle.offset = call.result as u64;
                }
            }
            "write" => self.write(call, None),
            "pwrite64" => self.write(call, Some(call.number(3) as u64)),
            "ftruncate" => {
                if let Some(inode) = self.handle(call.number(0)).map(|handle| handle.inode) {
                    self.resize(inode, call.number(1) as u64);
                }
            }
            "mkdir" => self.make_directory(-1, call.path(0)),
            "mkdirat" => self.make_directory(descriptor(call.word(0)), call.path(1)),
            "unlink" | "rmdir" => self.unlink(-1, call.path(0)),
            "unlinkat" => self.unlink(descriptor(call.word(0)), call.path(1)),
            "rename" => self.rename((-1, call.path(0)), (-1, call.path(1))),
            "renameat" | "renameat2" => {
                self.rename((descriptor(call.word(0)), call.path(1)), (descriptor(call.word(2)), call.path(3)));
            }
            "linkat" => {
                let from = self.entry(descriptor(call.word(0)), call.path(1));
                let to = self.entry(descriptor(call.word(2)), call.path(3));
                let inode = from.and_then(|from| self.live.get(&from).copied());
                if let (Some(inode), Some(to)) = (inode, to) {
                    self.name(vec![(to, Some(inode))]);
                }
            }
            other => self.refuse_unknown(other, call),
        }
    }

    /// A call that this disk does not know must not have touched it.
    fn refuse_unknown(&self, name: &str, call: &Call) {
        let ours = call.args.iter().any(|arg| match arg {
            crate::trace::Arg::Bytes(bytes) => bytes.starts_with(self.root.as_bytes()),
            crate::trace::Arg::Word(word) => word.parse().is_ok_and(|fd: i64| self.descriptors.contains_key(&fd)),
        });
        assert!(!ours, "the disk of this test does not know the call {name}: teach it");
    }

    fn handle(&mut self, descriptor: i64) -> Option<&mut Handle> {
        self.descriptors.get(&descriptor).map(|handle| &mut self.handles[*handle])
    }

    fn open(&mut self, call: &Call) {
        let Some(inode) = self.find_or_create(call) else {
            self.descriptors.remove(&call.result);
            return;
        };
        if call.word(2).contains("O_TRUNC") && self.files[inode].size > 0 {
            self.resize(inode, 0);
        }
        self.handles.push(Handle { inode, offset: 0, appends: call.word(2).contains("O_APPEND") });
        self.descriptors.insert(call.result, self.handles.len() - 1);
    }

    fn find_or_create(&mut self, call: &Call) -> Option<Inode> {
        let (directory, path) = (descriptor(call.word(0)), call.path(1));
        if path == self.root {
            return Some(ROOT);
        }
        let entry = self.entry(directory, path)?;
        if let Some(inode) = self.live.get(&entry) {
            return Some(*inode);
        }
        call.word(2).contains("O_CREAT").then(|| self.create(entry, false))
    }

    fn create(&mut self, entry: Entry, is_directory: bool) -> Inode {
        let inode = self.files.len();
        self.files.push(File { name: entry.1.clone(), is_directory, ..File::default() });
        self.name(vec![(entry, Some(inode))]);
        inode
    }

    fn name(&mut self, entries: Vec<(Entry, Option<Inode>)>) {
        let naming = Naming { number: self.namings, entries };
        naming.apply(&mut self.live);
        self.pending.push(naming);
        self.namings += 1;
    }

    fn make_directory(&mut self, directory: i64, path: &str) {
        if let Some(entry) = self.entry(directory, path) {
            self.create(entry, true);
        }
    }

    fn unlink(&mut self, directory: i64, path: &str) {
        if let Some(entry) = self.entry(directory, path) {
            self.name(vec![(entry, None)]);
        }
    }

    fn rename(&mut self, from: (i64, &str), to: (i64, &str)) {
        let (from, to) = (self.entry(from.0, from.1), self.entry(to.0, to.1));
        if let (Some(from), Some(to)) = (from, to) {
            let inode = self.live[&from];
            self.name(vec![(from, None), (to, Some(inode))]);
        }
    }

    /// The entry that a path means; `None` outside of the root.
    fn entry(&self, directory: i64, path: &str) -> Option<Entry> {
        let (mut at, rest) = match path.strip_prefix(&self.root) {
            Some(rest) if rest.starts_with('/') => (ROOT, &rest[1..]),
            _ if path.starts_with('/') => return None,
            _ => (self.handles[*self.descriptors.get(&directory)?].inode, path),
        };
        let mut names = rest.split('/').filter(|name| !name.is_empty()).peekable();
        while let Some(name) = names.next() {
            if names.peek().is_none() {
                return Some((at, name.to_owned()));
            }
            at = *self.live.get(&(at, name.to_owned()))?;
        }
        None
    }

    fn write(&mut self, call: &Call, at: Option<u64>) {
        let bytes: Rc<[u8]> = call.bytes(1)[..call.result as usize].into();
        let Some(handle) = self.descriptors.get(&call.number(0)).map(|handle| &mut self.handles[*handle]) else {
            return;
        };
        let file = &mut self.files[handle.inode];
        let place = at.unwrap_or(if handle.appends { file.size } else { handle.offset });
        let end = place + bytes.len() as u64;
        if at.is_none() {
            handle.offset = end;
        }
        file.size = file.size.max(end);
        file.pending.push(Change::Data { at: place, bytes });
    }

    fn resize(&mut self, inode: Inode, size: u64) {
        self.files[inode].size = size;
        self.files[inode].pending.push(Change::Size(size));
    }

    /// What is there when everything survives.
    pub(crate) fn whole(&self) -> Image {
        let content = |inode: Inode| self.content(inode, &mut |_| true, &mut || true);
        Image::new(&self.live, |inode| self.files[inode].is_directory, content)
    }

    /// What a power loss now may leave.
    pub(crate) fn crash(&self, random: &mut Random) -> Image {
        let mut names = self.durable.clone();
        let policy = Policy::any(random);
        let count = random.below(self.pending.len() + 1);
        for (index, naming) in self.pending.iter().enumerate() {
            let kept = match policy {
                Policy::Nothing => false,
                Policy::Everything => true,
                Policy::Begin => index < count,
                Policy::Some(percent) => random.chance(percent),
            };
            if kept {
                naming.apply(&mut names);
            }
        }
        let policy = Policy::any(random);
        let contents: Vec<Content> = (0..self.files.len()).map(|inode| self.survivor(inode, policy, random)).collect();
        Image::new(&names, |inode| self.files[inode].is_directory, |inode| contents[inode].clone())
    }

    fn survivor(&self, inode: Inode, policy: Policy, random: &mut Random) -> Content {
        let pending = &self.files[inode].pending;
        match policy {
            Policy::Nothing => self.files[inode].durable.clone(),
            Policy::Everything => self.content(inode, &mut |_| true, &mut || true),
            Policy::Begin => {
                // The last of them is torn somewhere.
                let count = random.below(pending.len() + 1);
                let mut content = self.files[inode].durable.clone();
                for (index, change) in pending.iter().take(count).enumerate() {
                    let mut left = if index + 1 == count { random.below(40) } else { usize::MAX };
                    content.apply(change, &mut || {
                        left = left.saturating_sub(1);
                        left > 0
                    });
                }
                content
            }
            Policy::Some(percent) => {
                let mut sectors = random.clone();
                let content = self.content(inode, &mut |_| random.chance(percent), &mut || sectors.chance(percent));
                random.bits();
                content
            }
        }
    }

    fn content(
        &self,
        inode: Inode,
        keep: &mut dyn FnMut(&Change) -> bool,
        keep_sector: &mut dyn FnMut() -> bool,
    ) -> Content {
        let mut content = self.files[inode].durable.clone();
        for change in &self.files[inode].pending {
            // A write may be there in part; a size is there or not.
            if matches!(change, Change::Data { .. }) || keep(change) {
                content.apply(change, keep_sector);
            }
        }
        content
    }
}

/// Which of the unsynced changes survive.
#[derive(Debug, Clone, Copy)]
enum Policy {
    Nothing,
    Everything,
    Begin,
    Some(usize),
}

impl Policy {
    fn any(random: &mut Random) -> Self {
        match random.below(6) {
            0 => Policy::Nothing,
            1 => Policy::Everything,
            2 | 3 => Policy::Begin,
            _ => Policy::Some(*random.pick(&[10, 50, 90])),
        }
    }
}

impl Naming {
    fn touches(&self, directory: Inode) -> bool {
        self.entries.iter().any(|((parent, _), _)| *parent == directory)
    }

    fn apply(&self, names: &mut BTreeMap<Entry, Inode>) {
        for (entry, inode) in &self.entries {
            match inode {
                Some(inode) => names.insert(entry.clone(), *inode),
                None => names.remove(entry),
            };
        }
    }
}

/// The working directory is none that matters.
fn descriptor(word: &str) -> i64 {
    word.parse().unwrap_or(-1)
}
