use super::{LONGEST_BYTES, read, shown, written};
use chrono::{DateTime, FixedOffset, Utc};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// Fields of both kinds, by us.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Ours {
    #[serde(with = "super")]
    at: DateTime<Utc>,
    #[serde(default, with = "super::optional", skip_serializing_if = "Option::is_none")]
    until: Option<DateTime<Utc>>,
}

/// The same by chrono.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Chronos {
    at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<DateTime<Utc>>,
}

fn check_text(text: &str) {
    let document = serde_json::json!({"at": text, "until": text}).to_string();
    let ours = serde_json::from_str::<Ours>(&document);
    let chronos = serde_json::from_str::<Chronos>(&document);
    match (ours, chronos) {
        (Ok(ours), Ok(chronos)) => {
            assert_eq!((ours.at, ours.until), (chronos.at, chronos.until), "{text}");
        }
        (Err(ours), Err(chronos)) => assert_eq!(ours.to_string(), chronos.to_string()),
        (ours, chronos) => panic!("`{text}`: {ours:?}, but {chronos:?}"),
    }
}

fn check_instant(at: DateTime<Utc>) {
    if let Some(shown) = shown(at) {
        let to_second = at.format("%Y-%m-%d %H:%M:%S").to_string();
        let is_whole = to_second.ends_with(":00");
        assert_eq!(shown, to_second[..if is_whole { 16 } else { 19 }]);
    }
    let (ours, chronos) = (Ours { at, until: Some(at) }, Chronos { at, until: Some(at) });
    let text = serde_json::to_string(&ours).unwrap();
    assert_eq!(text, serde_json::to_string(&chronos).unwrap());
    assert_eq!(serde_json::from_str::<Ours>(&text).unwrap(), ours);
}

#[test]
fn usual_instants_take_the_short_way() {
    for text in ["2026-11-20T09:00:00Z", "1969-12-31T23:59:59.500Z", "0000-02-29T00:00:00Z"] {
        let at = text.parse::<DateTime<FixedOffset>>().unwrap().with_timezone(&Utc);
        assert_eq!(read(text.as_bytes()), Some(at));
        assert_eq!(written(at, &mut [0; LONGEST_BYTES]), Some(text));
    }
}

#[test]
fn other_forms_are_read_as_chrono_reads_them() {
    for text in [
        "",
        "2026-11-20",
        "2026-11-20T09:00:00",
        "2026-11-20T09:00:00z",
        "2026-11-20t09:00:00Z",
        "2026-11-20 09:00:00 UTC",
        "2026-11-20T09:00:00+02:00",
        "2026-11-20T09:00:00.Z",
        "2026-11-20T09:00:00.1Z",
        "2026-11-20T09:00:00.123456789Z",
        "2026-11-20T09:00:00.1234567890Z",
        "2026-02-29T09:00:00Z",
        "2026-13-01T09:00:00Z",
        "2026-11-20T24:00:00Z",
        "2026-11-20T09:60:00Z",
        "2016-12-31T23:59:60Z",
        "2016-12-31T23:59:60.5Z",
        "2026-11-20T09:00:61Z",
        "+12026-11-20T09:00:00Z",
        "-0001-11-20T09:00:00Z",
        "2026-11-20T09:00:00Z ",
        "2026-11-20T09:0é:00Z",
    ] {
        check_text(text);
    }
    check_instant(DateTime::<Utc>::MIN_UTC);
    check_instant(DateTime::<Utc>::MAX_UTC);
}

#[test]
fn null_is_absent_and_no_instant() {
    let until = serde_json::from_str::<Ours>(r#"{"at":"2026-11-20T09:00:00Z","until":null}"#);
    assert_eq!(until.unwrap().until, None);
    let error = serde_json::from_str::<Ours>(r#"{"at":null}"#).unwrap_err().to_string();
    assert_eq!(error, serde_json::from_str::<Chronos>(r#"{"at":null}"#).unwrap_err().to_string());
}

proptest! {
    #[test]
    fn instants_are_written_and_read_as_by_chrono(
        seconds in -70_000_000_000_i64..260_000_000_000,
        nanos in prop_oneof![
            Just(0),
            (0_u32..1_000).prop_map(|n| n * 1_000_000),
            (0_u32..1_000_000).prop_map(|n| n * 1_000),
            0_u32..2_000_000_000,
        ],
    ) {
        if let Some(at) = DateTime::from_timestamp(seconds, nanos) {
            check_instant(at);
        }
    }

    #[test]
    fn texts_near_an_instant_are_read_as_by_chrono(
        place in 0_usize..24,
        byte in prop_oneof!["[0-9]", "[-+:.TZtz ]", "\\PC"],
    ) {
        let text: Vec<char> = "2026-11-20T09:00:00.250Z".chars().collect();
        let near: String = text[..place].iter().collect::<String>() + &byte;
        check_text(&(near.clone() + &text[place..].iter().collect::<String>()));
        check_text(&(near.clone() + &text[place + 1..].iter().collect::<String>()));
        check_text(&near);
    }
}
