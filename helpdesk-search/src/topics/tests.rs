//! Topics: what is shared, what is answered, what is said of it.

use super::*;

fn found(texts: &[(&str, &str)], answered: &[(usize, &[&str])]) -> Vec<Topic> {
    let mut finder = TopicFinder::new(3, texts.iter().copied());
    for (at, words) in answered {
        finder.answer(*at, words.iter().copied());
    }
    finder.finish()
}

#[test]
fn texts_are_put_together_by_what_they_share() {
    let texts = [
        ("en", "Hello, my package has not arrived"),
        ("en", "Hello, where is the package I ordered, number 4711?"),
        ("en", "Hello, packages to Norway: how long?"),
        ("en", "Hello, the parcel of Anna is lost"),
        ("de", "Wie lange gilt die Garantie?"),
        ("de", "Garantie für den Wasserkocher"),
        ("de", "Die Garantien stehen wo?"),
    ];
    let topics = found(&texts, &[]);
    let said: Vec<(&str, &[usize])> =
        topics.iter().map(|topic| (&*topic.words[0], &*topic.texts)).collect();
    assert_eq!(said, [("garantie", [4, 5, 6].as_slice()), ("package", &[0, 1, 2])]);
}

#[test]
fn what_an_article_answers_is_no_gap() {
    let texts = [
        ("en", "printer jams paper"),
        ("en", "printer jams paper again"),
        ("en", "printer jams paper often"),
    ];
    // One of three words is less than half of what they weigh; two are more.
    let of_one: Vec<(usize, &[&str])> = (0..3).map(|at| (at, ["printer"].as_slice())).collect();
    assert_eq!(found(&texts, &of_one).len(), 1);
    let of_two: Vec<(usize, &[&str])> =
        (0..3).map(|at| (at, ["printer", "jams"].as_slice())).collect();
    assert_eq!(found(&texts, &of_two), []);
}

#[test]
fn a_topic_is_named_by_words_of_most_of_its_texts() {
    let texts = [
        ("en", "refund invoice"),
        ("en", "refund invoices"),
        ("en", "refund of the invoice please"),
        ("en", "printer"),
    ];
    let topics = found(&texts, &[]);
    assert_eq!(topics.len(), 1);
    assert_eq!(topics[0].words, ["invoice", "refund"]);
}

#[test]
fn few_texts_are_no_topic() {
    assert_eq!(found(&[("en", "warranty"), ("en", "warranty")], &[]), []);
    assert_eq!(found(&[], &[]), []);
    let numbers = [("en", "4711 the"), ("en", "4711 the"), ("en", "4711 the")];
    assert_eq!(found(&numbers, &[]), []);
}

#[test]
fn scripts_without_spaces_go_by_pairs() {
    let texts = [("zh", "密码忘记了"), ("zh", "我的密码"), ("zh", "重置密码")];
    let topics = found(&texts, &[]);
    assert_eq!((&*topics[0].words[0], topics[0].texts.len()), ("密码", 3));
}
