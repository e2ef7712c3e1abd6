//! Articles: three kinds of things beside each other, found by key and language.

use super::Outcome;
use super::kit::{Kit, area, at, id, key, same, set, unique};
use crate::{ChangeSet, ClaimWhat, ListKind, StoreError};
use helpdesk_core::actor::Author;
use helpdesk_core::article::{
    ArticleMeta, ArticleText, ArticleVote, Revision, RevisionRecord, Search, SearchSession,
    Visibility,
};
use helpdesk_core::case::record::{Record, RecordKey, UniqueKey};
use helpdesk_core::event::{Event, StreamId, StreamKind, TimerKind};
use helpdesk_core::id::{ArticleId, ContactId, SearchSessionId};

area!("articles":
    an_article_its_texts_and_votes_come_back_as_they_were,
    key_and_language_find_one_article,
    articles_are_listed_by_id,
    another_tenant_has_articles_of_its_own,
    an_article_has_a_timer,
);

fn article_id(n: u128) -> ArticleId {
    ArticleId(id(n))
}

fn text() -> ArticleText {
    ArticleText {
        title: "Връщане \u{1f4b6}".to_owned(),
        body: "# One\n\n\"two\" \\ three".to_owned(),
    }
}

fn revision(number: u32) -> Revision {
    Revision {
        number,
        text_of: 1,
        text_bytes: 23,
        sha256: text().sha256(),
        category: None,
        labels: vec!["a".to_owned(), "я".to_owned()],
        visibility: Visibility::Segment(vec!["vip".to_owned()]),
        saved_at: at(i64::from(number)),
        by: Author::System,
        restored_from: (number > 1).then_some(1),
    }
}

fn article(n: u128) -> Result<ArticleMeta, String> {
    let key = key(&format!("a{n}"))?;
    let mut article = ArticleMeta::new(article_id(n), key, "bg".to_owned(), revision(1));
    article.published = Some(revision(1));
    article.review_at = Some(at(9));
    Ok(article)
}

fn unique_key(n: u128, language: &str) -> Result<UniqueKey, String> {
    Ok(UniqueKey::Article { key: key(&format!("a{n}"))?, language: language.to_owned() })
}

fn begin(kit: &Kit, n: u128) -> Result<ChangeSet, String> {
    let stream = StreamId::article(article_id(n));
    let article = Box::new(article(n)?);
    let mut change = kit.put(stream, 0, Record::Article(article.clone()));
    change.events.push(super::kit::event(stream, Event::ArticleCreated { article }, 0));
    change.unique.push(unique(&unique_key(n, "bg")?, stream));
    Ok(change)
}

async fn an_article_its_texts_and_votes_come_back_as_they_were(kit: Kit) -> Outcome {
    let id = article_id(1);
    kit.commit(begin(&kit, 1)?).await?;
    let by = Author::Contact { id: ContactId(super::kit::id(5)) };
    let vote = ArticleVote { article: id, by, helpful: true, voted_at: at(3) };
    let vote_stream = StreamId::vote(id, by).ok_or("a contact has a vote")?;
    let with_text = |number: u32, text: Option<ArticleText>| {
        Record::Revision(Box::new(RevisionRecord { article: id, revision: revision(number), text }))
    };
    let mut session = SearchSession::new(SearchSessionId(super::kit::id(6)), at(4));
    let (text_searched, n_found) = ("къде е".to_owned(), 2);
    let searched = Search { text: text_searched, n_found, at: at(4), clicks: vec![id] };
    session.searches.push(searched);
    session.vote(id, false);
    let records = [
        (StreamId::search_session(session.id), Record::SearchSession(Box::new(session))),
        (StreamId::revision(id, 1), with_text(1, Some(text()))),
        (StreamId::revision(id, 2), with_text(2, None)),
        (vote_stream, Record::Vote(Box::new(vote))),
    ];
    for (stream, record) in &records {
        kit.commit(kit.put(*stream, 0, record.clone())).await?;
    }
    for (stream, record) in records {
        let stored = kit.get(RecordKey::Stream(stream)).await?;
        same("a version", stored.as_ref().map(|stored| stored.version), Some(1))?;
        same("a record", stored.map(|stored| stored.record), Some(record))?;
    }
    let stored = kit.get(RecordKey::Stream(StreamId::article(id))).await?;
    let wanted = Record::Article(Box::new(article(1)?));
    same("the article", stored.map(|stored| stored.record), Some(wanted))
}

async fn key_and_language_find_one_article(kit: Kit) -> Outcome {
    kit.commit(begin(&kit, 1)?).await?;
    let found = kit.get(RecordKey::Unique(unique_key(1, "bg")?)).await?;
    let wanted = Record::Article(Box::new(article(1)?));
    same("the article", found.map(|stored| stored.record), Some(wanted))?;
    let none = kit.get(RecordKey::Unique(unique_key(1, "b")?)).await?;
    same("in another language", none, None)?;
    let mut change = begin(&kit, 2)?;
    change.unique = vec![unique(&unique_key(1, "bg")?, StreamId::article(article_id(2)))];
    match kit.refused(change).await? {
        StoreError::DuplicateKey { key } => same("the key", key, unique_key(1, "bg")?)?,
        other => return Err(format!("should be a duplicate: {other:?}")),
    }
    same("versions", kit.version(StreamId::article(article_id(2))).await?, 0)
}

async fn articles_are_listed_by_id(kit: Kit) -> Outcome {
    for n in [5, 1, 4, 2, 3] {
        kit.commit(begin(&kit, n)?).await?;
        let record =
            RevisionRecord { article: article_id(n), revision: revision(1), text: Some(text()) };
        let stream = StreamId::revision(article_id(n), 1);
        kit.commit(kit.put(stream, 0, Record::Revision(Box::new(record)))).await?;
    }
    let wanted: Result<Vec<Record>, String> =
        (1..=5).map(|n| Ok(Record::Article(Box::new(article(n)?)))).collect();
    let wanted = wanted?;
    for limit in 1..=6 {
        let rows = kit.rows(&kit.query(ListKind::Things(StreamKind::Article), limit)).await?;
        let records: Vec<Record> = rows.into_iter().map(|row| row.record).collect();
        same("articles", records, wanted.clone())?;
    }
    let rows = kit.rows(&kit.query(ListKind::Things(StreamKind::Revision), 2)).await?;
    same("revisions", rows.len(), 5)?;
    let rows = kit.rows(&kit.query(ListKind::Things(StreamKind::Vote), 2)).await?;
    same("votes", rows.len(), 0)
}

async fn another_tenant_has_articles_of_its_own(kit: Kit) -> Outcome {
    let other = kit.other();
    kit.commit(begin(&kit, 1)?).await?;
    let stream = StreamId::article(article_id(1));
    same("the other's article", other.get(RecordKey::Stream(stream)).await?, None)?;
    let by_key = RecordKey::Unique(unique_key(1, "bg")?);
    same("the other's by key", other.get(by_key.clone()).await?, None)?;
    let listed = other.rows(&other.query(ListKind::Things(StreamKind::Article), 5)).await?;
    same("the other's list", listed.len(), 0)?;
    let mut own = begin(&other, 1)?;
    own.tenant = other.tenant;
    other.commit(own).await?;
    same("both", kit.get(by_key.clone()).await?.is_some(), true)?;
    same("both", other.get(by_key).await?.is_some(), true)
}

async fn an_article_has_a_timer(kit: Kit) -> Outcome {
    let mut change = begin(&kit, 1)?;
    let stream = StreamId::article(article_id(1));
    change.timers.push(set(stream, TimerKind::Publish, 5));
    kit.commit(change).await?;
    same("early", kit.claim(ClaimWhat::Timers, 4, 1).await?.leases.len(), 0)?;
    let lease = kit.claim_one(ClaimWhat::Timers, 5).await?;
    let thing = crate::LeasedThing::Timer { stream, kind: TimerKind::Publish };
    same("the timer", lease.token.thing, thing)
}
