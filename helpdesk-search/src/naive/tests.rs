use super::*;
use helpdesk_core::article::{ArticleState, Visibility};
use helpdesk_core::id::Key;
use proptest::prelude::*;
use uuid::Uuid;

fn tenant(n: u128) -> TenantId {
    TenantId(Uuid::from_u128(n))
}

fn article(n: u128, title: &str, body: &str) -> Article {
    Article::published(ArticleId(Uuid::from_u128(n)), Key::new("page").unwrap(), "en", title, body)
}

fn index_of(articles: &[Article]) -> NaiveIndex {
    let index = NaiveIndex::new();
    for article in articles {
        index.upsert(tenant(1), article).unwrap();
    }
    index
}

fn ask(index: &NaiveIndex, asker: Asker, text: &str) -> Hits {
    index.search(&ArticleQuery::new(tenant(1), asker, text).with_page(0, PAGE_MAX)).unwrap()
}

fn ids(hits: &Hits) -> Vec<u128> {
    hits.hits.iter().map(|hit| hit.id.uuid().as_u128()).collect()
}

#[test]
fn a_word_in_the_title_counts_double() {
    let index = index_of(&[
        article(1, "Shipping", "How to get a refund."),
        article(2, "Refund", "How to ask."),
        article(3, "Refund", "The refund, the whole refund."),
        article(4, "Refund", "See above."),
        article(5, "Shipping", "Where is it?"),
    ]);
    let hits = ask(&index, Asker::Anonymous, "refund");
    assert_eq!((hits.total, ids(&hits)), (4, vec![3, 2, 4, 1]));
    let scores: Vec<f32> = hits.hits.iter().map(|hit| hit.score).collect();
    assert_eq!(scores, [3.0, 2.0, 2.0, 1.0]);
}

#[test]
fn the_answer_says_which_words_were_found_where() {
    let index = index_of(&[article(1, "Большой СЧЁТ", "Ваш счёт за май")]);
    let hits = ask(&index, Asker::Anonymous, "Май: где счёт, счёт?");
    let found = |word: &str, in_title, in_body| WordMatch { word: word.into(), in_title, in_body };
    assert_eq!(hits.hits[0].why, [found("май", false, true), found("счёт", true, true)]);
    assert_eq!(hits.hits[0].snippet.marked(), ["счёт", "май"]);
}

#[test]
fn a_question_without_words_finds_nothing() {
    let index = index_of(&[article(1, "Refund", "Refund")]);
    for text in ["", "  ", "?!…", "fund", "refunds"] {
        assert_eq!(ask(&index, Asker::Agent, text), Hits::default(), "{text}");
    }
}

#[test]
fn the_last_upsert_stands_and_a_deleted_article_is_gone() {
    let index = index_of(&[article(1, "Refund", ""), article(1, "Shipping", "")]);
    assert_eq!(ask(&index, Asker::Agent, "refund").total, 0);
    assert_eq!(ask(&index, Asker::Agent, "shipping").total, 1);
    index
        .upsert(tenant(1), &Article { state: ArticleState::Archived, ..article(1, "Shipping", "") })
        .unwrap();
    assert_eq!(ask(&index, Asker::Agent, "shipping").total, 0);
    index.upsert(tenant(1), &article(1, "Shipping", "")).unwrap();
    for _ in 0..2 {
        index.delete(tenant(1), article(1, "", "").id).unwrap();
        assert_eq!(ask(&index, Asker::Agent, "shipping").total, 0);
    }
    index.delete(tenant(2), article(1, "", "").id).unwrap();
}

#[test]
fn a_desk_may_fold_yo() {
    let index = NaiveIndex::with_fold(FoldOptions { fold_yo: true, ..FoldOptions::default() });
    index.upsert(tenant(1), &article(1, "Счёт", "")).unwrap();
    assert_eq!(ask(&index, Asker::Anonymous, "счет").total, 1);
    assert_eq!(ask(&index_of(&[article(1, "Счёт", "")]), Asker::Anonymous, "счет").total, 0);
}

#[test]
fn a_snippet_stands_around_the_first_word_found() {
    let far = format!("{}Refund {}", "ж ".repeat(300), "ж ".repeat(300));
    let hits = ask(&index_of(&[article(1, "", &far)]), Asker::Anonymous, "refund");
    let snippet = &hits.hits[0].snippet;
    assert_eq!(snippet.text.chars().count(), SNIPPET_CHARS_MAX);
    assert_eq!(snippet.marked(), ["Refund"]);
    assert_eq!(snippet.text.find("Refund"), Some("ж ".repeat(25).len()));
    let hits = ask(&index_of(&[article(1, "Refund", "Short.")]), Asker::Anonymous, "refund");
    assert_eq!(hits.hits[0].snippet, Snippet { text: "Short.".into(), marks: vec![] });
}

#[test]
fn an_answer_reads_back_from_json() {
    let hits = ask(&index_of(&[article(1, "Refund", "A refund.")]), Asker::Anonymous, "refund");
    let json = serde_json::to_string(&hits).unwrap();
    assert_eq!(serde_json::from_str::<Hits>(&json).unwrap(), hits, "{json}");
}

#[test]
fn a_range_that_does_not_fit_marks_nothing() {
    let snippet = Snippet { text: "жук".into(), marks: vec![0..2, 1..3, 4..99] };
    assert_eq!(snippet.marked(), ["ж"]);
}

fn any_text() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec!["refund", "Invoice", "счёт", "mail", "İade", "x"]);
    prop::collection::vec(word, 0..6).prop_map(|words| words.join(", "))
}

fn any_tags() -> impl Strategy<Value = Vec<String>> {
    prop::sample::subsequence(vec!["vip", "beta", "eu"], 0..=3)
        .prop_map(|tags| tags.into_iter().map(str::to_owned).collect())
}

fn any_asker() -> impl Strategy<Value = Asker> {
    prop_oneof![
        Just(Asker::Anonymous),
        any_tags().prop_map(|tags| Asker::Requester { tags }),
        Just(Asker::Agent),
    ]
}

fn any_article() -> impl Strategy<Value = Article> {
    let visibility = prop_oneof![
        Just(Visibility::Public),
        Just(Visibility::SignedIn),
        Just(Visibility::Internal),
        any_tags().prop_map(Visibility::Segment),
    ];
    let state = prop_oneof![
        4 => Just(ArticleState::Published),
        1 => Just(ArticleState::Draft),
        1 => Just(ArticleState::InReview),
        1 => Just(ArticleState::Scheduled),
        1 => Just(ArticleState::Archived),
    ];
    (0u128..30, any_text(), any_text(), visibility, state).prop_map(
        |(n, title, body, visibility, state)| Article {
            visibility,
            state,
            ..article(n, &title, &body)
        },
    )
}

/// Distinct by id.
fn any_articles() -> impl Strategy<Value = Vec<Article>> {
    prop::collection::vec(any_article(), 0..20).prop_map(|articles| {
        let by_id: BTreeMap<_, _> = articles.into_iter().map(|a| (a.id, a)).collect();
        by_id.into_values().collect()
    })
}

/// Who may read what, written once more from the definition of visibility.
fn may_read(asker: &Asker, article: &Article) -> bool {
    let is_agent = *asker == Asker::Agent;
    let is_signed_in = *asker != Asker::Anonymous;
    let is_visible = match &article.visibility {
        Visibility::Public => true,
        Visibility::SignedIn => is_signed_in,
        Visibility::Internal => is_agent,
        Visibility::Segment(segment) => {
            let own = if let Asker::Requester { tags } = asker { tags.as_slice() } else { &[] };
            is_agent || own.iter().any(|tag| segment.contains(tag))
        }
    };
    is_visible && article.state == ArticleState::Published
}

proptest! {
    #[test]
    fn what_an_asker_may_not_read_changes_nothing(
        articles in any_articles(), asker in any_asker(), text in any_text(),
    ) {
        let readable: Vec<Article> =
            articles.iter().filter(|a| may_read(&asker, a)).cloned().collect();
        let (all, own) = (index_of(&articles), index_of(&readable));
        let hits = ask(&all, asker.clone(), &text);
        prop_assert_eq!(hits.total, hits.hits.len());
        for hit in &hits.hits {
            prop_assert!(readable.iter().any(|a| a.id == hit.id));
        }
        prop_assert_eq!(&hits, &ask(&own, asker.clone(), &text));
        prop_assert_eq!(all.n_articles(tenant(1), &asker).unwrap(), readable.len());
    }

    #[test]
    fn another_tenant_finds_nothing(
        articles in any_articles(), others in any_articles(), text in any_text(),
    ) {
        let (both, own) = (index_of(&articles), index_of(&articles));
        for other in &others {
            both.upsert(tenant(2), other).unwrap();
        }
        prop_assert_eq!(ask(&both, Asker::Agent, &text), ask(&own, Asker::Agent, &text));
        prop_assert_eq!(both.n_articles(tenant(3), &Asker::Agent).unwrap(), 0);
        for other in &others {
            both.delete(tenant(2), other.id).unwrap();
        }
        prop_assert_eq!(ask(&both, Asker::Agent, &text), ask(&own, Asker::Agent, &text));
    }

    #[test]
    fn pages_join_to_the_whole_in_whatever_order_articles_came(
        articles in any_articles(), asker in any_asker(), text in any_text(), limit in 1usize..5,
    ) {
        let whole = ask(&index_of(&articles), asker.clone(), &text);
        let reversed: Vec<Article> = articles.into_iter().rev().collect();
        let index = index_of(&reversed);
        let mut joined = Vec::new();
        for offset in (0..=whole.total).step_by(limit) {
            let query = ArticleQuery::new(tenant(1), asker.clone(), text.clone());
            let page = index.search(&query.with_page(offset, limit)).unwrap();
            prop_assert_eq!(page.total, whole.total);
            joined.extend(page.hits);
        }
        prop_assert_eq!(joined, whole.hits);
    }

    #[test]
    fn a_snippet_marks_the_words_found(body in any::<String>(), text in any_text()) {
        let body = format!("{body} {text}");
        let hits = ask(&index_of(&[article(1, "", &body)]), Asker::Anonymous, &text);
        for hit in &hits.hits {
            prop_assert!(body.contains(&hit.snippet.text));
            prop_assert!(hit.snippet.text.chars().count() <= SNIPPET_CHARS_MAX);
            prop_assert_eq!(hit.snippet.marked().len(), hit.snippet.marks.len());
            prop_assert!(!hit.snippet.marks.is_empty());
            for marked in hit.snippet.marked() {
                let folded = fold(marked, FoldOptions::default());
                prop_assert!(hit.why.iter().any(|why| why.word == folded && why.in_body));
            }
        }
    }
}
