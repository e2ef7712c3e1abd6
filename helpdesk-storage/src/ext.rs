//! Conveniences on top of [`Store`](crate::Store).

use crate::{EventQuery, EventSource, ListQuery, Page, Result, Store, StoreError};
use async_trait::async_trait;
use helpdesk_core::case::Case;
use helpdesk_core::case::record::{Record, RecordKey, Stored};
use helpdesk_core::event::{Recorded, StreamId, StreamKind};
use helpdesk_core::id::{TenantId, TicketId, Version};
use helpdesk_core::limit::PAGE_MAX;

/// Conveniences that every [`Store`] has. Nobody implements this.
#[async_trait]
pub trait StoreExt: Store {
    /// The record with this key.
    ///
    /// # Errors
    ///
    /// As [`Store::get`].
    async fn get_one(&self, tenant: TenantId, key: RecordKey) -> Result<Option<Stored>> {
        Ok(self.get(tenant, &[key]).await?.pop().flatten())
    }

    /// The records with these keys, in their order, however many; [`PAGE_MAX`] at once.
    ///
    /// # Errors
    ///
    /// As [`Store::get`].
    async fn get_all(&self, tenant: TenantId, keys: &[RecordKey]) -> Result<Vec<Option<Stored>>> {
        let mut found = Vec::with_capacity(keys.len());
        for keys in keys.chunks(PAGE_MAX) {
            found.extend(self.get(tenant, keys).await?);
        }
        Ok(found)
    }

    /// A ticket's case and its version.
    ///
    /// # Errors
    ///
    /// As [`Store::get`].
    async fn get_case(
        &self,
        tenant: TenantId,
        ticket: TicketId,
    ) -> Result<Option<(Version, Box<Case>)>> {
        let key = RecordKey::Stream(StreamId::case(ticket));
        match self.get_one(tenant, key).await? {
            None => Ok(None),
            Some(Stored { version, record: Record::Case(case) }) => Ok(Some((version, case))),
            Some(_) => Err(StoreError::Corrupt {
                backend: self.capabilities().backend,
                what: format!("ticket `{ticket}` is no case"),
            }),
        }
    }

    /// Every row of a list, from its first page on; `limit` is the size of the
    /// pages that are asked for. Not one snapshot: rows may come and go meanwhile.
    ///
    /// # Errors
    ///
    /// As [`Store::list`].
    async fn list_all(&self, query: ListQuery) -> Result<Vec<Stored>> {
        let mut pages = Pages::new(query);
        let mut rows = Vec::new();
        while let Some(more) = pages.next(self).await? {
            rows.extend(more);
        }
        Ok(rows)
    }

    /// All of a stream's journal, from its first entry on.
    ///
    /// # Errors
    ///
    /// As [`Store::events`].
    async fn history(&self, tenant: TenantId, stream: StreamId) -> Result<Vec<Recorded>> {
        let mut entries: Vec<Recorded> = Vec::new();
        loop {
            let after = entries.last().map_or(0, |entry| entry.n);
            let source = EventSource::Stream { stream, after };
            let query = EventQuery::new(tenant, source, PAGE_MAX);
            let page = self.events(&query).await?;
            entries.extend(page.rows);
            if page.next.is_none() {
                return Ok(entries);
            }
        }
    }
}

#[async_trait]
impl<S: Store + ?Sized> StoreExt for S {}

/// The pages of a list one after the other, from where the query begins to the end.
///
/// Not one snapshot: rows may come and go between two pages.
#[derive(Debug)]
pub struct Pages {
    /// What is asked next; `None` when the last page was given.
    query: Option<ListQuery>,
}

impl Pages {
    /// Of this list; its `limit` is the size of a page.
    #[must_use]
    pub fn new(query: ListQuery) -> Self {
        Self { query: Some(query) }
    }

    /// The rows of the next page; `None` after the last one.
    ///
    /// # Errors
    ///
    /// As [`Store::list`]; the next call asks for the same page again.
    pub async fn next(&mut self, store: &(impl Store + ?Sized)) -> Result<Option<Vec<Stored>>> {
        let Some(query) = &mut self.query else { return Ok(None) };
        let Page { rows, next } = store.list(query).await?;
        match next {
            Some(next) => query.after = Some(next),
            None => self.query = None,
        }
        Ok(Some(rows))
    }
}

/// A tenant's [news](EventSource::News), page by page, from a position to the end that there is.
#[derive(Debug)]
pub struct News {
    tenant: TenantId,
    kinds: Vec<StreamKind>,
    /// After which position; `None` when the last page was given.
    after: Option<u64>,
}

impl News {
    /// Of streams of these kinds, all for none, after this position.
    #[must_use]
    pub fn new(tenant: TenantId, after: u64, kinds: Vec<StreamKind>) -> Self {
        Self { tenant, kinds, after: Some(after) }
    }

    /// The entries of the next page, some; `None` after the last one.
    ///
    /// # Errors
    ///
    /// As [`Store::events`]; the next call asks for the same page again.
    pub async fn next(&mut self, store: &(impl Store + ?Sized)) -> Result<Option<Vec<Recorded>>> {
        let Some(after) = self.after else { return Ok(None) };
        let source = EventSource::News { after, kinds: self.kinds.clone() };
        let Page { rows, next } =
            store.events(&EventQuery::new(self.tenant, source, PAGE_MAX)).await?;
        self.after = next.and_then(|_| rows.last()).map(|last| last.position);
        Ok((!rows.is_empty()).then_some(rows))
    }
}
