use super::*;
use crate::{Console, Notifiers, Recorder};
use async_trait::async_trait;
use pollster::block_on;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;

fn transient(reason: &str) -> DeliveryError {
    DeliveryError::Transient { reason: reason.to_owned(), retry_after: None }
}

fn permanent(reason: &str) -> DeliveryError {
    DeliveryError::Permanent { reason: reason.to_owned() }
}

fn recorder(setup: Setup) -> Option<Arc<dyn Notifier>> {
    let recorder = Recorder::new();
    match setup {
        Setup::Works => {}
        Setup::Unreachable => recorder.fail_next(99, &transient("down")),
        Setup::Refuses => recorder.fail_next(99, &permanent("no such address")),
    }
    Some(Arc::new(recorder))
}

#[test]
fn the_recorder_conforms() {
    let report = block_on(check_notifier(recorder)).unwrap();
    assert_eq!((report.passed.len(), report.skipped.len()), (8, 0));
}

#[test]
fn the_console_conforms() {
    let make = |setup| -> Option<Arc<dyn Notifier>> {
        (setup == Setup::Works).then(|| Arc::new(Console::new(std::io::sink())) as _)
    };
    let report = block_on(check_notifier(make)).unwrap();
    assert_eq!(report.skipped, [UNREACHABLE, REFUSES]);
}

#[test]
fn a_list_of_notifiers_conforms() {
    let list = |setup| -> Option<Arc<dyn Notifier>> {
        Some(Arc::new(Notifiers::new(recorder(setup).into_iter().collect())))
    };
    block_on(check_notifier(list)).unwrap();
}

#[test]
fn there_is_one_sample_for_each_topic() {
    let topics: Vec<&str> = samples().iter().map(|sample| sample.effect.topic()).collect();
    assert_eq!(topics, ["reply", "agent", "offer", "group", "unroutable"]);
    let ids: BTreeSet<Uuid> = samples().iter().map(|sample| sample.delivery_id).collect();
    assert_eq!(ids.len(), topics.len());
    assert_eq!(at().to_rfc3339(), "2026-11-20T16:30:00+00:00");
}

/// Breaks one rule.
#[derive(Debug, Default)]
struct Odd {
    name: &'static str,
    topics: Vec<&'static str>,
    once: Option<Mutex<BTreeSet<Uuid>>>,
    error: Option<DeliveryError>,
    hates_control: bool,
    needs_recipients: bool,
    busy: Option<AtomicBool>,
    n_asked: Option<AtomicUsize>,
}

fn odd() -> Odd {
    Odd { name: "odd", topics: vec!["reply", "group"], ..Odd::default() }
}

/// Pending once, as a call that waits for the network is.
async fn yield_once() {
    let mut is_second = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut is_second, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[async_trait]
impl Notifier for Odd {
    fn name(&self) -> &str {
        self.name
    }

    fn handles(&self, effect: &Effect) -> bool {
        let n_asked = self.n_asked.as_ref().map_or(0, |n| n.fetch_add(1, Ordering::SeqCst));
        self.topics.contains(&effect.topic()) && n_asked < samples().len()
    }

    async fn deliver(&self, n: &Notification) -> Result<Delivered, DeliveryError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        if let Some(busy) = &self.busy {
            if busy.swap(true, Ordering::SeqCst) {
                return Err(transient("busy"));
            }
            yield_once().await;
            busy.store(false, Ordering::SeqCst);
        }
        let seen_before =
            self.once.as_ref().is_some_and(|seen| !seen.lock().unwrap().insert(n.delivery_id));
        let is_bad = (self.hates_control && n.subject.contains('\n'))
            || (self.needs_recipients && n.recipients.is_empty());
        if seen_before || is_bad { Err(transient("odd")) } else { Ok(Delivered::Sent) }
    }
}

#[test]
fn each_case_finds_the_notifier_that_breaks_it() {
    type Make = fn() -> Odd;
    let table: &[(Make, Setup, &str)] = &[
        (|| Odd { name: "two words", ..odd() }, Setup::Works, "one name"),
        (|| Odd { name: "", ..odd() }, Setup::Works, "one name"),
        (|| Odd { topics: vec![], ..odd() }, Setup::Works, "handles some"),
        (|| Odd { n_asked: Some(AtomicUsize::new(0)), ..odd() }, Setup::Works, "at every call"),
        (|| Odd { busy: Some(AtomicBool::new(false)), ..odd() }, Setup::Works, "was dropped"),
        (|| Odd { once: Some(Mutex::default()), ..odd() }, Setup::Works, "an earlier one"),
        (|| Odd { hates_control: true, ..odd() }, Setup::Works, "no text"),
        (|| Odd { needs_recipients: true, ..odd() }, Setup::Works, "nobody to go to"),
        (odd, Setup::Unreachable, "transient failure"),
        (|| Odd { error: Some(permanent("x")), ..odd() }, Setup::Unreachable, "transient failure"),
        (|| Odd { error: Some(transient("x")), ..odd() }, Setup::Refuses, "permanent failure"),
        (
            || Odd { error: Some(permanent("no: Invoice missing")), ..odd() },
            Setup::Refuses,
            "permanent failure",
        ),
    ];
    for (make, broken, case) in table {
        let factory = |setup| match setup == *broken {
            true => Some(Arc::new(make()) as Arc<dyn Notifier>),
            false => recorder(setup),
        };
        let found = block_on(check_notifier(factory)).unwrap_err();
        assert!(found.case.contains(case), "{case}: {found}");
    }
    assert!(block_on(check_notifier(|_| Some(Arc::new(odd()) as _))).is_err());
    assert!(block_on(check_notifier(|_| None)).is_err());
}
