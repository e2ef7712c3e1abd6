//! Laws: what may not be read changes nothing; the way to a state does not show in it.

use super::*;
use crate::NaiveIndex;
use proptest::prelude::*;

const WORDS: [&str; 14] = [
    "refund", "refunds", "policy", "card", "cards", "invoice", "lamp", "router", "offline",
    "reset", "password", "refnud", "the", "账单",
];

fn any_text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&WORDS[..]), 0..12).prop_map(|words| words.join(" "))
}

fn any_visibility() -> impl Strategy<Value = Visibility> {
    prop_oneof![
        4 => Just(Visibility::Public),
        1 => Just(Visibility::SignedIn),
        1 => Just(Visibility::Internal),
        1 => prop::sample::subsequence(vec!["vip".to_owned(), "beta".to_owned()], 0..=2)
            .prop_map(Visibility::Segment),
    ]
}

fn any_article() -> impl Strategy<Value = Article> {
    let text = (any_text(), any_text());
    let kind = (0..12u128, prop::sample::select(vec!["en", "de"]), any_visibility());
    let more = (any::<bool>(), prop::sample::subsequence(vec!["a", "b"], 0..=2), 0..8u8);
    (text, kind, more).prop_map(|((title, body), (n, language, visibility), more)| Article {
        visibility,
        category: more.0.then(|| Key::new("billing").unwrap()),
        labels: more.1.iter().map(|&l| l.to_owned()).collect(),
        state: if more.2 == 0 { ArticleState::Draft } else { ArticleState::Published },
        ..article(n, language, &title, &body)
    })
}

fn any_asker() -> impl Strategy<Value = Asker> {
    let tags = prop::sample::subsequence(vec!["vip".to_owned(), "other".to_owned()], 0..=2);
    prop_oneof![
        Just(Asker::Anonymous),
        tags.prop_map(|tags| Asker::Requester { tags }),
        Just(Asker::Agent)
    ]
}

/// Everything that an asker can learn with a text.
fn all_answers(
    index: &FullTextIndex,
    asker: &Asker,
    text: &str,
) -> (Hits, Suggestions, Hits, usize) {
    let query = ArticleQuery::new(tenant(1), asker.clone(), text).with_facets();
    (
        index.search(&query.with_page(0, PAGE_MAX)).unwrap(),
        index.suggest(&ArticleQuery::new(tenant(1), asker.clone(), text)).unwrap(),
        index.similar(tenant(1), asker, text, None, 5).unwrap(),
        index.n_articles(tenant(1), asker).unwrap(),
    )
}

/// The last of each id, in order of the ids.
fn last(articles: &[Article]) -> Vec<Article> {
    let by_id: BTreeMap<_, _> = articles.iter().map(|a| (a.id, a)).collect();
    by_id.into_values().cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_an_asker_may_not_read_changes_nothing_not_even_a_score(
        articles in prop::collection::vec(any_article(), 0..16),
        asker in any_asker(), text in any_text(),
    ) {
        let all = last(&articles);
        let own: Vec<Article> = all.iter().filter(|a| asker.permits(a)).cloned().collect();
        prop_assert_eq!(
            all_answers(&index_of(&all), &asker, &text),
            all_answers(&index_of(&own), &asker, &text)
        );
    }

    #[test]
    fn the_way_to_a_state_does_not_show_in_it(
        articles in prop::collection::vec(any_article(), 0..16),
        gone in prop::collection::vec(any_article(), 0..4),
        asker in any_asker(), text in any_text(),
    ) {
        let index = FullTextIndex::in_memory(&patient()).unwrap();
        for article in &gone {
            index.upsert(tenant(1), article).unwrap();
            index.upsert(tenant(2), article).unwrap();
        }
        for article in &gone {
            index.delete(tenant(1), article.id).unwrap();
        }
        for article in &articles {
            index.upsert(tenant(1), article).unwrap();
        }
        let expected = all_answers(&index_of(&last(&articles)), &asker, &text);
        prop_assert_eq!(all_answers(&index, &asker, &text), expected);
    }

    #[test]
    fn whatever_the_plain_index_finds_by_a_word_is_found(
        articles in prop::collection::vec(any_article(), 0..12),
        asker in any_asker(), word in prop::sample::select(&WORDS[..]),
    ) {
        let naive = NaiveIndex::new();
        for article in &articles {
            naive.upsert(tenant(1), article).unwrap();
        }
        let query = ArticleQuery::new(tenant(1), asker, word).with_page(0, PAGE_MAX);
        let found = ids(&index_of(&last(&articles)).search(&query).unwrap());
        for id in ids(&naive.search(&query).unwrap()) {
            prop_assert!(found.contains(&id), "{id}");
        }
    }

    #[test]
    fn pages_join_to_the_whole(
        articles in prop::collection::vec(any_article(), 0..12),
        asker in any_asker(), text in any_text(), limit in 1usize..5,
    ) {
        let index = index_of(&last(&articles));
        let whole = ask(&index, asker.clone(), &text);
        prop_assert_eq!(whole.total, whole.hits.len());
        let mut joined = Vec::new();
        for offset in (0..=whole.total).step_by(limit) {
            let query = ArticleQuery::new(tenant(1), asker.clone(), text.clone());
            joined.extend(index.search(&query.with_page(offset, limit)).unwrap().hits);
        }
        prop_assert_eq!(joined, whole.hits);
    }

    #[test]
    fn a_snippet_is_a_part_of_the_body_and_marks_lie_in_it(body in any::<String>(), text in any_text()) {
        let body = format!("{body} {text}");
        let index = index_of(&[article(1, "en", "", &body)]);
        for hit in &ask(&index, Asker::Anonymous, &text).hits {
            prop_assert!(body.contains(&hit.snippet.text));
            prop_assert!(hit.snippet.text.chars().count() <= crate::SNIPPET_CHARS_MAX);
            prop_assert_eq!(hit.snippet.marked().len(), hit.snippet.marks.len());
            prop_assert!(hit.snippet.marks.windows(2).all(|pair| pair[0].end <= pair[1].start));
            prop_assert!(!hit.snippet.marks.is_empty());
        }
    }
}
