//! Agents kept so that choosing one is no scan: an index over the roster.
//!
//! The scan ([`choose`](super::select::choose)) says what is right, and says why of
//! every agent. The index says the same of the chosen, for desks where a scan of
//! everybody at each ticket would cost too much: agents stand in the orders that
//! the selectors go by, with bits for their groups, skills, channels and room, so
//! that the first who has all that a ticket asks is found by intersecting words.
//! What depends on time or on the ticket (shift, cooldown, exclusion) is asked of
//! those whom the intersection finds.

mod explained;
mod find;
mod marks;
mod member;
mod rank;
mod ranking;
mod sieve;

pub use find::Found;

use super::stage::Selector;
use crate::agent::{AgentLoad, Roster, RosterEntry};
use crate::id::{AgentId, Key};
use foldhash::fast::FixedState;
use marks::{LEVEL_MAX, Mark, STATE_MARKS, State};
use member::{Member, N_CHANNELS};
use rank::Rank;
use ranking::Ranking;

/// Agents by what a choice asks of them.
///
/// It is told of every agent, and of every change ([`put`](Self::put),
/// [`put_load`](Self::put_load), [`remove`](Self::remove)); then
/// [`choose`](Self::choose) answers as the scan of the same agents does, whatever
/// the order in which they were told.
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
/// let (queue, ticket, affinity, seed, before) = (&queue, &ticket, &[], 0, roster.clone());
/// let ask = Ask { queue, ticket, roster: &before, calendars, affinity, now, seed };
/// let found = index.choose(&ask);
/// assert_eq!(found, Found::from(&choose(&ask)));
/// // The chosen has no room for another one.
/// let chosen = found.chosen.ok_or("nobody")?;
/// let entry = roster.agents.get_mut(&chosen).ok_or("nobody")?;
/// entry.load.channels.entry(ticket.channel).or_default().active += found.weight;
/// index.put_load(&entry.load);
/// let next = index.choose(&Ask { roster: &roster, ..ask });
/// assert!(next.chosen.is_some_and(|next| next != chosen));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct AgentIndex {
    /// By number; `None` for one who was removed.
    members: Vec<Option<Member>>,
    /// A number for each agent that ever was known, from 0; theirs for good.
    numbers: Table<AgentId, u32>,
    n_members: usize,
    catalog: Catalog,
    /// Everybody, by id.
    everybody: Ranking,
    /// Those who are online, in the orders of selectors.
    orders: Vec<Order>,
}

/// Those who are online, as a selector orders them. `longest_idle` has two orders for
/// each channel: of those who never were given work there, by id, and of the others.
#[derive(Debug, Clone)]
struct Order {
    selector: Selector,
    of: Of,
    ranking: Ranking,
}

/// Whom an order has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Everybody who is online.
    All,
    /// Those who are online on a channel and never were given work there.
    NeverGiven(usize),
    /// Those who are online on a channel and were given work there.
    Given(usize),
}

impl Order {
    /// Whether a member is in it, who has this state.
    fn has(&self, member: &Member, state: State) -> bool {
        match self.of {
            Of::All => member.online != 0,
            Of::NeverGiven(channel) => (state >> (N_CHANNELS + channel)) & 1 == 1,
            Of::Given(channel) => (member.given_on(state) >> channel) & 1 == 1,
        }
    }

    /// Whether no load changes a place in it.
    fn is_by_id(&self) -> bool {
        matches!(self.of, Of::NeverGiven(_))
    }

    fn rank(&self, member: &Member) -> Rank {
        match self.of {
            Of::All => member.rank(self.selector, 0),
            Of::NeverGiven(_) => Rank::of_id(member.id),
            Of::Given(channel) => member.rank(self.selector, channel),
        }
    }
}

/// Looked up at each choice.
#[allow(clippy::disallowed_types, reason = "its seed is fixed, and nothing goes over it")]
type Table<K, V> = std::collections::HashMap<K, V, FixedState>;

/// The marks of groups, skills and shifts.
#[derive(Debug, Clone)]
struct Catalog {
    groups: Table<Key, Mark>,
    /// For each level from 1 up to the highest of any agent.
    skills: Table<Key, Vec<Mark>>,
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
        let mut index = Self {
            members: Vec::new(),
            numbers: Table::default(),
            n_members: 0,
            everybody: Ranking::new(catalog.n_marks),
            orders: Vec::new(),
            catalog,
        };
        for selector in selectors {
            index.add_order(selector);
        }
        for entry in roster.agents.values() {
            index.put(entry);
        }
        index
    }

    fn add_order(&mut self, selector: Selector) {
        if self.orders.iter().any(|order| order.selector == selector) {
            return;
        }
        let each = |of: fn(usize) -> Of| (0..N_CHANNELS).map(of);
        let kept = match selector {
            Selector::LongestIdle => each(Of::NeverGiven).chain(each(Of::Given)).collect(),
            Selector::MostSpare | Selector::LeastLoaded | Selector::WeightedRoundRobin => {
                vec![Of::All]
            }
            Selector::BestSkill | Selector::Random => Vec::new(),
        };
        self.orders.extend(kept.into_iter().map(|of| {
            let ranking = Ranking::new(self.catalog.n_marks);
            Order { selector, of, ranking }
        }));
    }

    /// How many agents it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.n_members
    }

    /// Whether it knows nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.n_members == 0
    }

    /// Takes an agent in, or anew: what they are, where they are online, what they hold.
    pub fn put(&mut self, entry: &RosterEntry) {
        self.remove(entry.agent.id);
        let (marks, shift) = self.marks_of(entry);
        let member = Member::new(entry, marks, shift);
        let next = self.numbers.len() as u32;
        let number = *self.numbers.entry(entry.agent.id).or_insert(next);
        let (state, marks) = (member.state, &*member.marks);
        self.everybody.insert(number, Rank::of_id(entry.agent.id), state, marks);
        for order in self.orders.iter_mut().filter(|order| order.has(&member, state)) {
            order.ranking.insert(number, order.rank(&member), state, marks);
        }
        self.n_members += 1;
        match self.members.get_mut(number as usize) {
            Some(place) => *place = Some(member),
            None => self.members.push(Some(member)),
        }
    }

    /// Takes in what an agent holds now; nothing happens for one who is not known.
    pub fn put_load(&mut self, load: &AgentLoad) {
        let Some(&number) = self.numbers.get(&load.agent) else { return };
        let Some(member) = self.members[number as usize].as_mut() else { return };
        let was = member.state;
        member.take_load(load);
        let is = member.state;
        if is != was {
            self.everybody.set_state(number, was, is);
        }
        for order in &mut self.orders {
            let (had, has) = (order.has(member, was), order.has(member, is));
            let stays = had && has;
            if stays && (order.is_by_id() || order.ranking.rerank(number, order.rank(member))) {
                if is != was {
                    order.ranking.set_state(number, was, is);
                }
                continue;
            }
            if had {
                order.ranking.remove(number, was);
            }
            if has {
                order.ranking.insert(number, order.rank(member), is, &member.marks);
            }
        }
    }

    /// Forgets an agent, if it is known.
    pub fn remove(&mut self, agent: AgentId) {
        let Some(&number) = self.numbers.get(&agent) else { return };
        let Some(member) = self.members[number as usize].take() else { return };
        self.everybody.remove(number, member.state);
        for order in &mut self.orders {
            order.ranking.remove(number, member.state);
        }
        self.n_members -= 1;
    }

    /// An agent's marks, and that of the shift.
    fn marks_of(&mut self, entry: &RosterEntry) -> (Vec<Mark>, Option<Mark>) {
        let agent = &entry.agent;
        if !agent.active {
            return (Vec::new(), None);
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
            let levels = skills.entry(skill.skill.clone()).or_default();
            let level = usize::from(skill.level.min(LEVEL_MAX));
            while levels.len() < level {
                levels.push(new_mark(n_marks));
            }
            marks.extend(&levels[..level]);
        }
        let shift = agent.shift.as_ref().map(|key| of_key(shifts, key, n_marks));
        marks.extend(shift);
        self.everybody.widen(*n_marks);
        self.orders.iter_mut().for_each(|order| order.ranking.widen(*n_marks));
        (marks, shift)
    }

    /// The number of an agent who is known now.
    fn number(&self, agent: AgentId) -> Option<u32> {
        self.numbers.get(&agent).copied().filter(|number| self.member(*number).is_some())
    }

    fn member(&self, number: u32) -> Option<&Member> {
        self.members[number as usize].as_ref()
    }
}
