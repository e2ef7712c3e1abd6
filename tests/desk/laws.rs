//! Laws over random scripts.

use crate::faulty::Faulty;
use crate::kit::{Kit, TENANT, sqlite, without_agents};
use crate::script::{self, scripts};
use crate::state;
use chrono::TimeDelta;
use helpdesk::MemoryStore;
use helpdesk::core::access::permission::Permission;
use helpdesk::core::access::role::{self, AccessContext};
use helpdesk::core::agent::Agent;
use helpdesk::core::case::record::Record;
use helpdesk::core::desk::Desk;
use helpdesk::core::event::StreamKind;
use helpdesk::core::id::AgentId;
use helpdesk::core::ticket::Ticket;
use helpdesk::storage::ListKind;
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

fn cases(n: u32) -> Config {
    Config { cases: n, failure_persistence: None, max_shrink_iters: 60, ..Config::default() }
}

fn in_memory(config: Value) -> Kit {
    Kit::new(Arc::new(MemoryStore::default()), config)
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn the_same_script_does_the_same_everywhere(script in scripts(60)) {
        let mut first = in_memory(script::desk());
        let (lines, _) = script::run(&mut first, &script);
        let mut again = in_memory(script::desk());
        prop_assert_eq!(&lines, &script::run(&mut again, &script).0);
        let mut on_sqlite = Kit::new(Arc::new(sqlite()), script::desk());
        prop_assert_eq!(&lines, &script::run(&mut on_sqlite, &script).0);
        state::assert_same(&*first.store, &*again.store, TENANT);
        state::assert_same(&*first.store, &*on_sqlite.store, TENANT);
        for kit in [&first, &on_sqlite] {
            state::check_laws(&*kit.store, TENANT);
            check_scopes(kit);
        }
    }

    #[test]
    fn what_is_committed_together_does_what_it_does_alone(script in scripts(60)) {
        let mut together = in_memory(script::desk());
        let (lines, now) = script::run(&mut together, &script);
        let store = Faulty::new(Arc::new(MemoryStore::default()));
        let mut alone = Kit::new(store.clone(), script::desk());
        store.faults().is_never_together = true;
        prop_assert_eq!(&lines, &script::run(&mut alone, &script).0);
        for kit in [&together, &alone] {
            kit.desk.tick(now + TimeDelta::hours(3), 10_000).unwrap();
        }
        state::assert_same(&*together.store, &*alone.store, TENANT);
        state::check_laws(&*together.store, TENANT);
    }

    #[test]
    fn one_big_tick_is_many_small_ones(script in scripts(40)) {
        let mut big = in_memory(script::desk());
        let (_, now) = script::run(&mut big, &script);
        let mut small = in_memory(script::desk());
        script::run(&mut small, &script);
        let end = now + TimeDelta::hours(3);
        big.desk.tick(end, 10_000).unwrap();
        let mut at = now;
        while at < end {
            at += TimeDelta::seconds(41);
            small.desk.tick(at.min(end), 10_000).unwrap();
        }
        state::assert_same(&*big.store, &*small.store, TENANT);
        state::check_laws(&*big.store, TENANT);
        let desk = Desk::from_value(&without_agents(script::desk())).unwrap();
        state::check_nobody_waits_in_vain(&*big.store, TENANT, &desk, end);
    }

    #[test]
    fn ticks_between_commands_change_nothing_for_a_tickets_clocks_and_escalation(
        script in scripts(40), seconds in 20..2_000i64,
    ) {
        let script = script::of_tickets(script);
        let mut late = in_memory(script::pull_desk());
        let (lines, now) = script::run_as_admins(&mut late, &script, None);
        let mut often = in_memory(script::pull_desk());
        let every = Some(TimeDelta::seconds(seconds));
        prop_assert_eq!(lines, script::run_as_admins(&mut often, &script, every).0);
        let end = now + TimeDelta::hours(3);
        for kit in [&late, &often] {
            kit.desk.tick(end, 10_000).unwrap();
            state::check_laws(&*kit.store, TENANT);
        }
        state::assert_same_tickets(&*late.store, &*often.store, TENANT);
    }

    #[test]
    fn the_order_in_which_agents_were_created_does_not_matter(script in scripts(30)) {
        let mut forward = in_memory(script::desk());
        let backward = Kit::bare(Arc::new(MemoryStore::default()));
        let mut backward = created_backward(backward);
        let lines = script::run(&mut forward, &script).0;
        prop_assert_eq!(lines, script::run(&mut backward, &script).0);
    }
}

/// The same desk, its agents created last to first under the same ids.
fn created_backward(mut kit: Kit) -> Kit {
    let mut config = script::desk();
    let agents = config.as_object_mut().unwrap().remove("agents").unwrap();
    kit.configure(config);
    let now = crate::kit::at("2026-11-20T08:00:00Z");
    let agents: Vec<(usize, (&String, &Value))> =
        agents.as_object().unwrap().iter().enumerate().collect();
    for (i, (name, agent)) in agents.into_iter().rev() {
        let mut agent = agent.clone();
        let online = agent.as_object_mut().unwrap().remove("online");
        let id = uuid::Uuid::from_u128(0xA000 + i as u128);
        crate::kit::merge(&mut agent, json!({"type": "create_agent", "id": id, "name": name}));
        kit.execute("sys", agent, now).unwrap();
        if online.is_some() {
            let set = json!({"type": "set_presence", "agent": id, "status": "online"});
            kit.execute("sys", set, now).unwrap();
        }
    }
    kit
}

fn agents(kit: &Kit) -> BTreeMap<AgentId, Agent> {
    let rows = state::list(&*kit.store, TENANT, ListKind::Things(StreamKind::Agent)).into_iter();
    rows.filter_map(|stored| match stored.record {
        Record::Agent(agent) => Some((agent.id, *agent)),
        _ => None,
    })
    .collect()
}

/// Lists, counts and boards hold what the scope permits, and nothing else.
fn check_scopes(kit: &Kit) {
    let now = script::start();
    let desk = Desk::from_value(&without_agents(script::desk())).unwrap();
    let agents = agents(kit);
    let tickets: Vec<Ticket> =
        state::cases(&*kit.store, TENANT).into_iter().map(|c| c.ticket).collect();
    for who in
        ["anna", "bob", "carl", "amy", "ben", "cat", "lea", "light_agent:amy", "admin:cat", "sys"]
    {
        if !kit.names.knows(who.rsplit(':').next().unwrap()) && who != "sys" {
            continue;
        }
        let actor = kit.actor(who);
        let agent = actor.agent_id().and_then(|id| agents.get(&id));
        let context = AccessContext { roles: desk.roles(), agent, shares: false };
        let scope = role::scope(&actor, Permission::Read, &context);
        let live = tickets.iter().filter(|ticket| ticket.is_live() && scope.permits(ticket));
        let mut expected: Vec<String> = live.map(|ticket| ticket.number.to_string()).collect();
        expected.sort();
        let list = kit.ask(who, json!({"type": "list_tickets", "limit": 1000}), now).unwrap();
        let list = serde_json::to_value(list).unwrap();
        let mut listed: Vec<String> = list["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["number"].as_str().unwrap().to_owned())
            .collect();
        listed.sort();
        assert_eq!(listed, expected, "{who}");
        let count = kit.ask(who, json!({"type": "count_tickets"}), now).unwrap();
        assert_eq!(serde_json::to_value(count).unwrap()["n"], json!(expected.len()), "{who}");
        let board =
            serde_json::to_value(kit.ask(who, json!({"type": "board"}), now).unwrap()).unwrap();
        let n: u64 =
            board.as_array().unwrap().iter().map(|column| column["n"].as_u64().unwrap()).sum();
        assert_eq!(n, expected.len() as u64, "{who}");
    }
}
