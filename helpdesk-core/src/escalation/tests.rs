//! Escalation as a desk sees it.

mod duty;

use crate::id::{AgentId, Key};
use chrono::{DateTime, Utc};
use uuid::Uuid;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn agent(n: u128) -> AgentId {
    AgentId(Uuid::from_u128(n))
}
