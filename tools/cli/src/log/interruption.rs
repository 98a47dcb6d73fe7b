//! What is half written goes when somebody interrupts.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Exit;

static PARTS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
static LISTENS: Once = Once::new();

/// From now on, Ctrl-C and the signal that service managers send remove this file, if it is still there, and end the process.
pub(super) fn remove_when_interrupted(part: &Path) {
    PARTS.lock().unwrap_or_else(PoisonError::into_inner).push(part.to_owned());
    // Without a thread or signals, the file stays behind under a name of its own.
    LISTENS.call_once(|| drop(thread::Builder::new().name("interruption".to_owned()).spawn(listen)));
}

fn listen() {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
    runtime.block_on(async {
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        for part in PARTS.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            fs::remove_file(part).ok();
        }
        std::process::exit(Exit::Interrupted as i32);
    });
}
