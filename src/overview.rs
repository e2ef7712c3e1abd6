//! Answers about many tickets: boards, queues, workload, what is next, reports.

use crate::answer::{Asking, count_query, list_query, listed, page_size};
use crate::engine::Helpdesk;
use crate::error::Result;
use crate::snapshot::Snapshot;
use crate::waiting::Seeking;
use helpdesk_core::access::permission::Permission;
use helpdesk_core::access::scope::Scope;
use helpdesk_core::agent::PresenceState;
use helpdesk_core::case::record::Record;
use helpdesk_core::condition::{Condition, Schema};
use helpdesk_core::decide::Candidates;
use helpdesk_core::fault::{Code, Rejection};
use helpdesk_core::id::{AgentId, Key};
use helpdesk_core::limit::PAGE_MAX;
use helpdesk_core::query::{
    Answer, BoardBy, Column, Counted, Listed, QueueRow, Which, WorkloadRow,
};
use helpdesk_core::report::{ReportQuery, Reporter};
use helpdesk_core::view::{Direction, OrderBy};
use helpdesk_storage::{CountBy, Cursor, ListKind, ListQuery, Order, Pages, Shelf};
use serde_json::json;
use std::collections::BTreeMap;

/// Rows of a board's column unless the query says.
const COLUMN_DEFAULT: usize = 20;

impl Helpdesk {
    pub(crate) async fn board(
        &self,
        asking: &Asking<'_>,
        which: &Which,
        by: BoardBy,
        limit: Option<usize>,
    ) -> Result<Answer> {
        let limit = page_size(Some(limit.unwrap_or(COLUMN_DEFAULT)))?;
        let (count_by, field) = match by {
            BoardBy::Status => (CountBy::Status, "status"),
            BoardBy::Assignee => (CountBy::Assignee, "assignee"),
            BoardBy::Group => (CountBy::Group, "group"),
        };
        if asking.is_outside() && by != BoardBy::Status {
            let message = "requesters have a board by status only";
            return Err(Rejection::at(Code::Forbidden, "by", message).into());
        }
        let buckets = self.inner.store.count(&count_query(asking, which, count_by)?).await?;
        let counts: BTreeMap<Option<String>, (u64, bool)> =
            buckets.into_iter().map(|bucket| (bucket.key, (bucket.n, bucket.capped))).collect();
        let mut columns = Vec::new();
        for (key, name) in column_keys(asking, by, &counts) {
            let (n, capped) = counts.get(&key).copied().unwrap_or_default();
            let mut query = list_query(asking, which)?;
            query.limit = limit;
            query.order = Order { by: OrderBy::Priority, direction: Direction::Descending };
            query.condition =
                Condition::All(vec![query.condition, in_column(field, key.as_ref())?]);
            let tickets = match n {
                0 => Vec::new(),
                _ => listed(asking, self.inner.store.list(&query).await?).rows,
            };
            columns.push(Column { key, name, n, capped, tickets });
        }
        Ok(Answer::Board(columns))
    }

    /// The agent whose work a query is about; another's only for those who see reports.
    fn agent_of(asking: &Asking<'_>, agent: Option<AgentId>) -> Result<AgentId> {
        let own = asking.actor.agent_id();
        let Some(agent) = agent.or(own) else {
            return Err(Rejection::at(Code::RequiredField, "agent", "name the agent").into());
        };
        if own != Some(agent) {
            asking.require(Permission::Report)?;
        }
        match asking.snapshot.roster.active(agent) {
            Some(_) => Ok(agent),
            None => {
                Err(Rejection::at(Code::NotFound, "agent", format!("no agent `{agent}`")).into())
            }
        }
    }

    /// Agents see all that they may take; others, of that, what they may read.
    fn scope_of_work(asking: &Asking<'_>, agent: AgentId) -> Scope {
        match asking.actor.agent_id() == Some(agent) {
            true => Scope::All,
            false => asking.scope(Permission::Read),
        }
    }

    pub(crate) async fn next_for(
        &self,
        asking: &Asking<'_>,
        agent: Option<AgentId>,
    ) -> Result<Answer> {
        let agent = Self::agent_of(asking, agent)?;
        let (snapshot, now) = (&asking.snapshot, asking.now);
        let scope = &Self::scope_of_work(asking, agent);
        let tenant = &self.tenant(asking.actor.tenant).await?;
        let seeking = Seeking { tenant, snapshot, scope, now };
        let candidates = Candidates::ToSolve { agent, but: None };
        let first = self.first_candidate(&seeking, candidates).await?;
        let next = first.and_then(|stored| match stored.record {
            Record::Case(case) => Some(asking.view(*case, stored.version)),
            _ => None,
        });
        Ok(Answer::Next(next))
    }

    pub(crate) async fn count_for(
        &self,
        asking: &Asking<'_>,
        agent: Option<AgentId>,
    ) -> Result<Answer> {
        let agent = Self::agent_of(asking, agent)?;
        let (snapshot, now) = (&asking.snapshot, asking.now);
        let scope = &Self::scope_of_work(asking, agent);
        let tenant = &self.tenant(asking.actor.tenant).await?;
        let n = self.count_to_solve(&Seeking { tenant, snapshot, scope, now }, agent).await?;
        Ok(Answer::Count(Counted { n, capped: false }))
    }

    pub(crate) async fn queue_state(
        &self,
        asking: &Asking<'_>,
        only: Option<&Key>,
    ) -> Result<Answer> {
        if asking.is_outside() {
            return Err(Rejection::new(Code::Forbidden, "queues are for agents").into());
        }
        let desk = &asking.snapshot.desk;
        let mut rows: BTreeMap<Key, QueueRow> = BTreeMap::new();
        for queue in desk.queues().filter(|queue| only.is_none_or(|only| *only == queue.key)) {
            let online = asking.snapshot.roster.agents.values().filter(|entry| {
                entry.agent.active && entry.agent.is_in(&queue.group) && is_online(&entry.presence)
            });
            let row = QueueRow {
                queue: queue.key.clone(),
                group: queue.group.clone(),
                n_waiting: 0,
                n_offered: 0,
                oldest_at: None,
                n_online: online.count() as u64,
            };
            rows.insert(queue.key.clone(), row);
        }
        if let Some(key) = only.filter(|_| rows.is_empty()) {
            let message = format!("the desk has no queue `{key}`");
            return Err(Rejection::at(Code::NotConfigured, "queue", message).into());
        }
        let mut query = list_query(asking, &Which::default())?;
        query.condition = parsed(
            asking,
            &json!({"all": [
                {"field": "status_category", "in": ["new", "open"]},
                {"field": "assignee", "unset": true},
            ]}),
        )?;
        let mut pages = Pages::new(query);
        while let Some(page) = pages.next(&*self.inner.store).await? {
            for stored in page {
                let Record::Case(case) = stored.record else { continue };
                let Some(row) = case.ticket.queue.as_ref().and_then(|key| rows.get_mut(key)) else {
                    continue;
                };
                row.n_waiting += 1;
                row.n_offered += u64::from(case.offer.is_some());
                let entered = case.ticket.entered_queue_at;
                row.oldest_at = [row.oldest_at, entered].into_iter().flatten().min();
            }
        }
        Ok(Answer::Queues(rows.into_values().collect()))
    }

    pub(crate) async fn report(&self, asking: &Asking<'_>, query: &ReportQuery) -> Result<Answer> {
        let scope = asking.require(Permission::Report)?;
        let mut reporter = Reporter::new(query).map_err(Rejection::many)?;
        let tenant = asking.actor.tenant;
        let mut list = ListQuery::all(tenant, ListKind::Cases(Shelf::Live), asking.now, PAGE_MAX);
        list.scope = Scope::And(vec![scope, asking.scope(Permission::Read)]);
        let mut pages = Pages::new(list);
        while let Some(rows) = pages.next(&*self.inner.store).await? {
            for stored in &rows {
                if let Record::Case(case) = &stored.record {
                    reporter.ticket(&case.ticket);
                }
            }
        }
        self.each_case_event(tenant, |row| reporter.event(row)).await?;
        Ok(Answer::Report(reporter.finish()))
    }

    pub(crate) async fn list_dead_letters(
        &self,
        asking: &Asking<'_>,
        after: Option<String>,
        limit: Option<usize>,
    ) -> Result<Answer> {
        asking.require(Permission::ListDeadLetters)?;
        let limit = page_size(limit)?;
        let mut query =
            ListQuery::all(asking.actor.tenant, ListKind::DeadLetters, asking.now, limit);
        query.after = after.map(Cursor);
        let page = self.inner.store.list(&query).await?;
        let rows = page.rows.into_iter().filter_map(|stored| match stored.record {
            Record::DeadLetter(letter) => Some(*letter),
            _ => None,
        });
        Ok(Answer::DeadLetters(Listed { rows: rows.collect(), next: page.next.map(|c| c.0) }))
    }
}

/// The columns of a board: all of the desk's statuses, else what there is.
fn column_keys(
    asking: &Asking<'_>,
    by: BoardBy,
    counts: &BTreeMap<Option<String>, (u64, bool)>,
) -> Vec<(Option<String>, String)> {
    let Snapshot { desk, roster, .. } = &asking.snapshot;
    match by {
        BoardBy::Status => {
            let statuses = desk.statuses().statuses().iter();
            let mut keys: Vec<_> =
                statuses.map(|s| (Some(s.key.to_string()), s.name.clone())).collect();
            for key in counts.keys().flatten() {
                if !keys.iter().any(|(known, _)| known.as_ref() == Some(key)) {
                    keys.push((Some(key.clone()), key.clone()));
                }
            }
            keys
        }
        BoardBy::Assignee => counts
            .keys()
            .map(|key| {
                let id = key.as_ref().and_then(|key| key.parse::<AgentId>().ok());
                let name = id.and_then(|id| roster.get(id)).map(|entry| entry.agent.name.clone());
                (key.clone(), name.or_else(|| key.clone()).unwrap_or_else(|| "nobody".to_owned()))
            })
            .collect(),
        BoardBy::Group => counts
            .keys()
            .map(|key| {
                let group = key.as_ref().and_then(|key| Key::new(key).ok());
                let name = group.and_then(|key| desk.group(&key)).map(|group| group.name.clone());
                let name = name.filter(|name| !name.is_empty());
                (key.clone(), name.or_else(|| key.clone()).unwrap_or_else(|| "no group".to_owned()))
            })
            .collect(),
    }
}

/// The tickets of one column. What they say need not be configured any more.
fn in_column(field: &str, key: Option<&String>) -> Result<Condition> {
    let source = match key {
        Some(key) => json!({"field": field, "is": key}),
        None => json!({"field": field, "unset": true}),
    };
    Condition::parse(&source, &Schema::default()).map_err(|faults| Rejection::many(faults).into())
}

fn parsed(asking: &Asking<'_>, source: &serde_json::Value) -> Result<Condition> {
    let schema = asking.snapshot.desk.condition_schema();
    Condition::parse(source, schema).map_err(|faults| Rejection::many(faults).into())
}

fn is_online(presence: &helpdesk_core::agent::Presence) -> bool {
    presence.channels.values().any(|p| p.state == PresenceState::Online)
}

impl Asking<'_> {
    /// What the agents hold, by name.
    pub(crate) fn workload(&self, group: Option<&Key>) -> Result<Answer> {
        self.require(Permission::ReadNotes)?;
        if let Some(group) = group
            && self.snapshot.desk.group(group).is_none()
        {
            let message = format!("the desk has no group `{group}`");
            return Err(Rejection::at(Code::NotConfigured, "group", message).into());
        }
        let entries = self.snapshot.roster.agents.values().filter(|entry| {
            entry.agent.active && group.is_none_or(|group| entry.agent.is_in(group))
        });
        let mut rows: Vec<WorkloadRow> = entries
            .map(|entry| WorkloadRow {
                agent: entry.agent.id,
                name: entry.agent.name.clone(),
                active: entry.load.active(),
                reserved: entry.load.reserved(),
                capacity: entry.agent.capacity.total,
                is_online: is_online(&entry.presence),
                last_assigned_at: entry.load.last_assigned_at(),
            })
            .collect();
        rows.sort_by(|a, b| (&a.name, a.agent).cmp(&(&b.name, b.agent)));
        Ok(Answer::Workload(rows))
    }
}
