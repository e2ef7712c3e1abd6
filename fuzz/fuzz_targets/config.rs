//! Whatever the text, a configuration is read or refused; one that is read
//! can be linted, and written and read again it is the same desk.

#![no_main]

use helpdesk::core::desk::document::Document;
use helpdesk::core::desk::{DeskReader, from_json, from_toml, from_yaml};

use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde_json::Value;
use std::sync::LazyLock;

static READER: LazyLock<DeskReader> = LazyLock::new(|| DeskReader::new().expect("compiles"));

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let formats = [from_json, from_toml, from_yaml];
    formats.into_iter().filter_map(|from| from(text).ok()).for_each(|value| check(&value));
});

fn check(value: &Value) {
    let Ok(desk) = READER.read(value) else { return };
    for lint in desk.lint() {
        assert!(!lint.message.is_empty());
    }
    let document = Document::deserialize(value).expect("what was read has the shape");
    let written = serde_json::to_value(&document).expect("is JSON");
    let again = READER.read(&written).expect("what was written is read");
    assert_eq!(desk, again);
}
