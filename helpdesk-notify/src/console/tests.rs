use super::*;
use crate::conformance::samples;
use pollster::block_on;
use proptest::prelude::*;

fn written(notification: &Notification) -> String {
    let console = Console::new(Vec::new());
    block_on(console.deliver(notification)).unwrap();
    String::from_utf8(console.into_inner()).unwrap()
}

fn sample(topic: &str) -> Notification {
    samples().into_iter().find(|sample| sample.effect.topic() == topic).unwrap()
}

#[test]
fn a_line_says_who_is_told_what_of_which_ticket() {
    let lines: String = samples().iter().map(written).collect();
    let shown: Vec<&str> =
        lines.lines().filter_map(|line| line.split_once(" [").map(|(told, _)| told)).collect();
    assert_eq!(
        shown,
        [
            r#"2026-11-20T16:30:00Z reply HD-1024 "Invoice missing" to "Ann" <ann@example.com>: "Here it is.""#,
            r#"2026-11-20T16:30:00Z agent HD-1024 "Invoice missing" to agent "Bo" <bo@example.com>: assigned"#,
            r#"2026-11-20T16:30:00Z offer HD-1024 "Invoice missing" to agent "Bo" <bo@example.com>: until 2026-11-20T16:35:00Z"#,
            r#"2026-11-20T16:30:00Z group HD-1024 "Invoice missing" to group billing"#,
            r#"2026-11-20T16:30:00Z unroutable HD-1024 "Invoice missing" to the administrators"#,
        ],
    );
}

#[test]
fn a_line_names_delivery_and_attempt() {
    let mut notification = sample("group");
    notification.attempt = 3;
    let id = notification.delivery_id;
    assert!(written(&notification).ends_with(&format!("delivery {id}, attempt 3]\n")));
}

#[test]
fn a_redacted_reply_shows_no_text() {
    let mut gone = sample("reply");
    gone.message = None;
    assert!(written(&gone).contains(": redacted ["));
    let mut emptied = sample("reply");
    emptied.message.as_mut().unwrap().redacted = true;
    let line = written(&emptied);
    assert!(line.contains(": redacted [") && !line.contains("Here it is"), "{line}");
}

#[test]
fn a_subject_cannot_forge_a_line() {
    let mut notification = sample("reply");
    notification.subject = "a\"\r\n2026 b\u{1b}[31m\u{202e}\\".to_owned();
    let line = written(&notification);
    assert!(line.contains(r#""a\"\r\n2026 b\u{1b}[31m\u{202e}\\" to"#), "{line}");
}

#[test]
fn a_long_text_is_cut() {
    let mut notification = sample("reply");
    notification.message.as_mut().unwrap().text = "ж".repeat(TEXT_CHARS_MAX + 1);
    assert!(written(&notification).contains(&format!("\"{}…\"", "ж".repeat(TEXT_CHARS_MAX))));
    notification.message.as_mut().unwrap().text = "ж".repeat(TEXT_CHARS_MAX);
    assert!(written(&notification).contains(&format!("\"{}\"", "ж".repeat(TEXT_CHARS_MAX))));
}

#[test]
fn a_writer_that_fails_is_tried_again() {
    #[derive(Debug)]
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("disk full"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let outcome = block_on(Console::new(Full).deliver(&sample("reply")));
    let reason = "disk full".to_owned();
    assert_eq!(outcome, Err(DeliveryError::Transient { reason, retry_after: None }));
}

proptest! {
    #[test]
    fn whatever_is_written_a_notification_is_one_line(
        subject in any::<String>(), name in any::<String>(), text in any::<String>(),
    ) {
        let mut notification = sample("reply");
        notification.subject = subject;
        notification.message.as_mut().unwrap().text = text;
        let mut identities = vec![helpdesk_core::contact::Identity::email(&name)];
        identities[0].value.push('\n');
        notification.recipients =
            vec![Recipient::Contact { id: uuid::Uuid::nil().into(), name, identities }];
        let line = written(&notification);
        prop_assert_eq!(line.chars().filter(|c| c.is_control()).count(), 1);
        prop_assert!(line.ends_with('\n'));
    }
}
