//! Records the system calls of a program that change files, and reads the recording.

use std::path::Path;
use std::process::{Command, Stdio};

/// Everything that changes files, or says which file and place a change goes to.
const CALLS: &str = "openat,open,creat,close,dup,dup2,dup3,fcntl,lseek,write,pwrite64,writev,pwritev,pwritev2,\
ftruncate,truncate,fallocate,fsync,fdatasync,sync_file_range,syncfs,sync,rename,renameat,renameat2,unlink,unlinkat,\
rmdir,mkdir,mkdirat,link,linkat,symlink,symlinkat,copy_file_range,sendfile,splice";

/// A call that succeeded or failed.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) args: Vec<Arg>,
    pub(crate) result: i64,
}

#[derive(Debug)]
pub(crate) enum Arg {
    Bytes(Vec<u8>),
    Word(String),
}

impl Call {
    pub(crate) fn bytes(&self, index: usize) -> &[u8] {
        match &self.args[index] {
            Arg::Bytes(bytes) => bytes,
            Arg::Word(word) => panic!("{}: argument {index} is `{word}`", self.name),
        }
    }

    pub(crate) fn path(&self, index: usize) -> &str {
        std::str::from_utf8(self.bytes(index)).expect("a path in UTF-8")
    }

    pub(crate) fn word(&self, index: usize) -> &str {
        match &self.args[index] {
            Arg::Word(word) => word,
            Arg::Bytes(_) => panic!("{}: argument {index} is text", self.name),
        }
    }

    pub(crate) fn number(&self, index: usize) -> i64 {
        self.word(index).parse().unwrap_or_else(|_| panic!("{}: `{}`", self.name, self.word(index)))
    }
}

/// A call begins or ends; indexes into [`Trace::calls`]. Threads overlap.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mark {
    Begin(usize),
    End(usize),
}

#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) calls: Vec<Call>,
    pub(crate) marks: Vec<Mark>,
}

/// Runs a program to its end and records it into `file`.
pub(crate) fn record(file: &Path, program: &str, args: &[&str]) -> Trace {
    let traced = Command::new("strace")
        // Threads too, no chatter, text in hexadecimal and whole.
        .args(["-f", "-qq", "-xx", "-s", "100000000", "-e", "signal=none", "-e", &format!("trace={CALLS}"), "-o"])
        .arg(file)
        .arg(program)
        .args(args)
        .stdout(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("strace does not start ({error}): install it, `apt-get install strace`"));
    assert!(traced.status.success(), "the recorded run failed (strace needs ptrace): {traced:?}");
    parse(&std::fs::read_to_string(file).expect("a recording"))
}

/// Reads a recording.
pub(crate) fn parse(text: &str) -> Trace {
    let mut trace = Trace { calls: Vec::new(), marks: Vec::new() };
    let mut unfinished: Vec<(&str, usize, &str)> = Vec::new();
    // Their results are not known yet when they begin.
    let mut begun: Vec<String> = Vec::new();
    for line in text.lines() {
        let (thread, line) = line.split_once(' ').expect("a thread id");
        let line = line.trim_start();
        if let Some(head) = line.strip_suffix(" <unfinished ...>") {
            unfinished.push((thread, begun.len(), head));
            trace.marks.push(Mark::Begin(begun.len()));
            begun.push(String::new());
        } else if let Some(resumed) = line.strip_prefix("<... ") {
            let (_, tail) = resumed.split_once(" resumed>").expect("a resumed call");
            let place = unfinished.iter().position(|(other, ..)| *other == thread).expect("it began");
            let (_, index, head) = unfinished.swap_remove(place);
            begun[index] = format!("{head}{tail}");
            trace.marks.push(Mark::End(index));
        } else {
            trace.marks.extend([Mark::Begin(begun.len()), Mark::End(begun.len())]);
            begun.push(line.to_owned());
        }
    }
    // A thread that was ended within a call: it changed nothing that anybody waited for.
    let ended = |index: &usize| !begun[*index].is_empty();
    trace.marks.retain(|mark| match mark {
        Mark::Begin(index) | Mark::End(index) => ended(index),
    });
    trace.calls = begun.iter().map(|line| call(line)).collect();
    trace
}

fn call(line: &str) -> Call {
    if line.is_empty() {
        return Call { name: String::new(), args: Vec::new(), result: -1 };
    }
    let (call, result) = line.rsplit_once(" = ").unwrap_or_else(|| panic!("no result: {line}"));
    let (name, args) = call.trim_end().split_once('(').unwrap_or_else(|| panic!("no call: {line}"));
    let args = args.strip_suffix(')').unwrap_or_else(|| panic!("no end: {line}"));
    let result = result.split(' ').next().unwrap_or_default();
    let result = match result.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => result.parse().ok(),
    };
    Call { name: name.to_owned(), args: args.split(", ").map(arg).collect(), result: result.unwrap_or(-1) }
}

fn arg(text: &str) -> Arg {
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(hex) => Arg::Bytes(hex.as_bytes().chunks(4).map(|code| digit(code[2]) << 4 | digit(code[3])).collect()),
        None => Arg::Word(text.to_owned()),
    }
}

fn digit(digit: u8) -> u8 {
    (digit as char).to_digit(16).expect("a hexadecimal digit") as u8
}
