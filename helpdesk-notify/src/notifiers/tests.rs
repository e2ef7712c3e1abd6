use super::*;
use crate::conformance::samples;
use crate::recorder::Recorder;
use pollster::block_on;

/// Handles everything and reaches nobody.
#[derive(Debug)]
struct ReachesNobody;

#[async_trait]
impl Notifier for ReachesNobody {
    fn name(&self) -> &str {
        "reaches_nobody"
    }

    fn handles(&self, _: &Effect) -> bool {
        true
    }

    async fn deliver(&self, _: &Notification) -> Result<Delivered, DeliveryError> {
        Ok(Delivered::Nothing)
    }
}

#[test]
fn the_first_that_sends_is_the_last_asked() {
    let (first, second) = (Recorder::new(), Recorder::new());
    let all = Notifiers::new(vec![
        Arc::new(ReachesNobody),
        Arc::new(first.clone()),
        Arc::new(second.clone()),
    ]);
    assert_eq!(block_on(all.deliver(&samples()[0])), Ok(Delivered::Sent));
    assert_eq!((first.delivered().len(), second.attempts().len()), (1, 0));
}

#[test]
fn a_failure_is_not_hidden_by_the_next_channel() {
    let (first, second) = (Recorder::new(), Recorder::new());
    let error = DeliveryError::Transient { reason: "down".into(), retry_after: None };
    first.fail_next(1, &error);
    let all = Notifiers::new(vec![Arc::new(first), Arc::new(second.clone())]);
    assert_eq!(block_on(all.deliver(&samples()[0])), Err(error));
    assert!(second.attempts().is_empty());
    assert_eq!(block_on(all.deliver(&samples()[0])), Ok(Delivered::Sent));
}

#[test]
fn without_a_channel_nothing_is_sent() {
    let none = Notifiers::default();
    assert!(!none.handles(&samples()[0].effect));
    assert_eq!(block_on(none.deliver(&samples()[0])), Ok(Delivered::Nothing));
    let nobody = Notifiers::new(vec![Arc::new(ReachesNobody)]);
    assert_eq!(block_on(nobody.deliver(&samples()[0])), Ok(Delivered::Nothing));
}
