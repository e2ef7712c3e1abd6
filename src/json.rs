//! The whole engine by JSON: what bindings and wire protocols call.

use crate::engine::{Call, Helpdesk};
use crate::error::{Error, ErrorBody, Result};
use chrono::{DateTime, Utc};
use helpdesk_core::command::CommandEnvelope;
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::query::QueryEnvelope;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Chars of JSON text that an error shows.
const SHOWN_CHARS: usize = 200;

impl Helpdesk {
    /// [`execute`](Self::execute) by JSON:
    /// `{"actor", "command_id", "expected_version"?, "command": {"type", …}}` gives
    /// `{"ok": …}` or `{"error": {"code", "message", "path"?, "errors"?, "actual"?}}`.
    ///
    /// Never fails otherwise: a text that is no JSON is the error `invalid`.
    pub async fn execute_json(&self, envelope: &str, now: DateTime<Utc>) -> String {
        let result = match read::<CommandEnvelope>(envelope) {
            Ok(CommandEnvelope { actor, command_id, expected_version, command }) => {
                let call = Call { command_id, expected_version, command };
                self.execute(&actor, call, now).await
            }
            Err(rejection) => Err(rejection.into()),
        };
        written(result)
    }

    /// [`query`](Self::query) by JSON: `{"actor", "query": {"type", …}}` gives
    /// `{"ok": …}` or `{"error": …}`.
    pub async fn query_json(&self, envelope: &str, now: DateTime<Utc>) -> String {
        let result = match read::<QueryEnvelope>(envelope) {
            Ok(QueryEnvelope { actor, query }) => self.query(&actor, query, now).await,
            Err(rejection) => Err(rejection.into()),
        };
        written(result)
    }
}

/// Reads an envelope; the error says where and what.
fn read<T: DeserializeOwned>(text: &str) -> std::result::Result<T, Rejection> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let message = format!("not JSON: {error}");
        Rejection::at(
            Code::Invalid,
            format!("line {} column {}", error.line(), error.column()),
            message,
        )
    })?;
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let message: String = error.inner().to_string().chars().take(SHOWN_CHARS).collect();
        let code =
            if message.starts_with("unknown field") { Code::UnknownField } else { Code::Invalid };
        Rejection::at(code, if path == "." { String::new() } else { path }, message)
    })
}

fn written<T: Serialize>(result: Result<T>) -> String {
    let value = match result {
        Ok(ok) => serde_json::to_value(&ok).map(|ok| json!({ "ok": ok })),
        Err(error) => serde_json::to_value(error.body()).map(|body| json!({ "error": body })),
    };
    let value = value.unwrap_or_else(|error| {
        let rejection =
            Rejection::new(Code::Internal, format!("the answer cannot be written: {error}"));
        let body: ErrorBody = Error::from(rejection).body();
        json!({ "error": { "code": body.code, "message": body.message } })
    });
    value.to_string()
}
