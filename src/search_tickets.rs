//! Searches over tickets, by an index or by reading the tickets themselves.
//!
//! An index knows words and whose a ticket is; tests on fields are asked of the store, so
//! what is answered is in scope and meets its condition as things stand now, whatever the
//! index has not heard of yet.

use crate::answer::{Asking, list_query, looks_inside, page_size};
use crate::engine::Helpdesk;
use crate::error::Result;
use helpdesk_core::access::permission::Permission;
use helpdesk_core::actor::ActorKind;
use helpdesk_core::case::Case;
use helpdesk_core::case::facts::{Around, holds};
use helpdesk_core::case::record::{Record, RecordKey, Stored};
use helpdesk_core::contact::{Contact, Organization};
use helpdesk_core::event::StreamId;
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::{ContactId, OrganizationId, TicketId};
use helpdesk_core::limit::{COUNT_MAX, PAGE_MAX};
use helpdesk_core::query::{
    Answer, Counted, Found, FoundTicket, Highlight, SearchTickets, TicketName, Which,
};
use helpdesk_core::search_query::{SearchOrder, SearchQuery, SearchTerms, TextQuery, faults};
use helpdesk_core::ticket::Ticket;
use helpdesk_core::view::{Direction, OrderBy};
use helpdesk_search::{TicketHit, TicketIndex, TicketQuery, ticket_has};
use helpdesk_storage::{Cursor, ListQuery, Order, Pages, StoreExt};
use std::collections::{HashMap, HashSet};

/// Found tickets that are put in order in memory; more are picked out of the store's list.
const SORTED_MAX: usize = 10_000;
/// Tickets whose texts are read at once.
const READ_MAX: usize = 100;

/// What is looked for, inside the actor's scope.
struct Search<'a> {
    asking: &'a Asking<'a>,
    /// The list of all that scope and condition take, in the search's order.
    list: ListQuery,
    text: TextQuery,
}

/// Which rows of a list are wanted.
enum Picks<'a> {
    All,
    /// Those that an index found.
    Of(&'a HashSet<TicketId>),
    /// Those whose texts have the words.
    ByText,
}

/// Where the page before ended.
enum After {
    Start,
    /// So many hits of the index were looked at.
    Hits(usize),
    /// The last row of what was put in order in memory.
    Sorted(Cursor),
    /// The last row of the store's list.
    Listed(Cursor),
}

impl After {
    fn read(text: Option<&String>) -> Result<Self> {
        let Some(text) = text else { return Ok(Self::Start) };
        let foreign =
            || Rejection::at(Code::Invalid, "after", "the cursor is not one of this search");
        let (kind, rest) = text.split_once(':').ok_or_else(foreign)?;
        match kind {
            "hits" => Ok(Self::Hits(rest.parse().map_err(|_| foreign())?)),
            "sorted" => Ok(Self::Sorted(Cursor(rest.to_owned()))),
            "listed" => Ok(Self::Listed(Cursor(rest.to_owned()))),
            _ => Err(foreign().into()),
        }
    }
}

impl Helpdesk {
    pub(crate) async fn search_tickets(
        &self,
        asking: &Asking<'_>,
        query: &SearchTickets,
    ) -> Result<Answer> {
        let limit = page_size(query.limit)?;
        let after = After::read(query.after.as_ref())?;
        let (search, order) = read(asking, &query.text)?;
        let has_words = !search.text.all.is_empty();
        let is_ranked = has_words && matches!(order, None | Some(SearchOrder::Relevance));
        let index = self.inner.ticket_index.as_deref().filter(|_| !search.text.is_empty());
        let mut found = match (index, after) {
            (Some(index), After::Hits(from)) if is_ranked => {
                self.ranked(index, &search, from, limit).await?
            }
            (Some(index), After::Start) if is_ranked => {
                self.ranked(index, &search, 0, limit).await?
            }
            (Some(index), after) => {
                let ids = index.matching(&search.asked())?;
                let found = match after {
                    After::Start if ids.len() <= SORTED_MAX => {
                        self.sorted(&search, &ids, None, limit).await?
                    }
                    After::Sorted(after) => self.sorted(&search, &ids, Some(&after), limit).await?,
                    after => self.listed(&search, &Picks::Of(&ids), after, limit).await?,
                };
                with_highlights(index, &search, found)?
            }
            (None, after) => {
                let picks = if search.text.is_empty() { Picks::All } else { Picks::ByText };
                self.listed(&search, &picks, after, limit).await?
            }
        };
        if query.count {
            found.total = Some(self.count_found(index, &search).await?);
        }
        Ok(Answer::Found(found))
    }

    /// Tickets like one, by its subject and its first public message.
    pub(crate) async fn similar_tickets(
        &self,
        asking: &Asking<'_>,
        name: &TicketName,
        limit: Option<usize>,
    ) -> Result<Answer> {
        let limit = page_size(limit)?;
        let (case, _) = self.seen(asking, name).await?;
        let Some(index) = self.inner.ticket_index.as_deref() else {
            let message = "the engine has no index of tickets: give it one when it is built";
            return Err(Rejection::new(Code::NotConfigured, message).into());
        };
        let id = case.ticket.id;
        let text = self.opening_text(asking.actor.tenant, case.ticket).await?;
        let (search, _) = read(asking, "")?;
        let hits = index.similar(&search.asked().with_page(0, limit), &text, Some(id))?;
        let rows = self.rows_of_hits(&search, hits.hits).await?;
        Ok(Answer::Found(Found { rows, total: None, next: None }))
    }

    /// By how well the words fit.
    async fn ranked(
        &self,
        index: &TicketIndex,
        search: &Search<'_>,
        from: usize,
        limit: usize,
    ) -> Result<Found> {
        let mut rows: Vec<FoundTicket> = Vec::new();
        let mut offset = from;
        loop {
            let page = index.search(&search.asked().with_page(offset, limit - rows.len()))?;
            let n_hits = page.hits.len();
            rows.extend(self.rows_of_hits(search, page.hits).await?);
            offset = offset.saturating_add(n_hits);
            let has_more = n_hits > 0 && offset < page.total;
            if rows.len() >= limit || !has_more {
                let next = has_more.then(|| format!("hits:{offset}"));
                return Ok(Found { rows, total: None, next });
            }
        }
    }

    /// The hits that are in scope and meet the condition as things stand now.
    async fn rows_of_hits(
        &self,
        search: &Search<'_>,
        hits: Vec<TicketHit>,
    ) -> Result<Vec<FoundTicket>> {
        let ids: Vec<TicketId> = hits.iter().map(|hit| hit.id).collect();
        let mut fitting: HashMap<TicketId, (Case, u64)> = HashMap::new();
        for (case, version) in self.fitting(search, &ids).await? {
            fitting.insert(case.ticket.id, (case, version));
        }
        let row = |hit: TicketHit| {
            let (case, version) = fitting.remove(&hit.id)?;
            Some(search.row(case, version, Some(hit)))
        };
        Ok(hits.into_iter().filter_map(row).collect())
    }

    /// Few tickets, put in order here.
    async fn sorted(
        &self,
        search: &Search<'_>,
        ids: &HashSet<TicketId>,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Found> {
        let ids: Vec<TicketId> = ids.iter().copied().collect();
        let order = search.list.order;
        let mut cases = self.fitting(search, &ids).await?;
        cases.sort_by(|(a, _), (b, _)| order.compare(a, b));
        let mut from = 0;
        if let Some(after) = after {
            while from < cases.len() && !order.is_after(&cases[from].0, after)? {
                from += 1;
            }
        }
        let mut rest = cases.split_off(from);
        let has_more = rest.len() > limit;
        rest.truncate(limit);
        let last = rest.last().filter(|_| has_more);
        let next = last.map(|(case, _)| format!("sorted:{}", order.cursor_after(case).0));
        let rows = rest.into_iter().map(|(case, version)| search.row(case, version, None));
        Ok(Found { rows: rows.collect(), total: None, next })
    }

    /// In the store's order, page by page.
    async fn listed(
        &self,
        search: &Search<'_>,
        picks: &Picks<'_>,
        after: After,
        limit: usize,
    ) -> Result<Found> {
        let mut list = search.list.clone();
        list.after = match after {
            After::Start => None,
            After::Listed(cursor) => Some(cursor),
            After::Hits(_) | After::Sorted(_) => {
                let message = "the cursor is of another order: ask for the first page";
                return Err(Rejection::at(Code::Invalid, "after", message).into());
            }
        };
        list.limit = picks.page_size(limit);
        let mut rows = Vec::new();
        loop {
            let page = self.inner.store.list(&list).await?;
            let n_rows = page.rows.len();
            let picked = self.picked(search, picks, page.rows).await?;
            for (at, case, version) in picked {
                rows.push(search.row(case, version, None));
                if rows.len() == limit {
                    let next = match at + 1 == n_rows {
                        true => page.next,
                        // Where a page that ends here ends is for the store to say.
                        false => {
                            list.limit = at + 1;
                            self.inner.store.list(&list).await?.next
                        }
                    };
                    let next = next.map(|cursor| format!("listed:{}", cursor.0));
                    return Ok(Found { rows, total: None, next });
                }
            }
            match page.next {
                Some(next) => list.after = Some(next),
                None => return Ok(Found { rows, total: None, next: None }),
            }
        }
    }

    /// The rows of a page that are wanted, each with its place.
    async fn picked(
        &self,
        search: &Search<'_>,
        picks: &Picks<'_>,
        rows: Vec<Stored>,
    ) -> Result<Vec<(usize, Case, u64)>> {
        let cases = rows.into_iter().enumerate().filter_map(|(at, stored)| match stored.record {
            Record::Case(case) => Some((at, *case, stored.version)),
            _ => None,
        });
        let mut cases: Vec<(usize, Case, u64)> = cases.collect();
        match picks {
            Picks::All => {}
            Picks::Of(ids) => cases.retain(|(_, case, _)| ids.contains(&case.ticket.id)),
            Picks::ByText => {
                let tickets: Vec<Ticket> =
                    cases.iter().map(|(_, case, _)| case.ticket.clone()).collect();
                let texts = self.ticket_texts(search.asking.actor.tenant, &tickets).await?;
                let notes = search.asking.scope(Permission::ReadNotes);
                let has = texts
                    .iter()
                    .map(|text| ticket_has(text, &search.text, notes.permits_facts(&text.scope)));
                let has: Vec<bool> = has.collect();
                let mut has = has.into_iter();
                cases.retain(|_| has.next().unwrap_or(false));
            }
        }
        Ok(cases)
    }

    /// How many tickets are found, [`COUNT_MAX`] at most.
    async fn count_found(
        &self,
        index: Option<&TicketIndex>,
        search: &Search<'_>,
    ) -> Result<Counted> {
        let mut n = 0;
        if let Some(index) = index {
            let ids: Vec<TicketId> = index.matching(&search.asked())?.into_iter().collect();
            for chunk in ids.chunks(PAGE_MAX) {
                n += self.fitting(search, chunk).await?.len() as u64;
                if n > COUNT_MAX {
                    return Ok(Counted { n: COUNT_MAX, capped: true });
                }
            }
            return Ok(Counted { n, capped: false });
        }
        let picks = if search.text.is_empty() { Picks::All } else { Picks::ByText };
        let mut list = search.list.clone();
        list.limit = picks.page_size(PAGE_MAX);
        let mut pages = Pages::new(list);
        while let Some(rows) = pages.next(&*self.inner.store).await? {
            n += self.picked(search, &picks, rows).await?.len() as u64;
            if n > COUNT_MAX {
                return Ok(Counted { n: COUNT_MAX, capped: true });
            }
        }
        Ok(Counted { n, capped: false })
    }

    /// Of these tickets, those that are live, in scope and meet the condition, in any order.
    async fn fitting(&self, search: &Search<'_>, ids: &[TicketId]) -> Result<Vec<(Case, u64)>> {
        let tenant = search.asking.actor.tenant;
        let mut fitting = Vec::new();
        for chunk in ids.chunks(PAGE_MAX) {
            let keys: Vec<RecordKey> =
                chunk.iter().map(|id| RecordKey::Stream(StreamId::case(*id))).collect();
            let found = self.inner.store.get(tenant, &keys).await?;
            let cases = found.into_iter().flatten().filter_map(|stored| match stored.record {
                Record::Case(case) => Some((*case, stored.version)),
                _ => None,
            });
            let in_scope = |(case, _): &(Case, u64)| {
                case.ticket.is_live() && search.list.scope.permits(&case.ticket)
            };
            let cases: Vec<(Case, u64)> = cases.filter(in_scope).collect();
            let around = self.around(search, &cases).await?;
            let holds = |(case, _): &(Case, u64)| around.holds(&search.list, case);
            fitting.extend(cases.into_iter().filter(holds));
        }
        Ok(fitting)
    }

    /// What the condition looks at beside these cases.
    async fn around(&self, search: &Search<'_>, cases: &[(Case, u64)]) -> Result<AroundCases> {
        let needs = search.list.condition.needs();
        let mut keys = Vec::new();
        for (Case { ticket, .. }, _) in cases {
            if needs.requester {
                keys.push(RecordKey::Stream(StreamId::contact(ticket.requester)));
            }
            if let Some(id) = ticket.organization.filter(|_| needs.organization) {
                keys.push(RecordKey::Stream(StreamId::organization(id)));
            }
            if needs.body && ticket.newest_public_seq > 0 {
                keys.push(RecordKey::Message(ticket.id, ticket.newest_public_seq));
            }
        }
        let mut around = AroundCases::default();
        let found = self.inner.store.get_all(search.asking.actor.tenant, &keys).await?;
        for stored in found.into_iter().flatten() {
            match stored.record {
                Record::Contact(contact) => {
                    around.contacts.insert(contact.id, *contact);
                }
                Record::Organization(organization) => {
                    around.organizations.insert(organization.id, *organization);
                }
                Record::Message(message) => {
                    around.bodies.insert(message.ticket_id, message.text);
                }
                _ => {}
            }
        }
        Ok(around)
    }
}

/// What conditions look at beside cases.
#[derive(Default)]
struct AroundCases {
    contacts: HashMap<ContactId, Contact>,
    organizations: HashMap<OrganizationId, Organization>,
    bodies: HashMap<TicketId, String>,
}

impl AroundCases {
    fn holds(&self, list: &ListQuery, case: &Case) -> bool {
        let ticket = &case.ticket;
        let organization = ticket.organization.and_then(|id| self.organizations.get(&id));
        let around = Around {
            requester: self.contacts.get(&ticket.requester),
            organization,
            body: self.bodies.get(&ticket.id).map(String::as_str),
            clocks: Some(case),
        };
        holds(&list.condition, ticket, around, list.now, &list.terms)
    }
}

impl Picks<'_> {
    /// Rows of the store's list that are read at once.
    fn page_size(&self, limit: usize) -> usize {
        match self {
            Self::All => limit,
            Self::Of(_) => PAGE_MAX,
            Self::ByText => READ_MAX,
        }
    }
}

impl Search<'_> {
    /// The same as the index is asked.
    fn asked(&self) -> TicketQuery {
        TicketQuery::new(self.asking.actor.tenant, self.text.clone())
            .read_by(self.list.scope.clone())
            .with_notes(self.asking.scope(Permission::ReadNotes))
    }

    fn row(&self, case: Case, version: u64, hit: Option<TicketHit>) -> FoundTicket {
        let ticket = self.asking.view(case, version);
        let (snippet, score) = match hit {
            Some(hit) => (Some(highlight(&hit)), Some(hit.score)),
            None => (None, None),
        };
        FoundTicket { ticket, snippet, score }
    }
}

fn highlight(hit: &TicketHit) -> Highlight {
    Highlight { text: hit.snippet.text.clone(), marks: hit.snippet.marks.clone() }
}

/// Shows where the words stand, where there are any.
fn with_highlights(index: &TicketIndex, search: &Search<'_>, mut found: Found) -> Result<Found> {
    if search.text.all.is_empty() || found.rows.is_empty() {
        return Ok(found);
    }
    let ids: Vec<TicketId> = found.rows.iter().map(|row| row.ticket.id()).collect();
    let n = ids.len();
    let hits = index.search(&search.asked().among(ids).with_page(0, n))?;
    let mut hits: HashMap<TicketId, TicketHit> =
        hits.hits.into_iter().map(|hit| (hit.id, hit)).collect();
    for row in &mut found.rows {
        if let Some(hit) = hits.remove(&row.ticket.id()) {
            (row.snippet, row.score) = (Some(highlight(&hit)), Some(hit.score));
        }
    }
    Ok(found)
}

/// Reads a search: what it asks, and the order that it names.
fn read<'a>(asking: &'a Asking<'_>, text: &str) -> Result<(Search<'a>, Option<SearchOrder>)> {
    let desk = &asking.snapshot.desk;
    let acts =
        matches!(asking.actor.kind, ActorKind::Requester | ActorKind::Agent | ActorKind::Bot);
    let terms = SearchTerms {
        schema: desk.condition_schema(),
        me: asking.actor.id.filter(|_| acts),
        time_zone: desk.time_zone(),
    };
    let query = SearchQuery::parse(text, &terms)
        .map_err(|errors| Rejection::many(faults(errors, "text")))?;
    let order = query.order();
    let mut list = list_query(asking, &Which::default())?;
    list.condition = query.condition();
    list.order = match order {
        Some(SearchOrder::By(by, direction)) => Order { by, direction },
        Some(SearchOrder::Relevance) | None => {
            Order { by: OrderBy::UpdatedAt, direction: Direction::Descending }
        }
    };
    if asking.is_outside() {
        let forbidden = |message| Err(Rejection::at(Code::Forbidden, "text", message).into());
        if looks_inside(&list.condition) {
            return forbidden(
                "requesters ask by what they see: status, priority, type, subject, times",
            );
        }
        if matches!(order, Some(SearchOrder::By(OrderBy::DueAt, _))) {
            return forbidden("requesters do not see when tickets are due");
        }
    }
    let text = query.text().clone();
    Ok((Search { asking, list, text }, order))
}
