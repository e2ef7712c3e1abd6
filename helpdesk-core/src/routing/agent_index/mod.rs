//! Agents kept so that choosing one is no scan: an index over the roster.
//!
//! The scan ([`choose`](super::select::choose)) says what is right, and says why of
//! every agent. The index says the same of the chosen, for desks where a scan of
//! everybody at each ticket would cost too much: agents stand in the orders that
//! the selectors go by, with bits for their groups, skills, channels and room, so
//! that the first who has all that a ticket asks is found by intersecting words.
//! What depends on time or on the ticket (shift, cooldown, rate limit, exclusion) is asked of
//! those whom the intersection finds.

mod explained;
mod find;
mod marks;
mod member;
mod members;
mod orders;
mod rank;
mod ranking;
mod sieve;

pub use find::Found;

use super::stage::Selector;
use crate::agent::{AgentLoad, ChannelLoad, Roster, RosterEntry};
use crate::id::{AgentId, Key};
use crate::ticket::priority::Channel;
use foldhash::fast::FixedState;
use marks::{LEVEL_MAX, Mark, READY, STATE_MARKS};
use member::Member;
use members::Members;
use orders::{Before, Orders};
use ranking::Ranking;

/// Agents by what a choice asks of them.
///
/// It is told of every agent, and of every change ([`put`](Self::put),
/// [`put_load`](Self::put_load) or [`change_load`](Self::change_load),
/// [`remove`](Self::remove)); then [`choose`](Self::choose) answers as the scan of the
/// same agents does, whatever the order in which they were told.
///
/// ```
/// use chrono::DateTime;
/// use helpdesk_core::agent::{AgentLoad, Roster, RosterEntry};
/// use helpdesk_core::condition::Calendars;
/// use helpdesk_core::routing::agent_index::{AgentIndex, Found};
/// use helpdesk_core::routing::select::{Ask, choose};
/// use serde_json::{from_value, json};
/// let at = "2026-06-01T12:00:00Z";
/// let now = DateTime::from_timestamp(1_780_315_200, 0).unwrap_or_default();
/// let mut roster = Roster::default();
/// for n in ["01", "02"] {
///     let id = format!("00000000-0000-0000-0000-0000000000{n}");
///     let agent: helpdesk_core::agent::Agent = from_value(json!({
///         "id": id, "name": n, "roles": [], "groups": ["billing"], "active": true,
///         "capacity": {"total": 1},
///     }))?;
///     let online = json!({"status": "online", "state": "online", "since": at});
///     let presence = from_value(json!({"agent": id, "channels": {"email": online}}))?;
///     let (id, load) = (agent.id, AgentLoad::none(agent.id));
///     let (agent_version, presence_version, load_version) = (1, 1, 1);
///     let agent = agent.into();
///     let entry =
///         RosterEntry { agent, agent_version, presence, presence_version, load, load_version };
///     roster.agents.insert(id, entry);
/// }
/// let queue = from_value(json!({"key": "q", "group": "billing", "mode": {"type": "assign"}}))?;
/// let ticket: helpdesk_core::ticket::Ticket = from_value(json!({
///     "id": "00000000-0000-0000-0000-000000000009", "number": "HD-1", "subject": "Refund",
///     "requester": "00000000-0000-0000-0000-000000000008", "channel": "email",
///     "channels": ["email"], "status": "new", "category": "new", "queue": "q",
///     "entered_queue_at": at, "newest_public_seq": 1, "newest_public_bytes": 1,
///     "counters": {"messages": 1, "attachments": 0, "reopens": 0, "reassignments": 0,
///         "agent_touches": 0},
///     "times": {"created_at": at, "updated_at": at},
/// }))?;
/// let mut index = AgentIndex::new(&roster, []);
/// let calendars = &Calendars::default();
/// let (queue, ticket, roster, affinity, seed) = (&queue, &ticket, &roster, &[], 0);
/// let ask = Ask { queue, ticket, roster, calendars, affinity, now, seed };
/// let found = index.choose(&ask);
/// assert_eq!(found, Found::from(&choose(&ask)));
/// // The chosen has no room for another one.
/// let chosen = found.chosen.ok_or("nobody")?;
/// index.change_load(chosen, ticket.channel, |load| load.active += found.weight);
/// let next = index.choose(&ask);
/// assert!(next.chosen.is_some_and(|next| next != chosen));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct AgentIndex {
    members: Members,
    catalog: Catalog,
    /// Everybody, by id.
    everybody: Ranking,
    /// Those who are online, in the orders of selectors.
    orders: Orders,
}

/// Looked up at each choice.
#[allow(clippy::disallowed_types, reason = "its seed is fixed, and nothing goes over it")]
type Table<K, V> = std::collections::HashMap<K, V, FixedState>;

/// The marks of groups, skills and shifts.
#[derive(Debug, Clone)]
struct Catalog {
    groups: Table<Key, Mark>,
    /// For each level from 1 up; [`NO_MARK`] where nobody has so high a one.
    skills: Table<Key, [Mark; LEVEL_MAX as usize]>,
    shifts: Table<Key, Mark>,
    n_marks: usize,
}

impl Default for Catalog {
    fn default() -> Self {
        Self {
            groups: Table::default(),
            skills: Table::default(),
            shifts: Table::default(),
            n_marks: STATE_MARKS,
        }
    }
}

/// No mark of a skill: the first ones are those of states.
const NO_MARK: Mark = 0;

/// One more mark.
fn new_mark(n_marks: &mut usize) -> Mark {
    *n_marks += 1;
    *n_marks as Mark - 1
}

impl AgentIndex {
    /// The index of a roster, with an order kept for each of these selectors.
    ///
    /// Any selector may be asked for. One whose order is kept costs something at
    /// each change of a load and is answered by the first agents of that order;
    /// another goes over all candidates. `best_skill` and `random`, which depend
    /// on the ticket, always do.
    #[must_use]
    pub fn new(roster: &Roster, selectors: impl IntoIterator<Item = Selector>) -> Self {
        let catalog = Catalog::default();
        let mut orders = Orders::default();
        for selector in selectors {
            orders.keep(selector, catalog.n_marks);
        }
        let mut index = Self {
            members: Members::default(),
            everybody: Ranking::new(catalog.n_marks),
            orders,
            catalog,
        };
        for entry in roster.agents.values() {
            index.put(entry);
        }
        index
    }

    /// How many agents it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether it knows nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.len() == 0
    }

    /// Takes an agent in, or anew: what they are, where they are online, what they hold.
    pub fn put(&mut self, entry: &RosterEntry) {
        self.remove(entry.agent.id);
        let marks = self.marks_of(entry);
        let member = Member::new(entry, &marks);
        let state = member.state & READY;
        let number = self.members.insert(member);
        self.everybody.insert(number, self.members.ranks_by_id(), state, &marks);
        self.orders.insert(number, &self.members);
    }

    /// Takes in what an agent holds now; nothing happens for one who is not known.
    pub fn put_load(&mut self, load: &AgentLoad) {
        self.change(load.agent, |member| member.set_load(load));
    }

    /// Takes in that what an agent holds on a channel changed; nothing happens for one
    /// who is not known.
    ///
    /// It is [`put_load`](Self::put_load) of the load with that change, and costs less: for
    /// a host that keeps no loads beside the index. [`choose`](Self::choose) asks the
    /// roster it is given about agents with affinity, where the queue has a rate limit about
    /// those who could take the ticket otherwise, and, where it finds nobody, about
    /// those whom time may free (cooldown, shift, exclusion): there loads have to be the
    /// same.
    pub fn change_load(
        &mut self,
        agent: AgentId,
        channel: Channel,
        change: impl FnOnce(&mut ChannelLoad),
    ) {
        self.change(agent, |member| member.change_load(channel, change));
    }

    fn change(&mut self, agent: AgentId, change: impl FnOnce(&mut Member)) {
        let Some(number) = self.members.number(agent) else { return };
        let Some(member) = self.members.get_mut(number) else { return };
        let before = Before::of(member);
        change(member);
        self.everybody.set_state(number, (before.state & READY, member.state & READY));
        self.orders.take_load(number, &self.members, before);
    }

    /// Forgets an agent, if it is known.
    pub fn remove(&mut self, agent: AgentId) {
        let Some(number) = self.members.number(agent) else { return };
        let Some(member) = self.members.get(number) else { return };
        self.everybody.remove(number, member.state & READY);
        self.orders.remove(number, member);
        self.members.remove(number);
    }

    /// An agent's marks, that of the shift behind the others.
    fn marks_of(&mut self, entry: &RosterEntry) -> Vec<Mark> {
        let agent = &entry.agent;
        if !agent.active {
            return Vec::new();
        }
        let Catalog { groups, skills, shifts, n_marks } = &mut self.catalog;
        let of_key = |marks: &mut Table<Key, Mark>, key: &Key, n: &mut usize| {
            *marks.entry(key.clone()).or_insert_with(|| new_mark(n))
        };
        let mut marks: Vec<Mark> =
            agent.groups.iter().map(|key| of_key(groups, key, n_marks)).collect();
        for (at, skill) in agent.skills.iter().enumerate() {
            // As `skill_level` answers: of several levels the first.
            if agent.skills[..at].iter().any(|known| known.skill == skill.skill) {
                continue;
            }
            let levels = skills.entry(skill.skill.clone()).or_insert([NO_MARK; _]);
            let levels = &mut levels[..usize::from(skill.level.min(LEVEL_MAX))];
            levels.iter_mut().filter(|it| **it == NO_MARK).for_each(|it| *it = new_mark(n_marks));
            marks.extend(&*levels);
        }
        marks.extend(agent.shift.as_ref().map(|key| of_key(shifts, key, n_marks)));
        self.everybody.widen(*n_marks);
        self.orders.widen(*n_marks);
        marks
    }
}
