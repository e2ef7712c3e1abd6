//! Articles: written, reviewed, published, archived, judged.

use super::fields::{checked_language, checked_tags};
use super::searches;
use super::work::{Work, not_found};
use crate::article::{
    ArticleMeta, ArticleState, ArticleText, ArticleVote, Revision, RevisionRecord, Visibility,
};
use crate::case::record::{Record, UniqueKey};
use crate::command::{PublishArticle, RestoreArticleRevision, SaveArticle, VoteArticle};
use crate::event::{Cause, Event, StreamId, TimerKind};
use crate::fault::{Code, Fault, Rejection};
use crate::id::{ArticleId, Key};
use crate::limit::{ARTICLE_BODY_BYTES_MAX, ARTICLE_TITLE_CHARS_MAX};
use crate::trace::Step;

/// Writes, translates or changes an article.
pub(super) fn save(work: &mut Work<'_>, save: &SaveArticle) -> Result<(), Rejection> {
    match save.article {
        Some(article) => change(work, article, save),
        None => create(work, save),
    }
}

fn create(work: &mut Work<'_>, save: &SaveArticle) -> Result<(), Rejection> {
    let mut faults = Vec::new();
    let key = required(save.key.as_ref(), "key", &mut faults);
    let language = required(save.language.as_ref(), "language", &mut faults);
    let title = required(save.title.as_ref(), "title", &mut faults);
    let body = required(save.body.as_ref(), "body", &mut faults);
    if let Some(Err(fault)) = language.map(|language| checked_language(language)) {
        faults.push(fault.under("language"));
    }
    if let (Some(key), Some(language)) = (key, language) {
        check_free(work, key, language, &mut faults);
    }
    let text = ArticleText {
        title: title.map(|title| checked_title(title, &mut faults)).unwrap_or_default(),
        body: body.map(|body| checked_body(body, &mut faults)).unwrap_or_default(),
    };
    let mut revision = blank_revision(work, &text);
    say(&mut revision, save, &mut faults);
    let (Some(key), Some(language), true) = (key, language, faults.is_empty()) else {
        return Err(Rejection::many(faults));
    };
    let id: ArticleId = work.ids.derive();
    let mut article = ArticleMeta::new(id, key.clone(), language.clone(), revision.clone());
    article.review_at = save.review_at.flatten();
    work.made.article = Some(id);
    let unique = UniqueKey::Article { key: key.clone(), language: language.clone() };
    work.put_unique(unique, StreamId::article(id), false);
    keep(work, id, revision, Some(text));
    work.emit(StreamId::article(id), Event::ArticleCreated { article: Box::new(article) })
}

fn change(work: &mut Work<'_>, id: ArticleId, save: &SaveArticle) -> Result<(), Rejection> {
    work.made.article = Some(id);
    let article = find(work, id)?.clone();
    if article.state == ArticleState::Archived {
        let message = "the article is archived: bring back a revision of it first";
        return Err(Rejection::new(Code::NoSuchTransition, message));
    }
    let mut faults = Vec::new();
    let is_other = |given: Option<&str>, own: &str| given.is_some_and(|given| given != own);
    if is_other(save.key.as_ref().map(Key::as_str), article.key.as_str()) {
        faults.push(Fault::invalid("key", "an article keeps its key: make a new one"));
    }
    if is_other(save.language.as_deref(), &article.language) {
        let message = "an article keeps its language: make a translation, without `article`";
        faults.push(Fault::invalid("language", message));
    }
    let mut text = text_of(work, id, &article.newest)?;
    if let Some(title) = &save.title {
        text.title = checked_title(title, &mut faults);
    }
    if let Some(body) = &save.body {
        text.body = checked_body(body, &mut faults);
    }
    let newest = &article.newest;
    let mut revision = Revision {
        number: newest.number.saturating_add(1),
        category: newest.category.clone(),
        labels: newest.labels.clone(),
        visibility: newest.visibility.clone(),
        ..blank_revision(work, &text)
    };
    say(&mut revision, save, &mut faults);
    if !faults.is_empty() {
        return Err(Rejection::many(faults));
    }
    if !revision.says_the_same(newest) {
        let is_new_text = revision.sha256 != newest.sha256;
        revision.text_of = if is_new_text { revision.number } else { newest.text_of };
        add(work, id, revision, is_new_text.then_some(text))?;
    }
    match save.review_at {
        Some(review_at) if review_at != article.review_at => {
            work.emit(StreamId::article(id), Event::ArticleReviewSet { review_at })
        }
        _ => Ok(()),
    }
}

/// Draft to review.
pub(super) fn submit(work: &mut Work<'_>, id: ArticleId) -> Result<(), Rejection> {
    work.made.article = Some(id);
    match find(work, id)?.state {
        ArticleState::Draft => work.emit(StreamId::article(id), Event::ArticleSubmitted),
        state @ (ArticleState::InReview
        | ArticleState::Scheduled
        | ArticleState::Published
        | ArticleState::Archived) => Err(no_step(state, "submitted: only a draft is")),
    }
}

/// Whatever is not out yet comes out, now or at its time.
pub(super) fn publish(work: &mut Work<'_>, publish: &PublishArticle) -> Result<(), Rejection> {
    let id = publish.article;
    work.made.article = Some(id);
    let article = find(work, id)?;
    match article.state {
        ArticleState::Draft | ArticleState::InReview | ArticleState::Scheduled => {}
        state @ ArticleState::Published => return Err(no_step(state, "published once more")),
        state @ ArticleState::Archived => {
            return Err(no_step(state, "published: bring back a revision of it first"));
        }
    }
    let event = match publish.publish_at.filter(|at| *at > work.now) {
        Some(publish_at) if article.publish_at == Some(publish_at) => return Ok(()),
        Some(publish_at) => Event::ArticleScheduled { publish_at },
        None => Event::ArticlePublished,
    };
    work.emit(StreamId::article(id), event)
}

/// Out no more, and not to come out.
pub(super) fn archive(work: &mut Work<'_>, id: ArticleId) -> Result<(), Rejection> {
    work.made.article = Some(id);
    match find(work, id)?.state {
        ArticleState::Draft
        | ArticleState::InReview
        | ArticleState::Scheduled
        | ArticleState::Published => work.emit(StreamId::article(id), Event::ArticleArchived),
        state @ ArticleState::Archived => Err(no_step(state, "archived once more")),
    }
}

/// An earlier revision, whole, as the newest one. Of an archived article it is a draft again.
pub(super) fn restore(
    work: &mut Work<'_>,
    restore: &RestoreArticleRevision,
) -> Result<(), Rejection> {
    let (id, number) = (restore.article, restore.revision);
    work.made.article = Some(id);
    let article = find(work, id)?.clone();
    let Some(Record::Revision(record)) = work.record(StreamId::revision(id, number)) else {
        let message =
            format!("no revision {number}: the article has 1 to {}", article.newest.number);
        return Err(Rejection::at(Code::NotFound, "revision", message));
    };
    let revision = Revision {
        number: article.newest.number.saturating_add(1),
        saved_at: work.now,
        by: work.ctx.actor.author(),
        restored_from: Some(number),
        ..record.revision.clone()
    };
    if revision.says_the_same(&article.newest) && article.state != ArticleState::Archived {
        return Ok(());
    }
    add(work, id, revision, None)
}

/// One vote a person; the newest stands.
pub(super) fn vote(work: &mut Work<'_>, vote: &VoteArticle) -> Result<(), Rejection> {
    let id = vote.article;
    work.made.article = Some(id);
    let by = work.ctx.actor.author();
    let Some(stream) = StreamId::vote(id, by) else {
        return Err(Rejection::at(Code::Invalid, "actor", "only contacts and agents have a vote"));
    };
    if find(work, id)?.published.is_none() {
        let message = "the article is not out: nobody has read it";
        return Err(Rejection::new(Code::NoSuchTransition, message));
    }
    let stored = work.loaded.stream(stream);
    let before = stored.and_then(|stored| match &stored.record {
        Record::Vote(vote) => Some(vote.helpful),
        _ => None,
    });
    searches::voted(work, vote.session, id, vote.helpful);
    if before == Some(vote.helpful) {
        return Ok(());
    }
    work.depends_on(stream, stored.map_or(0, |stored| stored.version));
    let record = ArticleVote { article: id, by, helpful: vote.helpful, voted_at: work.now };
    work.put_record(Record::Vote(Box::new(record)));
    let event = Event::ArticleVoted { helpful: vote.helpful, before };
    work.emit(StreamId::article(id), event)
}

/// Publishes an article whose time came before the command.
pub(super) fn catch_up(work: &mut Work<'_>, id: ArticleId) -> Result<(), Rejection> {
    let Some(article) = work.find_article(id) else { return Ok(()) };
    let Some(due_at) = article.publish_at.filter(|due_at| *due_at <= work.now) else {
        return Ok(());
    };
    let at = due_at.max(article.updated_at);
    let (now, cause) = (work.now, work.cause);
    work.trace(Step::CaughtUp { kind: TimerKind::Publish, due_at });
    (work.now, work.cause) = (at, Cause::Timer { kind: TimerKind::Publish });
    let result = work.emit(StreamId::article(id), Event::ArticlePublished);
    (work.now, work.cause) = (now, cause);
    result
}

/// The timer of a scheduled article.
pub(super) fn fire(work: &mut Work<'_>, id: ArticleId) -> Result<(), Rejection> {
    work.made.article = Some(id);
    let publish_at = work.find_article(id).and_then(|article| article.publish_at);
    if publish_at.is_none_or(|at| at > work.now) {
        work.trace(Step::TimerIdle { kind: TimerKind::Publish });
        return Ok(());
    }
    catch_up(work, id)
}

fn find<'w>(work: &'w Work<'_>, id: ArticleId) -> Result<&'w ArticleMeta, Rejection> {
    work.find_article(id).ok_or_else(|| not_found("article", id))
}

fn no_step(state: ArticleState, what: &str) -> Rejection {
    let message = format!("the article is `{}` and cannot be {what}", state.as_str());
    Rejection::new(Code::NoSuchTransition, message)
}

/// A first revision with this text, said of nobody but agents.
fn blank_revision(work: &Work<'_>, text: &ArticleText) -> Revision {
    Revision {
        number: 1,
        text_of: 1,
        text_bytes: text.body.len() as u64,
        sha256: text.sha256(),
        category: None,
        labels: Vec::new(),
        visibility: Visibility::Internal,
        saved_at: work.now,
        by: work.ctx.actor.author(),
        restored_from: None,
    }
}

/// Sets what the command says beside the text.
fn say(revision: &mut Revision, save: &SaveArticle, faults: &mut Vec<Fault>) {
    if let Some(category) = &save.category {
        revision.category.clone_from(category);
    }
    if let Some(labels) = &save.labels {
        match checked_tags(labels, "labels") {
            Ok(labels) => revision.labels = labels,
            Err(found) => faults.extend(found),
        }
    }
    match &save.visibility {
        Some(Visibility::Segment(tags)) => match checked_tags(tags, "visibility.segment") {
            Ok(tags) => revision.visibility = Visibility::Segment(tags),
            Err(found) => faults.extend(found),
        },
        Some(visibility @ (Visibility::Public | Visibility::SignedIn | Visibility::Internal)) => {
            revision.visibility = visibility.clone();
        }
        None => {}
    }
}

/// Adds a revision to an article that is there.
fn add(
    work: &mut Work<'_>,
    id: ArticleId,
    revision: Revision,
    text: Option<ArticleText>,
) -> Result<(), Rejection> {
    keep(work, id, revision.clone(), text);
    work.emit(StreamId::article(id), Event::ArticleSaved { revision: Box::new(revision) })
}

/// Writes the record of a new revision, with the text that it brings.
fn keep(work: &mut Work<'_>, article: ArticleId, revision: Revision, text: Option<ArticleText>) {
    work.depends_on(StreamId::revision(article, revision.number), 0);
    work.put_record(Record::Revision(Box::new(RevisionRecord { article, revision, text })));
}

/// The text of a revision that was loaded.
fn text_of(work: &Work<'_>, id: ArticleId, revision: &Revision) -> Result<ArticleText, Rejection> {
    match work.record(StreamId::revision(id, revision.text_of)) {
        Some(Record::Revision(record)) => record.text.clone(),
        _ => None,
    }
    .ok_or_else(|| {
        let message = format!("the text of revision {} was not loaded", revision.number);
        Rejection::new(Code::Internal, message)
    })
}

fn required<'s, T>(given: Option<&'s T>, path: &str, faults: &mut Vec<Fault>) -> Option<&'s T> {
    if given.is_none() {
        let message = format!("a new article has a `{path}`");
        faults.push(Fault::new(path, Code::RequiredField, message));
    }
    given
}

fn check_free(work: &Work<'_>, key: &Key, language: &str, faults: &mut Vec<Fault>) {
    let unique = UniqueKey::Article { key: key.clone(), language: language.to_owned() };
    if work.loaded.find(&unique).is_some() {
        let message = format!("`{key}` has an article in `{language}`: change that one");
        faults.push(Fault::new("language", Code::Duplicate, message));
    }
}

fn checked_title(title: &str, faults: &mut Vec<Fault>) -> String {
    let title = title.trim();
    let n = title.chars().count();
    if n == 0 || title.chars().any(char::is_control) {
        faults.push(Fault::invalid("title", "a title is one line of text"));
    }
    if n > ARTICLE_TITLE_CHARS_MAX {
        faults.push(Fault::over_limit("title", n, "chars", ARTICLE_TITLE_CHARS_MAX));
    }
    title.to_owned()
}

fn checked_body(body: &str, faults: &mut Vec<Fault>) -> String {
    if body.trim().is_empty() {
        faults.push(Fault::invalid("body", "a body has some text"));
    }
    if body.len() > ARTICLE_BODY_BYTES_MAX {
        faults.push(Fault::over_limit("body", body.len(), "bytes", ARTICLE_BODY_BYTES_MAX));
    }
    body.to_owned()
}
