use super::*;
use proptest::prelude::*;

const EXAMPLES: [(&str, &str); 8] = [
    ("I want my money back", "refund"),
    ("please refund the order", "refund"),
    ("money back for the broken lamp", "refund"),
    ("I cannot log in", "access"),
    ("my password does not work", "access"),
    ("login fails with my password", "access"),
    ("где мой заказ", "delivery"),
    ("когда доставка заказа", "delivery"),
];

fn taught() -> Classifier {
    let mut classifier = Classifier::new();
    classifier.partial_fit(&EXAMPLES);
    classifier
}

#[test]
fn what_was_learned_is_told_apart_and_explained() {
    let classifier = taught();
    let prediction = classifier.predict("Refund the lamp, please. I want the money!");
    assert_eq!(prediction.label.as_deref(), Some("refund"));
    assert!(prediction.evidence.iter().any(|evidence| evidence.word == "money"));
    assert!(prediction.evidence.windows(2).all(|pair| pair[0].weight >= pair[1].weight));
    // Another form of the word: its parts are known.
    assert_eq!(classifier.predict("заказы").label.as_deref(), Some("delivery"));
}

#[test]
fn an_unsure_prediction_is_withheld() {
    let classifier = taught();
    assert_eq!(classifier.predict("").label, None);
    assert_eq!(classifier.predict("zzz").label, None);
    assert_eq!(Classifier::new().predict("money").label, None);
    assert_eq!(classifier.clone().with_threshold(1.1).predict("money back").label, None);
    let eager = classifier.with_threshold(0.0);
    assert!(eager.predict("my lamp").label.is_some());
}

#[test]
fn a_label_learned_later_is_known_beside_the_others() {
    let mut classifier = taught();
    classifier.partial_fit(&[
        ("cancel my subscription", "cancel"),
        ("please cancel it", "cancel"),
        ("the password again", "access"),
    ]);
    assert_eq!(classifier.labels(), ["refund", "access", "delivery", "cancel"]);
    assert_eq!(classifier.predict("cancel the subscription").label.as_deref(), Some("cancel"));
    assert_eq!(classifier.predict("I want my money back").label.as_deref(), Some("refund"));
}

#[test]
fn the_same_lessons_make_the_same_classifier() {
    assert_eq!(taught().to_bytes(), taught().to_bytes());
}

#[test]
fn a_saved_classifier_predicts_the_same() {
    let classifier = taught().with_threshold(0.25);
    let read = Classifier::from_bytes(&classifier.to_bytes()).unwrap();
    assert_eq!(read, classifier);
    assert_eq!(read.predict("my money"), classifier.predict("my money"));
}

#[test]
fn damaged_bytes_are_refused() {
    let bytes = taught().to_bytes();
    assert_eq!(Classifier::from_bytes(b"{}"), Err(ModelError::Other));
    let mut newer = bytes.clone();
    newer[8] = 9;
    assert_eq!(Classifier::from_bytes(&newer), Err(ModelError::Version { found: 9 }));
    let cut = &bytes[..bytes.len() - 5];
    assert!(matches!(Classifier::from_bytes(cut), Err(ModelError::Damaged { .. })));
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    assert!(matches!(Classifier::from_bytes(&flipped), Err(ModelError::Damaged { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn probabilities_sum_to_one_at_most_and_fall(text in any::<String>()) {
        let prediction = taught().predict(&text);
        let sum: f32 = prediction.probabilities.iter().map(|(_, p)| p).sum();
        prop_assert!(sum <= 1.0 + 1e-4);
        prop_assert!(prediction.probabilities.windows(2).all(|pair| pair[0].1 >= pair[1].1));
        if let Some(label) = &prediction.label {
            prop_assert_eq!(label, &prediction.probabilities[0].0);
            prop_assert!(prediction.probabilities[0].1 >= THRESHOLD_DEFAULT);
        }
    }

    #[test]
    fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut framed = b"HDCLASS\n\x01\0\0\0".to_vec();
        framed.extend(&bytes);
        prop_assert!(Classifier::from_bytes(&framed).is_err());
    }
}
