//! Commands in a transaction of the host's: with its rows or not at all, on SQLite and PostgreSQL.

use crate::kit::{Kit, TENANT, at, sender, without_agents};
use crate::state;
use helpdesk::blocking::{Helpdesk, block_on};
use helpdesk::core::actor::Actor;
use helpdesk::core::command::Command;
use helpdesk::core::event::Event;
use helpdesk::core::fault::Code;
use helpdesk::core::id::{AgentId, CommandId};
use helpdesk::storage::postgres::{self, PostgresOptions, PostgresStore, tokio_postgres};
use helpdesk::storage::sqlite::rusqlite::{Connection, TransactionBehavior};
use helpdesk::storage::sqlite::{self, SqliteOptions, SqliteStore, Synchronous};
use helpdesk::storage::{ChangeSet, Committed, Result as StoreResult, Store, StoreError};
use helpdesk::{Call, Outcome};
use helpdesk_test_support::postgres as test_server;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use uuid::Uuid;

const AT: &str = "2026-11-20T09:00:00Z";

/// A host with a table of orders beside the desk's.
trait Host {
    fn store(&self) -> Arc<dyn Store>;
    /// Writes an order and commits the change set with it; ends as told, or at the first error.
    fn order(&mut self, set: &ChangeSet, is_kept: bool) -> StoreResult<Committed>;
    fn n_orders(&mut self) -> i64;
}

struct OnSqlite {
    _folder: TempDir,
    path: PathBuf,
    conn: Connection,
}

impl OnSqlite {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch("CREATE TABLE shop_order (id INTEGER)").unwrap();
        Self { _folder: folder, path, conn }
    }
}

impl Host for OnSqlite {
    fn store(&self) -> Arc<dyn Store> {
        let options = SqliteOptions::default().with_synchronous(Synchronous::Off);
        Arc::new(SqliteStore::open(&self.path, options).unwrap())
    }

    fn order(&mut self, set: &ChangeSet, is_kept: bool) -> StoreResult<Committed> {
        let behavior = TransactionBehavior::Immediate;
        let tx = self.conn.transaction_with_behavior(behavior).unwrap();
        tx.execute("INSERT INTO shop_order (id) VALUES (1)", []).unwrap();
        let committed = sqlite::in_tx(&tx).commit(set)?;
        match is_kept {
            true => tx.commit().unwrap(),
            false => tx.rollback().unwrap(),
        }
        Ok(committed)
    }

    fn n_orders(&mut self) -> i64 {
        self.conn.query_row("SELECT count(*) FROM shop_order", [], |row| row.get(0)).unwrap()
    }
}

struct OnPostgres {
    address: String,
    options: PostgresOptions,
    runtime: tokio::runtime::Runtime,
    client: tokio_postgres::Client,
}

impl OnPostgres {
    fn new() -> Self {
        let (address, schema) = (test_server::shared().unwrap(), test_server::fresh_schema());
        let options = PostgresOptions::default().with_schema(&schema).unwrap().with_connections(4);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (client, connection) =
            runtime.block_on(tokio_postgres::connect(&address, tokio_postgres::NoTls)).unwrap();
        runtime.spawn(connection);
        let create = format!(
            "CREATE SCHEMA IF NOT EXISTS {schema}; CREATE TABLE {schema}.shop_order (id integer)"
        );
        runtime.block_on(client.batch_execute(&create)).unwrap();
        Self { address, options, runtime, client }
    }
}

impl Host for OnPostgres {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(block_on(PostgresStore::open(&self.address, self.options.clone())).unwrap())
    }

    fn order(&mut self, set: &ChangeSet, is_kept: bool) -> StoreResult<Committed> {
        let Self { options, runtime, client, .. } = self;
        let insert = format!("INSERT INTO {}.shop_order (id) VALUES (1)", options.schema());
        runtime.block_on(async {
            let tx = client.transaction().await.unwrap();
            tx.batch_execute(&insert).await.unwrap();
            let committed = postgres::in_tx(&tx).with_options(options).commit(set).await?;
            match is_kept {
                true => tx.commit().await.unwrap(),
                false => tx.rollback().await.unwrap(),
            }
            Ok(committed)
        })
    }

    fn n_orders(&mut self) -> i64 {
        let sql = format!("SELECT count(*) FROM {}.shop_order", self.options.schema());
        self.runtime.block_on(self.client.query_one(&sql, &[])).unwrap().get(0)
    }
}

/// Two agents with room for one ticket each, of whom the one with less work is given it.
fn config() -> Value {
    let agent = json!({"groups": ["support"], "capacity": {"total": 1}, "online": true});
    json!({
        "groups": [{"key": "support"}],
        "queues": [{
            "key": "all", "group": "support", "mode": {"type": "assign"},
            "stages": [{"selector": "least_loaded"}],
        }],
        "rules": [{"key": "all", "when": {"field": "subject", "is": "Order"}, "then": {"queue": "all"}}],
        "agents": {"amy": agent, "ben": agent},
    })
}

fn on_both(check: impl Fn(&mut dyn Host, Kit)) {
    let hosts: [Box<dyn Host>; 2] = [Box::new(OnSqlite::new()), Box::new(OnPostgres::new())];
    for mut host in hosts {
        let kit = Kit::new(host.store(), config());
        check(&mut *host, kit);
    }
}

fn call(n: u128, command: Value) -> Call {
    let command: Command = serde_json::from_value(command).unwrap();
    Call::new(CommandId(Uuid::from_u128(n)), command)
}

fn order(n: u128) -> Call {
    call(
        n,
        json!({
            "type": "receive", "channel": "form", "external_id": format!("order-{n}"),
            "from": sender("anna@acme.com"), "subject": "Order", "text": "Check it by hand.",
        }),
    )
}

/// Prepares and commits until no race is lost.
fn place(host: &mut dyn Host, desk: &Helpdesk, actor: &Actor, call: &Call) -> Outcome {
    for _ in 0..3 {
        let prepared = desk.prepare(actor, call.clone(), at(AT)).unwrap();
        match host.order(prepared.change_set(), true) {
            Ok(committed) => return prepared.into_outcome(&committed).unwrap(),
            Err(error) => assert!(error.is_lost_race(), "{error:?}"),
        }
    }
    panic!("races are lost for ever")
}

fn assignee(outcome: &Outcome) -> Option<AgentId> {
    outcome.events.iter().find_map(|event| match &event.event {
        Event::Assigned { agent, .. } => Some(*agent),
        _ => None,
    })
}

#[test]
fn a_ticket_is_opened_with_the_hosts_rows_by_all_rules_of_the_desk() {
    on_both(|host, kit| {
        let sys = kit.actor("sys");
        let prepared = kit.desk.prepare(&sys, order(1), at(AT)).unwrap();
        assert!(!prepared.is_replayed());
        assert_eq!(state::cases(&*kit.store, TENANT).len(), 0, "nothing is done yet");
        let committed = host.order(prepared.change_set(), true).unwrap();
        let outcome = prepared.into_outcome(&committed).unwrap();
        let [case] = &state::cases(&*kit.store, TENANT)[..] else { panic!("one ticket") };
        assert_eq!(outcome.made.ticket, Some(case.ticket.id));
        assert_eq!(outcome.made.number.as_ref(), Some(&case.ticket.number));
        assert_eq!(outcome.version, Some(outcome.events.len() as u64 - 1), "one is the contact's");
        assert_eq!((assignee(&outcome), host.n_orders()), (case.ticket.assignee, 1));
        assert!(case.ticket.assignee.is_some());
        // The engine goes on from there: who has work is known, and what the outbox holds.
        let second = kit.desk.execute(&sys, order(2), at(AT)).unwrap();
        assert!(assignee(&second).is_some_and(|agent| Some(agent) != case.ticket.assignee));
        assert!(kit.desk.deliver(at(AT), 100).unwrap().delivered > 0);
        state::check_laws(&*kit.store, TENANT);
    });
}

#[test]
fn what_the_host_rolls_back_or_drops_never_was() {
    on_both(|host, kit| {
        let sys = kit.actor("sys");
        let before = state::dump(&*kit.store, TENANT);
        let prepared = kit.desk.prepare(&sys, order(1), at(AT)).unwrap();
        host.order(prepared.change_set(), false).unwrap();
        drop(kit.desk.prepare(&sys, order(1), at(AT)).unwrap());
        assert_eq!((state::dump(&*kit.store, TENANT), host.n_orders()), (before, 0));
        // Nothing of it is remembered: both agents are free, the id is unused.
        for n in [1, 2] {
            let outcome = kit.desk.execute(&sys, order(n), at(AT)).unwrap();
            assert!(!outcome.replayed && assignee(&outcome).is_some());
        }
        assert_eq!(assignee(&kit.desk.execute(&sys, order(3), at(AT)).unwrap()), None);
        state::check_laws(&*kit.store, TENANT);
    });
}

#[test]
fn what_changed_meanwhile_is_a_lost_race_and_is_prepared_again() {
    on_both(|host, kit| {
        let sys = kit.actor("sys");
        let prepared = kit.desk.prepare(&sys, order(1), at(AT)).unwrap();
        // Another engine gives the agent who was free something else.
        let other = Kit::bare(host.store());
        let first = other.desk.execute(&sys, order(2), at(AT)).unwrap();
        let error = host.order(prepared.change_set(), true).unwrap_err();
        assert!(matches!(error, StoreError::Conflict(_)), "{error:?}");
        assert_eq!(host.n_orders(), 0);
        let outcome = place(host, &kit.desk, &sys, &order(1));
        assert_ne!(assignee(&outcome), assignee(&first), "whose load the engine learnt");
        // A configuration that the engine does not know yet is a race too.
        let mut document = without_agents(config());
        document["name"] = json!("Acme");
        let apply = call(9, json!({"type": "apply_config", "document": document}));
        other.desk.execute(&sys, apply, at(AT)).unwrap();
        assert_eq!(assignee(&place(host, &kit.desk, &sys, &order(3))), None, "nobody has room");
        assert_eq!(host.n_orders(), 2);
        state::check_laws(&*kit.store, TENANT);
    });
}

#[test]
fn a_command_that_was_done_is_not_done_again() {
    on_both(|host, kit| {
        let sys = kit.actor("sys");
        // Prepared twice before it is done: the second commit finds the first.
        let late = kit.desk.prepare(&sys, order(1), at(AT)).unwrap();
        let first = place(host, &kit.desk, &sys, &order(1));
        let committed = host.order(late.change_set(), true).unwrap();
        let outcome = late.into_outcome(&committed).unwrap();
        assert_eq!((&outcome.made, outcome.version), (&first.made, first.version));
        assert!(outcome.replayed && !first.replayed);
        // Prepared after it was done, by either way.
        let again = kit.desk.prepare(&sys, order(1), at(AT)).unwrap();
        assert!(again.is_replayed());
        let committed = host.order(again.change_set(), true).unwrap();
        let outcome = again.into_outcome(&committed).unwrap();
        assert_eq!((&outcome.made, &outcome.events), (&first.made, &first.events));
        assert_eq!(outcome.version, first.version);
        assert!(kit.desk.execute(&sys, order(1), at(AT)).unwrap().replayed);
        let other = json!({"type": "add_note", "ticket": first.made.ticket, "text": "n"});
        let error = kit.desk.prepare(&sys, call(1, other), at(AT)).unwrap_err();
        assert_eq!(error.code(), Code::CommandIdReused);
        assert_eq!(state::cases(&*kit.store, TENANT).len(), 1);
        state::check_laws(&*kit.store, TENANT);
    });
}

#[test]
fn the_next_command_and_query_see_what_the_host_committed() {
    on_both(|host, kit| {
        let sys = kit.actor("sys");
        let first = place(host, &kit.desk, &sys, &order(1));
        let second = place(host, &kit.desk, &sys, &order(2));
        let (one, two) = (assignee(&first).unwrap(), assignee(&second).unwrap());
        assert_ne!(one, two, "both have room for one");
        assert_eq!(assignee(&place(host, &kit.desk, &sys, &order(3))), None);
        // The host's commit frees the first, who is given the ticket that waits.
        let agent = Actor::agent(TENANT, one);
        let solve = call(4, json!({"type": "solve", "ticket": first.made.ticket}));
        place(host, &kit.desk, &agent, &solve);
        let query = json!({"type": "get_ticket", "ticket": {"id": first.made.ticket}});
        let answer = serde_json::to_value(kit.ask("sys", query, at(AT)).unwrap()).unwrap();
        assert_eq!(answer["status"], "solved", "{answer}");
        kit.desk.tick(at(AT), 100).unwrap();
        let waiting = state::cases(&*kit.store, TENANT).into_iter();
        let n_waiting = waiting.filter(|case| case.ticket.assignee.is_none()).count();
        assert_eq!(n_waiting, 0);
        // So does one that an engine executes, whose room was made by a host's commit.
        let solve = call(5, json!({"type": "solve", "ticket": second.made.ticket}));
        place(host, &kit.desk, &Actor::agent(TENANT, two), &solve);
        let next = kit.desk.execute(&sys, order(6), at(AT)).unwrap();
        assert_eq!(assignee(&next), Some(two));
        state::check_laws(&*kit.store, TENANT);
    });
}

#[test]
fn commands_of_many_commits_are_not_prepared() {
    on_both(|_, kit| {
        let sys = kit.actor("sys");
        let commands = [
            json!({"type": "rebalance"}),
            json!({"type": "erase_person", "contact": Uuid::from_u128(7)}),
            json!({"type": "apply_changes_to_many", "tickets": [], "changes": []}),
        ];
        for command in commands {
            let error = kit.desk.prepare(&sys, call(1, command), at(AT)).unwrap_err();
            assert_eq!(error.code(), Code::Invalid);
        }
    });
}
