//! The whole engine by JSON: what bindings and wire protocols call.

use crate::engine::{Call, Helpdesk};
use crate::error::{Error, ErrorBody, Result};
use chrono::{DateTime, Utc};
use helpdesk_core::command::CommandEnvelope;
use helpdesk_core::fault::{Code, Rejection, join_path};
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
    serde_path_to_error::deserialize(value.clone()).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        let message: String = error.inner().to_string().chars().take(SHOWN_CHARS).collect();
        match message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`')) {
            Some((name, _)) => {
                // What is told apart by `type` is read whole, and its inner path is lost.
                let top = path.split('.').next().unwrap_or_default();
                let inner = value.get(top).and_then(|value| spot_of(value, name));
                let path = inner.map_or(path.clone(), |inner| join_path(top, &inner));
                Rejection::at(Code::UnknownField, path, message)
            }
            None => Rejection::at(Code::Invalid, path, message),
        }
    })
}

/// Where a field of this name stands first.
fn spot_of(value: &Value, name: &str) -> Option<String> {
    match value {
        Value::Object(map) if map.contains_key(name) => Some(name.to_owned()),
        Value::Object(map) => map
            .iter()
            .find_map(|(key, value)| spot_of(value, name).map(|spot| join_path(key, &spot))),
        Value::Array(list) => list.iter().enumerate().find_map(|(i, value)| {
            spot_of(value, name).map(|spot| join_path(&format!("[{i}]"), &spot))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
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
