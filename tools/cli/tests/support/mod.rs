//! Runs the built binary.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

use serde_json::Value as Json;

/// A directory for one test, and the command line in it.
pub(crate) struct Place {
    directory: tempfile::TempDir,
}

/// What a command gave.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

/// Most kills at one kind of call.
const KILLS_MAX: u32 = 40;

/// Work for handlers only; a guard divides by `amount`.
pub(crate) const AUTOMATIC: &str = "\
actum: 1
net: automatic
data:
  amount: { type: int, input: true, default: 2 }
  double: { type: int }
start: work
tasks:
  work: { handler: expr, params: { twice: '{{ amount * 2 }}', share: '{{ 100 / amount }}' }, output: { double: '{{ result.twice }}' }, flow: end }
";

/// Work for two different people.
pub(crate) const MANUAL: &str = "\
actum: 1
net: manual
data:
  amount: { type: int, input: true, default: 2 }
  ok: { type: bool }
roles: { clerk: {}, boss: {} }
start: propose
tasks:
  propose: { role: clerk, flow: approve }
  approve:
    role: clerk
    separate_from: propose
    form: { ok: { type: bool, required: true } }
    output: { ok: '{{ result.ok }}' }
    split: xor
    flow:
      - { to: end, when: 'ok' }
      - { to: escalate, default: true }
  escalate: { role: boss, flow: end }
play:
  participants: { clerk: [ana, ben] }
  tasks:
    approve: { minutes: [1, 5], results: [{ weight: 1, result: { ok: true } }, { weight: 1, result: { ok: false } }] }
";

impl Place {
    pub(crate) fn new() -> Self {
        let place = Place { directory: tempfile::tempdir().expect("a temporary directory") };
        place.write("automatic.yaml", AUTOMATIC);
        place.write("manual.yaml", MANUAL);
        place
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).expect("a file in a temporary directory");
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).expect("a file that a command wrote")
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_actum"));
        command.args(line.split_whitespace()).current_dir(self.directory.path()).stdin(Stdio::null());
        // Whatever is left behind by a crash is then below the test's own directory.
        std::fs::create_dir_all(self.path("tmp")).expect("a directory");
        command.env("TMPDIR", self.path("tmp"));
        command
    }

    /// Runs a command line without quoting: arguments are split at spaces.
    pub(crate) fn run(&self, line: &str) -> Ran {
        self.command(line).output().expect("the binary runs").into()
    }

    /// A command that must succeed; gives its output.
    pub(crate) fn good(&self, line: &str) -> String {
        let ran = self.run(line);
        assert_eq!(ran.code, 0, "{line}\n{}{}", ran.text(), ran.err);
        ran.text()
    }

    /// A command that must fail with an exit code; gives what it said, which is one plain sentence at its end.
    pub(crate) fn bad(&self, line: &str, code: i32) -> String {
        let ran = self.run(line);
        assert_eq!(ran.code, code, "{line}\n{}{}", ran.text(), ran.err);
        let last = ran.err.trim_end().lines().last().unwrap_or_default().to_owned();
        assert!(last.starts_with("error: "), "{line}: {}", ran.err);
        for never in ["panicked", "this is a bug", "RUST_BACKTRACE", " { ", "Some(", "Os {"] {
            assert!(!ran.err.contains(never), "{line}: {}", ran.err);
        }
        last
    }

    /// Kills a command again and again: when it is about to sync, rename or remove for the first time, the second, and so on, until
    /// it gets through. After each kill `look` sees what is left, and is told where it was. Returns the number of kills.
    pub(crate) fn killed_everywhere(&self, line: &str, mut look: impl FnMut(&str)) -> usize {
        let mut kills = 0;
        for calls in ["fsync,fdatasync", "rename,renameat,renameat2", "unlink,unlinkat"] {
            for nth in 1..=KILLS_MAX {
                let status = self.traced(line, calls, nth);
                if status.success() {
                    break;
                }
                // Also when it was a child of the command that died, and the command said so.
                assert!(status.signal() == Some(9) || matches!(status.code(), Some(5 | 6)), "{line}: {status}");
                kills += 1;
                look(&format!("{calls}, {nth}"));
            }
        }
        kills
    }

    /// Runs a command whose threads are killed with it when one of them makes any of `calls` for the `nth` time.
    fn traced(&self, line: &str, calls: &str, nth: u32) -> ExitStatus {
        let (traced, killed) = (format!("trace={calls}"), format!("inject={calls}:signal=SIGKILL:when={nth}"));
        let command = self.command(line);
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &traced, "-e", &killed]).arg(command.get_program());
        strace.args(command.get_args()).current_dir(self.path("")).env("TMPDIR", self.path("tmp"));
        let run = strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        run.unwrap_or_else(|error| panic!("strace does not start ({error}): install it, `apt-get install strace`"))
    }

    /// The output of a command as JSON.
    pub(crate) fn json(&self, line: &str) -> Json {
        serde_json::from_str(&self.good(line)).expect("JSON")
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let err = String::from_utf8(output.stderr).expect("text");
        Ran { code: output.status.code().unwrap_or(-1), out: output.stdout, err }
    }
}

impl Ran {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }
}
