use super::*;
use crate::conformance::samples;
use pollster::block_on;
use std::time::Duration;

#[test]
fn it_fails_as_told_and_then_accepts() {
    let recorder = Recorder::new();
    let busy = DeliveryError::Transient {
        reason: "busy".into(),
        retry_after: Some(Duration::from_secs(9)),
    };
    let refused = DeliveryError::Permanent { reason: "refused".into() };
    recorder.fail_next(2, &busy);
    recorder.fail_next(1, &refused);
    let sample = &samples()[0];
    let outcomes: Vec<_> = (0..4).map(|_| block_on(recorder.deliver(sample))).collect();
    assert_eq!(outcomes, [Err(busy.clone()), Err(busy), Err(refused), Ok(Delivered::Sent)]);
    assert_eq!((recorder.attempts().len(), recorder.delivered().len()), (4, 1));
}

#[test]
fn clones_share_what_they_keep() {
    let recorder = Recorder::new();
    let given = recorder.clone();
    block_on(given.deliver(&samples()[0])).unwrap();
    assert_eq!(recorder.take_delivered(), samples()[..1]);
    assert!(recorder.take_delivered().is_empty());
    assert_eq!(recorder.attempts().len(), 1);
}

#[test]
fn it_leaves_other_topics_alone() {
    let recorder = Recorder::new().with_topics(&["offer"]);
    for sample in samples() {
        let outcome = block_on(recorder.deliver(&sample)).unwrap();
        assert_eq!(outcome == Delivered::Sent, sample.effect.topic() == "offer");
    }
    assert!(recorder.attempts().iter().all(|n| n.effect.topic() == "offer"));
}
