//! What a caught panic says, and where it happened.
//!
//! A caught panic carries its message but not its line: only the panic hook sees that. So a hook is put before the
//! one that is installed, notes the line while a supervised actor is polled, and always calls the earlier hook.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use super::exit::{ExitReason, Place, Step};

thread_local! {
    static LAST_LINE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A panic that was caught.
pub(super) struct Caught {
    payload: Box<dyn Any + Send>,
    line: Option<String>,
}

/// Runs a step of an actor and catches its panic.
pub(super) fn guarded<T>(step: impl FnOnce() -> T) -> Result<T, Caught> {
    note_lines();
    LAST_LINE.take();
    // what a panic leaves half done is thrown away: the state is rebuilt, and actix's context is reset with it
    catch_unwind(AssertUnwindSafe(step)).map_err(|payload| Caught {
        payload,
        line: LAST_LINE.take(),
    })
}

impl Caught {
    pub(super) fn reason(&self) -> ExitReason {
        let text = self.payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| self.payload.downcast_ref::<String>().map(String::as_str));
        ExitReason::bug(format_args!("panic: {}", text.unwrap_or("without a text")))
    }

    pub(super) fn place(&self, step: Step) -> Place {
        Place {
            step,
            line: self.line.clone(),
        }
    }
}

fn note_lines() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let earlier = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let line = panic
                .location()
                .map(|location| format!("{}:{}", location.file(), location.line()));
            // a panic while thread-locals are being torn down has nobody who would ask for its line
            let _noted = LAST_LINE.try_with(|last| last.replace(line));
            earlier(panic);
        }));
    });
}
