//! How each event changes an article.

use crate::article::{ArticleMeta, ArticleState};
use crate::event::Event;
use chrono::{DateTime, Utc};

/// Makes the change that an event stands for; whether it is an event of an article.
pub(super) fn apply_to_article(
    article: &mut ArticleMeta,
    event: &Event,
    at: DateTime<Utc>,
) -> bool {
    match event {
        Event::ArticleSaved { revision } => {
            article.newest = (**revision).clone();
            article.state = ArticleState::Draft;
            article.publish_at = None;
        }
        Event::ArticleReviewSet { review_at } => article.review_at = *review_at,
        Event::ArticleSubmitted => article.state = ArticleState::InReview,
        Event::ArticleScheduled { publish_at } => {
            article.state = ArticleState::Scheduled;
            article.publish_at = Some(*publish_at);
        }
        Event::ArticlePublished => {
            article.state = ArticleState::Published;
            article.published = Some(article.newest.clone());
            article.published_at = Some(at);
            article.publish_at = None;
        }
        Event::ArticleArchived => {
            article.state = ArticleState::Archived;
            article.published = None;
            article.publish_at = None;
        }
        Event::ArticleVoted { helpful, before } => {
            vote(article, *before, u32::saturating_sub);
            vote(article, Some(*helpful), u32::saturating_add);
            return true;
        }
        _ => return false,
    }
    article.updated_at = at;
    true
}

fn vote(article: &mut ArticleMeta, helpful: Option<bool>, change: fn(u32, u32) -> u32) {
    match helpful {
        Some(true) => article.n_helpful = change(article.n_helpful, 1),
        Some(false) => article.n_unhelpful = change(article.n_unhelpful, 1),
        None => {}
    }
}
