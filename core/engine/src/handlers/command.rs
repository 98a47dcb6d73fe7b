//! `command`: runs a program, which may be in any language.
//!
//! Not among the handlers that every engine has: who registers it lets authors of nets run programs on the engine's machine.
//!
//! | parameter | meaning |
//! |---|---|
//! | `program` | its path, or its name in the engine's `PATH` |
//! | `args` | a list: each is one argument as it is; there is no shell |
//! | `env` | a map: all that its environment has. `{ env: NAME }` takes a variable from the engine's environment, so that a secret is not in the log |
//! | `dir` | where it runs |
//! | `input` | what it reads: text as it is, anything else as JSON |
//! | `output` | `text` (default) or `json`: what its standard output is |
//!
//! Its result is a map of `output` and `errors` (standard error, as text). A program that ends with anything but 0 fails the attempt
//! with the code `command/exit`, with the end of its standard error as the message. What it was given from the engine's environment
//! is blotted out of both. When it is out of time or cancelled, its whole process group is killed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use actum_model::Value;
use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use super::json;
use super::secrets::{self, Lookup};
use crate::handler::{Call, Handler, HandlerError, TimeLimits};

/// Most bytes of standard output, and of standard error, together below what one event may hold.
const OUTPUT_BYTES_MAX: usize = 256 << 10;
/// How much of standard error a failure's message has: its end.
const ERROR_BYTES_MAX: usize = 1_024;
/// Most arguments.
const ARGS_MAX: usize = 1_000;
/// How long a program may run, if its task's policies do not say.
const TIME_MAX: Duration = Duration::from_mins(10);

/// The handler `command`; see the crate's table of its parameters.
#[derive(Clone)]
pub struct Command {
    /// If there are any: only these programs, as nets name them.
    allowed: Option<Arc<[String]>>,
    lookup: Arc<Lookup>,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Command").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

impl Command {
    /// Runs whatever nets name.
    #[must_use]
    pub fn any() -> Self {
        Command { allowed: None, lookup: Arc::new(secrets::environment) }
    }

    /// Runs only these programs, each named exactly as nets name it.
    #[must_use]
    pub fn only(programs: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Command { allowed: Some(programs.into_iter().map(Into::into).collect()), ..Self::any() }
    }

    /// Takes secrets from somewhere else than the environment of the process.
    #[must_use]
    pub fn secrets(mut self, lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.lookup = Arc::new(lookup);
        self
    }

    fn plan(&self, input: &Value) -> Result<Plan, HandlerError> {
        let bad = |what: &str| HandlerError::new("handler/input", what);
        let Value::Map(input) = input else { return Err(bad("the parameters are a map")) };
        let known = ["program", "args", "env", "dir", "input", "output"];
        if let Some(unknown) = input.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(bad(&format!("the handler command has no parameter `{unknown}`")));
        }
        let Some(Value::String(program)) = input.get("program") else { return Err(bad("`program` is a text")) };
        if self.allowed.as_ref().is_some_and(|allowed| !allowed.contains(program)) {
            return Err(HandlerError::new("command/not-allowed", format!("the program {program} may not be run")));
        }
        let args = match input.get("args") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::List(args)) if args.len() <= ARGS_MAX => args.iter().map(argument).collect::<Result<_, _>>()?,
            Some(_) => return Err(bad("`args` is a list of at most 1,000 texts or numbers")),
        };
        let mut plan = Plan {
            program: find(program)?,
            args,
            env: Vec::new(),
            dir: None,
            input: Vec::new(),
            is_json: false,
            secrets: Vec::new(),
        };
        for (name, value) in secrets::map(input, "env")? {
            let (text, is_secret) = secrets::text(value, &format!("`env.{name}`"), &*self.lookup)?;
            plan.secrets.extend(Some(text.clone()).filter(|text| is_secret && !text.is_empty()));
            plan.env.push((name.clone(), text));
        }
        plan.dir = match input.get("dir") {
            None | Some(Value::Null) => None,
            Some(Value::String(dir)) => Some(dir.into()),
            Some(_) => return Err(bad("`dir` is a text")),
        };
        plan.input = match input.get("input") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(text)) => text.clone().into_bytes(),
            Some(value) => json::write(value),
        };
        plan.is_json = match input.get("output") {
            None => false,
            Some(Value::String(kind)) if kind == "text" || kind == "json" => kind == "json",
            Some(_) => return Err(bad("`output` is `text` or `json`")),
        };
        Ok(plan)
    }
}

/// A program that is to be run.
struct Plan {
    program: PathBuf,
    args: Vec<String>,
    env: Vec<(String, String)>,
    dir: Option<PathBuf>,
    input: Vec<u8>,
    is_json: bool,
    secrets: Vec<String>,
}

fn argument(value: &Value) -> Result<String, HandlerError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Int(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        _ => Err(HandlerError::new("handler/input", "an argument is text, a number, or a truth")),
    }
}

/// In the engine's own search path: the program's environment says nothing about where it is.
fn find(program: &str) -> Result<PathBuf, HandlerError> {
    if program.contains(std::path::is_separator) {
        return Ok(program.into());
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths).map(|dir| dir.join(program)).find(|path| path.is_file());
    found.ok_or_else(|| HandlerError::new("command/not-found", format!("there is no program {program}")))
}

/// Kills a process and all that it started, unless it has ended.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(pid) = self.0.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw) {
            // It may have ended by itself meanwhile.
            rustix::process::kill_process_group(pid, rustix::process::Signal::KILL).ok();
        }
    }
}

async fn run(plan: &Plan) -> Result<(Option<i32>, Vec<u8>, Vec<u8>), HandlerError> {
    let failed = |error: std::io::Error| HandlerError::new("command/io", format!("it cannot be run: {}", error.kind()));
    let mut command = tokio::process::Command::new(&plan.program);
    command.args(&plan.args).env_clear().envs(plan.env.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command.current_dir(plan.dir.as_deref().unwrap_or(Path::new(".")));
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn().map_err(failed)?;
    let mut group = Group(child.id());
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A program need not read what it is given.
            stdin.write_all(&plan.input).await.ok();
        }
        Ok(())
    };
    let ((), output, errors) = tokio::try_join!(feed, all(stdout), all(stderr))?;
    let status = child.wait().await.map_err(failed)?;
    // It is gone, and its number may soon be another's.
    group.0 = None;
    Ok((status.code(), output, errors))
}

/// All that a program says, within the limit.
async fn all(from: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, HandlerError> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        let failed = |error: std::io::Error| HandlerError::new("command/io", error.kind().to_string());
        from.take(OUTPUT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).await.map_err(failed)?;
    }
    if bytes.len() > OUTPUT_BYTES_MAX {
        let message = format!("it says more than {OUTPUT_BYTES_MAX} bytes");
        return Err(HandlerError::new("command/output", message));
    }
    Ok(bytes)
}

/// As text, without what it must not repeat.
fn plain(bytes: &[u8], secrets: &[String]) -> String {
    let text = String::from_utf8_lossy(bytes).into_owned();
    secrets.iter().fold(text, |text, secret| text.replace(secret, "***"))
}

#[async_trait]
impl Handler for Command {
    async fn handle(&self, call: Call) -> Result<Value, HandlerError> {
        let plan = self.plan(&call.input)?;
        let (code, output, errors) = tokio::select! {
            outcome = run(&plan) => outcome?,
            () = call.cancelled() => return Err(HandlerError::new("handler/cancelled", "nobody waits for it any more")),
        };
        let errors = plain(&errors, &plan.secrets);
        if code != Some(0) {
            let how = code.map_or("it was killed".to_owned(), |code| format!("it ended with {code}"));
            let end = &errors[errors.ceil_char_boundary(errors.len().saturating_sub(ERROR_BYTES_MAX))..];
            return Err(HandlerError::new("command/exit", format!("{how}: {}", end.trim())));
        }
        let output = plain(&output, &plan.secrets);
        let output = if plan.is_json {
            json::read(output.as_bytes())
                .map_err(|error| HandlerError::new("command/json", format!("its output is not JSON: {error}")))?
        } else {
            Value::String(output)
        };
        let result = [("output".to_owned(), output), ("errors".to_owned(), Value::String(errors))];
        Ok(Value::Map(BTreeMap::from(result)))
    }

    fn time_limits(&self) -> TimeLimits {
        TimeLimits { handle: Some(TIME_MAX), ..TimeLimits::default() }
    }
}
