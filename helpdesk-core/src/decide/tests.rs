//! A decision made by the index of the agents is the decision made without it.

use super::{Context, Decision, Loaded, decide};
use crate::actor::{Actor, Capability};
use crate::agent::Roster;
use crate::case::Case;
use crate::case::record::{Record, RecordKey, Stored};
use crate::command::{Command, FireTimer, OnTicket};
use crate::desk::Desk;
use crate::event::{Event, StreamId, TimerKind};
use crate::id::{AgentId, CommandId, TenantId, TicketId};
use crate::routing::agent_index::AgentIndex;
use crate::routing::queue::QueueMode;
use crate::routing::stage::Selector;
use crate::routing::tests::index_desk::Draw;
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

const NOW: &str = "2026-06-01T12:00:00Z";

struct Scene {
    desk: Desk,
    roster: Roster,
    loaded: Loaded,
    ticket: TicketId,
}

fn scene(draw: &mut Draw) -> Scene {
    let mut queue = draw.queue();
    queue.stages.sort_by_key(|stage| stage.after_seconds);
    queue.mode = draw.of(&[QueueMode::Assign, QueueMode::Offer { timeout_seconds: 30 }]);
    let keys = |keys: &[&str]| keys.iter().map(|key| json!({"key": key})).collect::<Vec<_>>();
    let document = json!({
        "groups": keys(&["billing", "sales", "night", "nobody"]),
        "skills": keys(&["sql", "french", "law", "tax"]),
        "queues": [queue],
    });
    let desk = Desk::from_value(&document).unwrap_or_else(|faults| panic!("{}", faults[0]));
    let n_agents = draw.of(&[2, 12, 100]);
    let entries = (0..n_agents).map(|_| draw.entry());
    let roster = entries.filter(|entry| !entry.agent.groups.is_empty()).collect();
    let mut ticket = draw.ticket();
    ticket.queue = Some(queue.key);
    ticket.category = crate::ticket::status::StatusCategory::Open;
    let id = ticket.id;
    let stream = StreamId::case(id);
    let record = Record::Case(Box::new(Case::new(ticket)));
    let mut loaded = Loaded::default();
    loaded.add(&RecordKey::Stream(stream), Some(Stored { version: 3, record: record.clone() }));
    loaded.set_candidate(Stored { version: 3, record });
    Scene { desk, roster, loaded, ticket: id }
}

fn commands(scene: &Scene, draw: &mut Draw) -> Vec<Command> {
    let now: DateTime<Utc> = NOW.parse().unwrap();
    let fire = |stream, kind| Command::FireTimer(FireTimer { stream, kind, due_at: now });
    let agents: Vec<AgentId> = scene.roster.agents.keys().copied().collect();
    let mut commands = vec![
        Command::SeekAgent(OnTicket { ticket: scene.ticket }),
        fire(StreamId::case(scene.ticket), TimerKind::LookAgain),
    ];
    for agent in agents.iter().filter(|_| draw.once_in(3)) {
        commands.push(fire(StreamId::agent(*agent), TimerKind::Drain));
    }
    commands
}

fn decided(scene: &Scene, command: &Command, index: Option<&AgentIndex>) -> Decision {
    let actor = Actor::system(TenantId(Uuid::from_u128(1)), Capability::ActAsSystem);
    let context = Context {
        now: NOW.parse().unwrap(),
        command_id: CommandId(Uuid::from_u128(5)),
        actor: &actor,
        desk: &scene.desk,
        config_version: 1,
        roster: &scene.roster,
        index,
        number: None,
        language: None,
        predictions: &[],
        expected_version: None,
        file_bytes_max: None,
    };
    decide(&scene.loaded, command, &context).unwrap_or_else(|refused| panic!("{refused}"))
}

fn check(seed: u64) -> usize {
    let draw = &mut Draw(seed);
    let scene = scene(draw);
    let kept: Vec<Selector> = Selector::ALL.into_iter().filter(|_| draw.once_in(2)).collect();
    let index = AgentIndex::new(&scene.roster, kept);
    let mut n_given = 0;
    for command in commands(&scene, draw) {
        let without = decided(&scene, &command, None);
        let with = decided(&scene, &command, Some(&index));
        assert_eq!(with.events, without.events);
        assert_eq!(with.records, without.records);
        assert_eq!(with.expect, without.expect);
        assert_eq!(with.timers, without.timers);
        assert_eq!(with.effects, without.effects);
        let is_gift =
            |event: &Event| matches!(event, Event::Assigned { .. } | Event::Offered { .. });
        n_given += with.events.iter().filter(|entry| is_gift(&entry.event)).count();
    }
    n_given
}

#[test]
fn with_the_index_and_without_it_the_same_is_decided() {
    let config = ProptestConfig::with_cases(200);
    proptest!(config, |(seed in any::<u64>())| {
        check(seed);
    });
    // Somebody is given a ticket now and then, else nothing was shown.
    assert!((0..50).map(check).sum::<usize>() > 20);
}
