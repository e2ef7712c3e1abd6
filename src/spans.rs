//! What `tracing` is told: spans with names, ids and codes, never texts.

use crate::error::{Error, Result};
use tracing::{Instrument, Span};

/// Does a piece of work inside a span whose field `code` says how it ended: `ok`,
/// or the error's stable code.
pub(crate) async fn coded<T>(span: Span, work: impl Future<Output = Result<T>>) -> Result<T> {
    let result = work.instrument(span.clone()).await;
    span.record("code", code_of(&result));
    result
}

/// How it ended, in one stable word. An error's message may quote what people wrote.
pub(crate) fn code_of<T>(result: &Result<T>) -> &'static str {
    result.as_ref().map_or_else(code, |_| "ok")
}

fn code(error: &Error) -> &'static str {
    error.code().as_str()
}

/// A span of one step of a command, with tenant, command and, at its end, code.
macro_rules! step_span {
    ($name:literal, $job:expr) => {
        tracing::debug_span!(
            $name,
            tenant = %$job.actor.tenant,
            command = $job.call.command.name(),
            code = tracing::field::Empty,
        )
    };
}
pub(crate) use step_span;
