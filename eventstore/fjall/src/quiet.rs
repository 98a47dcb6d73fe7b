//! Runs fjall where its panics become errors and print nothing.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::Once;

use crate::dir::STORE;
use crate::error::{Defect, OpenError};

thread_local! {
    static QUIET: Cell<u32> = const { Cell::new(0) };
}

static HOOK: Once = Once::new();

/// Runs `f`; a panic in it is corruption, because fjall panics on some damaged files.
///
/// The first call puts a panic hook in front of the present one; it stays silent only for threads that are in here.
/// A panic in a destructor during unwinding aborts the process all the same: see the README.
pub(crate) fn guarded<T>(f: impl FnOnce() -> T) -> Result<T, OpenError> {
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if QUIET.get() == 0 {
                before(info);
            }
        }));
    });
    QUIET.set(QUIET.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(f));
    QUIET.set(QUIET.get() - 1);
    result.map_err(|panic| {
        tracing::debug!(panic = text_of(panic.as_ref()), "the storage engine panicked");
        OpenError::defect(Path::new(STORE), Defect::GaveUp)
    })
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("panic")
}
