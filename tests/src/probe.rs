//! Asks the program `opener`, which may be aborted by what it opens, or hang.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// Longest that opening a small log may take before it counts as hanging; it takes milliseconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It opened.
    Ok(String),
    /// It said what is wrong: a class in one word, and a text.
    Error(String, String),
    /// The process ended without an answer.
    Died(String),
    /// It did not answer and was ended.
    Hung,
}

/// A running `opener`, started again when it died.
pub struct Probe {
    program: &'static str,
    running: Option<Running>,
}

struct Running {
    child: Child,
    requests: ChildStdin,
    answers: Receiver<String>,
}

impl Probe {
    /// `program` is the path of `opener`.
    #[must_use]
    pub fn new(program: &'static str) -> Self {
        Self { program, running: None }
    }

    /// Asks it to open `directory` in the manner `how`.
    ///
    /// # Panics
    /// The program cannot be started.
    pub fn ask(&mut self, how: &str, directory: &Path) -> Answer {
        let mut running = self.running.take().unwrap_or_else(|| Running::start(self.program));
        let sent = writeln!(running.requests, "{how} {}", directory.display());
        let answer = match sent.map(|()| running.answers.recv_timeout(PATIENCE)) {
            Ok(Ok(line)) => parse(&line),
            Ok(Err(RecvTimeoutError::Timeout)) => Answer::Hung,
            Ok(Err(RecvTimeoutError::Disconnected)) | Err(_) => Answer::Died(String::new()),
        };
        match answer {
            Answer::Ok(_) | Answer::Error(..) => self.running = Some(running),
            Answer::Hung => drop(running.end()),
            Answer::Died(_) => return Answer::Died(running.end()),
        }
        answer
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.end();
        }
    }
}

impl Running {
    fn start(program: &str) -> Self {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the opener starts");
        let (Some(requests), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both are pipes");
        };
        let (send, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Running { child, requests, answers }
    }

    /// Ends the process; says how it ended.
    fn end(mut self) -> String {
        // One that died by itself keeps its own status.
        self.child.kill().ok();
        self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string())
    }
}

fn parse(line: &str) -> Answer {
    let mut words = line.splitn(3, ' ');
    match (words.next(), words.next(), words.next()) {
        (Some("ok"), Some(first), rest) => Answer::Ok([first, rest.unwrap_or_default()].join(" ").trim().to_owned()),
        (Some("error"), Some(class), rest) => Answer::Error(class.to_owned(), rest.unwrap_or_default().to_owned()),
        _ => Answer::Died(format!("it said `{line}`")),
    }
}
