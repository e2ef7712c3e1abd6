//! Whatever the text, a search is read or refused, each fault inside the text; one that is
//! read is the same after a round trip, and its condition is one like any other.

#![no_main]

use helpdesk::core::condition::{Condition, CustomKind, Schema};
use helpdesk::core::id::Key;
use helpdesk::core::search_query::{SearchQuery, SearchTerms};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use uuid::Uuid;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let key = |text| Key::new(text).expect("a key");
    let values = ["core", "api"].into_iter().map(str::to_owned).collect();
    Schema::default()
        .with_custom(key("product"), CustomKind::Choice { values })
        .with_custom(key("seats"), CustomKind::Number)
        .with_custom(key("note"), CustomKind::Text)
        .with_custom(key("paid"), CustomKind::Boolean)
        .with_custom(key("renewal"), CustomKind::Instant)
        .with_calendars([key("office")])
});

fuzz_target!(|source: &str| {
    let me = Some(Uuid::from_u128(7));
    let terms = SearchTerms { me, time_zone: "Europe/Berlin", schema: &SCHEMA };
    match SearchQuery::parse(source, &terms) {
        Ok(query) => {
            let written = query.to_string();
            let again = SearchQuery::parse(&written, &terms).expect("what was written is read");
            assert_eq!(again, query, "{written}");
            assert_eq!(again.to_string(), written);
            let condition = query.condition();
            assert_eq!(Condition::parse(&condition.to_json(), &SCHEMA), Ok(condition));
        }
        Err(errors) => {
            let n_chars = source.chars().count();
            assert!(!errors.is_empty());
            for error in errors {
                assert!((1..=n_chars + 1).contains(&error.column), "{source}: {error}");
            }
        }
    }
});
