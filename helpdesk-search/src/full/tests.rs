//! What a full-text index does.

mod laws;
mod life;

use super::*;
use helpdesk_core::article::{ArticleState, Visibility};
use helpdesk_core::id::Key;
use helpdesk_core::limit::PAGE_MAX;
use std::sync::Arc;
use uuid::Uuid;

fn tenant(n: u128) -> TenantId {
    TenantId(Uuid::from_u128(n))
}

fn article(n: u128, language: &str, title: &str, body: &str) -> Article {
    Article::published(
        ArticleId(Uuid::from_u128(n)),
        Key::new("page").unwrap(),
        language,
        title,
        body,
    )
}

/// Commits nothing by itself.
fn patient() -> IndexOptions {
    IndexOptions::default().with_window(std::time::Duration::from_secs(3600))
}

fn index_of(articles: &[Article]) -> FullTextIndex {
    let index = FullTextIndex::in_memory(&patient()).unwrap();
    let changes: Vec<Change> =
        articles.iter().map(|article| Change::Upsert(tenant(1), article.clone())).collect();
    index.apply(&changes).unwrap();
    index.commit().unwrap();
    index
}

fn ask(index: &FullTextIndex, asker: Asker, text: &str) -> Hits {
    index.search(&ArticleQuery::new(tenant(1), asker, text).with_page(0, PAGE_MAX)).unwrap()
}

fn ids(hits: &Hits) -> Vec<u128> {
    hits.hits.iter().map(|hit| hit.id.uuid().as_u128()).collect()
}

#[test]
fn another_form_of_a_word_is_found_in_each_language() {
    let index = index_of(&[
        article(1, "en", "Resetting passwords", ""),
        article(2, "ru", "Сброс паролей", ""),
        article(3, "pl", "Resetowanie haseł", ""),
        article(4, "bg", "Подадени заявки", ""),
        article(5, "zh", "重置密码", "请点击链接"),
        article(6, "uk", "Скидання паролів", ""),
    ]);
    let found = |text| ids(&ask(&index, Asker::Anonymous, text));
    assert_eq!(found("reset password"), [1]);
    assert_eq!(found("пароль"), [2, 6]);
    assert_eq!(found("hasło haseł"), [3]);
    assert_eq!(found("заявката"), [4]);
    assert_eq!(found("密码"), [5]);
    assert_eq!(found("скидання"), [6]);
}

#[test]
fn a_typing_error_is_forgiven_only_where_no_article_has_the_word() {
    let index = index_of(&[
        article(1, "en", "Refund", "How to ask for a refund."),
        article(2, "en", "Refind", "A tool of that name."),
    ]);
    assert_eq!(ids(&ask(&index, Asker::Anonymous, "refnud")), [1]);
    assert_eq!(ids(&ask(&index, Asker::Anonymous, "refind")), [2]);
    assert_eq!(ids(&ask(&index, Asker::Anonymous, "xyzzy")), [0; 0]);
}

#[test]
fn the_answer_says_what_was_found_where_and_marks_it() {
    let body = "Open the settings.\nThen choose Security and reset your passwords there.";
    let index = index_of(&[article(1, "en", "Password help", body)]);
    let hits = ask(&index, Asker::Anonymous, "resetting the password");
    let hit = &hits.hits[0];
    let found = |word: &str, in_title| WordMatch { word: word.into(), in_title, in_body: true };
    assert_eq!(hit.why, [found("resetting", false), found("password", true)]);
    assert_eq!(hit.snippet.marked(), ["reset", "passwords"]);
    let parts = &hit.parts;
    let sum = parts.words + parts.coverage + parts.title + parts.pairs + parts.near + parts.early;
    assert!((sum - hit.score).abs() < 1e-3, "{parts:?}");
}

#[test]
fn articles_in_another_language_come_after_those_asked_for() {
    let index = index_of(&[
        article(1, "en", "Router", "router router"),
        article(2, "de", "Ein langer Titel", "Der Router steht weit hinten im Text."),
    ]);
    let query = ArticleQuery::new(tenant(1), Asker::Anonymous, "router");
    assert_eq!(ids(&index.search(&query).unwrap()), [1, 2]);
    let german = query.with_languages(["de-AT"]);
    assert_eq!(ids(&index.search(&german).unwrap()), [2, 1]);
}

#[test]
fn facets_count_all_that_was_found_and_narrow_it() {
    let with = |n, category: &str, labels: &[&str]| Article {
        category: Key::new(category).ok(),
        labels: labels.iter().map(|&l| l.into()).collect(),
        ..article(n, "en", "Invoice", "")
    };
    let index = index_of(&[
        with(1, "billing", &["a", "b"]),
        with(2, "billing", &["b"]),
        with(3, "accounts", &[]),
        Article { visibility: Visibility::Internal, ..with(4, "secret", &["c"]) },
    ]);
    let query =
        ArticleQuery::new(tenant(1), Asker::Anonymous, "invoice").with_facets().with_page(0, 1);
    let hits = index.search(&query).unwrap();
    let facets = hits.facets.unwrap();
    let counts = |of: &[(&str, usize)]| of.iter().map(|&(k, n)| (k.to_owned(), n)).collect();
    assert_eq!((hits.total, hits.hits.len()), (3, 1));
    assert_eq!(facets.categories, counts(&[("accounts", 1), ("billing", 2)]));
    assert_eq!(facets.labels, counts(&[("a", 1), ("b", 2)]));
    assert_eq!(facets.languages, counts(&[("en", 3)]));
    let narrowed = query.with_category(Key::new("billing").unwrap()).with_label("a");
    assert_eq!(ids(&index.search(&narrowed).unwrap()), [1]);
}

#[test]
fn a_synonym_is_found_after_the_word_itself() {
    let index = index_of(&[
        article(1, "en", "Your bill", "About bills."),
        article(2, "en", "Your invoice", "About invoices."),
        article(3, "en", "Your lamp", "About lamps."),
    ]);
    let synonyms = Arc::new(crate::Synonyms::new([["invoice", "bill"]]));
    let query = ArticleQuery::new(tenant(1), Asker::Anonymous, "invoice").with_synonyms(synonyms);
    assert_eq!(ids(&index.search(&query).unwrap()), [2, 1]);
}

#[test]
fn suggestions_complete_the_last_word() {
    let index = index_of(&[
        article(1, "en", "Refund policy", ""),
        article(2, "en", "Refund by card", ""),
        article(3, "en", "Refurbished lamps", ""),
        Article { visibility: Visibility::Internal, ..article(4, "en", "Refused payments", "") },
    ]);
    let suggest =
        |asker, text: &str| index.suggest(&ArticleQuery::new(tenant(1), asker, text)).unwrap();
    let ids = |found: &Suggestions| -> Vec<u128> {
        found.articles.iter().map(|a| a.id.uuid().as_u128()).collect()
    };
    assert_eq!(suggest(Asker::Anonymous, "ref").words, ["refund", "refurbished"]);
    assert_eq!(suggest(Asker::Agent, "ref").words, ["refund", "refurbished", "refused"]);
    let found = suggest(Asker::Anonymous, "refund po");
    assert_eq!((found.words.clone(), ids(&found)[0]), (vec!["policy".to_owned()], 1));
    let over = suggest(Asker::Anonymous, "refund ");
    assert_eq!((over.words.len(), ids(&over)), (0, vec![1, 2]));
    assert_eq!(suggest(Asker::Anonymous, ""), Suggestions::default());
}

#[test]
fn a_long_text_finds_what_it_is_about() {
    let mut articles: Vec<Article> =
        (10..60).map(|n| article(n, "en", &format!("Page {n}"), "please help me today")).collect();
    articles.push(article(1, "en", "Printer offline", "The printer shows offline after sleep."));
    let index = index_of(&articles);
    let filler = "please help me today ".repeat(40);
    let text = format!("{filler} my printer is offline {filler}");
    let hits = index.similar(tenant(1), &Asker::Anonymous, &text, None, 3).unwrap();
    assert_eq!(ids(&hits)[0], 1);
    let except = Some(ArticleId(Uuid::from_u128(1)));
    let hits = index.similar(tenant(1), &Asker::Anonymous, &text, except, 3).unwrap();
    assert!(!ids(&hits).contains(&1));
}

use crate::hits::WordMatch;
