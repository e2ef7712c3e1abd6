//! Agents kept so that choosing one is no scan: an index over the roster.
//!
//! The scan ([`choose`](super::select::choose)) says what is right, and says why of
//! every agent. The index says the same of the chosen, for desks where a scan of
//! everybody at each ticket would cost too much: agents stand in the orders that
//! the selectors go by, with bits for their groups, skills, channels and room, so
//! that the first who has all that a ticket asks is found by intersecting words.
//! What depends on time or on the ticket (shift, cooldown, exclusion) is asked of
//! those whom the intersection finds.

mod find;
mod marks;
mod member;
mod rank;
mod ranking;
mod short;
mod sieve;

pub use find::Found;

use super::stage::Selector;
use crate::agent::{AgentLoad, Roster, RosterEntry};
use crate::id::{AgentId, Key};
use marks::{LEVEL_MAX, LEVEL_PLANES, Mark, State};
use member::{Member, N_CHANNELS};
use rank::Rank;
use ranking::Ranking;
use std::collections::BTreeMap;

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
    /// By member number; `None` where one was removed.
    members: Vec<Option<Member>>,
    free: Vec<u32>,
    by_id: BTreeMap<AgentId, u32>,
    catalog: Catalog,
    /// Everybody, by id.
    everybody: Ranking,
    /// Those who are online, in the orders of selectors.
    orders: Vec<Order>,
}

/// Those who are online, as a selector orders them. `longest_idle` has an order for
/// each channel, of those who were given work there, and before them one of those
/// who on some channel never were.
#[derive(Debug, Clone)]
struct Order {
    selector: Selector,
    channel: Option<usize>,
    ranking: Ranking,
}

impl Order {
    /// Whether a member is in it, who has this state.
    fn has(&self, member: &Member, state: State) -> bool {
        match (self.selector, self.channel) {
            (Selector::LongestIdle, None) => state >> N_CHANNELS != 0,
            (_, None) => member.online != 0,
            (_, Some(channel)) => (member.given_on(state) >> channel) & 1 == 1,
        }
    }

    fn rank(&self, member: &Member) -> Rank {
        match (self.selector, self.channel) {
            (Selector::LongestIdle, None) => member.rank_by(0),
            (selector, channel) => member.rank(selector, channel.unwrap_or(0)),
        }
    }
}

/// The marks of groups, skills and shifts.
#[derive(Debug, Clone, Default)]
struct Catalog {
    groups: BTreeMap<Key, Mark>,
    skills: BTreeMap<Key, Mark>,
    shifts: BTreeMap<Key, Mark>,
    /// Words that all marks take.
    n_words: usize,
}

/// The mark of a key, of level 1; a new one where it has none.
fn mark_of(marks: &mut BTreeMap<Key, Mark>, key: &Key, n_words: &mut usize, n_planes: u8) -> Mark {
    if let Some(mark) = marks.get(key) {
        return *mark;
    }
    // The planes of one mark lie in one line of the cache.
    let word = n_words.next_multiple_of(usize::from(n_planes));
    *n_words = word + usize::from(n_planes);
    let mark = Mark { word: word as u32, n_planes, level: 1 };
    marks.insert(key.clone(), mark);
    mark
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
            free: Vec::new(),
            by_id: BTreeMap::new(),
            everybody: Ranking::new(catalog.n_words),
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
        let channels = match selector {
            Selector::LongestIdle => {
                std::iter::once(None).chain((0..N_CHANNELS).map(Some)).collect()
            }
            Selector::MostSpare | Selector::LeastLoaded | Selector::WeightedRoundRobin => {
                vec![None]
            }
            Selector::BestSkill | Selector::Random => Vec::new(),
        };
        if self.orders.iter().any(|order| order.selector == selector) {
            return;
        }
        self.orders.extend(channels.into_iter().map(|channel| {
            let ranking = Ranking::new(self.catalog.n_words);
            Order { selector, channel, ranking }
        }));
    }

    /// How many agents it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether it knows nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Takes an agent in, or anew: what they are, where they are online, what they hold.
    pub fn put(&mut self, entry: &RosterEntry) {
        self.remove(entry.agent.id);
        let (marks, shift) = self.marks_of(entry);
        let member = Member::new(entry, marks, shift);
        let number = self.free.pop().unwrap_or(self.members.len() as u32);
        let (state, marks) = (member.state, &member.marks);
        self.everybody.insert(number, Rank::of_id(entry.agent.id), state, marks);
        for order in self.orders.iter_mut().filter(|order| order.has(&member, state)) {
            order.ranking.insert(number, order.rank(&member), state, marks);
        }
        self.by_id.insert(entry.agent.id, number);
        match self.members.get_mut(number as usize) {
            Some(place) => *place = Some(member),
            None => self.members.push(Some(member)),
        }
    }

    /// Takes in what an agent holds now; nothing happens for one who is not known.
    pub fn put_load(&mut self, load: &AgentLoad) {
        let Some(number) = self.by_id.get(&load.agent).copied() else { return };
        let Some(member) = self.members[number as usize].as_mut() else { return };
        let was = member.state;
        member.take_load(load);
        let (is, marks) = (member.state, &member.marks);
        if is != was {
            self.everybody.set_state(number, was, is);
        }
        for order in &mut self.orders {
            let (had, has) = (order.has(member, was), order.has(member, is));
            let rank = if has { order.rank(member) } else { Rank::MIN };
            if had && has && order.ranking.rerank(number, rank) {
                if is != was {
                    order.ranking.set_state(number, was, is);
                }
                continue;
            }
            if had {
                order.ranking.remove(number, was, marks);
            }
            if has {
                order.ranking.insert(number, rank, is, marks);
            }
        }
    }

    /// Forgets an agent, if it is known.
    pub fn remove(&mut self, agent: AgentId) {
        let Some(number) = self.by_id.remove(&agent) else { return };
        let Some(member) = self.members[number as usize].take() else { return };
        self.everybody.remove(number, member.state, &member.marks);
        for order in &mut self.orders {
            order.ranking.remove(number, member.state, &member.marks);
        }
        self.free.push(number);
    }

    /// An agent's marks, and that of the shift.
    fn marks_of(&mut self, entry: &RosterEntry) -> (Vec<Mark>, Option<Mark>) {
        let agent = &entry.agent;
        if !agent.active {
            return (Vec::new(), None);
        }
        let Catalog { groups, skills, shifts, n_words } = &mut self.catalog;
        let mut marks: Vec<Mark> =
            agent.groups.iter().map(|key| mark_of(groups, key, n_words, 1)).collect();
        for skill in &agent.skills {
            let mark = mark_of(skills, &skill.skill, n_words, LEVEL_PLANES);
            // As `skill_level` answers: of several levels the first.
            if !marks.iter().any(|known| known.word == mark.word) {
                marks.push(Mark { level: skill.level.min(LEVEL_MAX), ..mark });
            }
        }
        let shift = agent.shift.as_ref().map(|key| mark_of(shifts, key, n_words, 1));
        marks.extend(shift);
        self.everybody.widen(*n_words);
        self.orders.iter_mut().for_each(|order| order.ranking.widen(*n_words));
        (marks, shift)
    }

    fn member(&self, number: u32) -> Option<&Member> {
        self.members[number as usize].as_ref()
    }
}
