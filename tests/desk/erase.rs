//! Erasing a person: what is gone, what stays, and what is held of them until then.

use crate::kit::{Kit, Step, TENANT, at, mail, mail_with, note, reply, sender};
use crate::state;
use helpdesk::core::id::CommandId;
use helpdesk::core::query::TicketName;
use helpdesk::storage::blob::{self, MemoryBlobStore};
use helpdesk::storage::sqlite::Synchronous;
use helpdesk::storage::{EventQuery, EventSource, Store};
use helpdesk::{Call, FileName, MemoryStore, NewFile, SqliteOptions, SqliteStore, block_on};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

const AT: &str = "2026-11-20T09:00:00Z";
/// Later than files that were just put are left to the sweep.
const LATER: &str = "2026-11-22T10:00:00Z";
/// From where Zenobia votes.
const ADDRESS: &str = "203.0.113.77";

/// Words of the person, each in another place.
const WORDS: [&str; 13] = [
    "zwieback",
    "Zenobia",
    "zeno@privat.example",
    "+49170111222",
    "zebra",
    "zinnober",
    "zucchini",
    "zither",
    "ziegelstein",
    "zwetschge",
    "zeppelin",
    "zikade",
    ADDRESS,
];

/// A desk on which anna's neighbour Zenobia asked, answered, sent files and follows.
fn desk(store: Arc<dyn Store>) -> Kit {
    let config = json!({
        "fields": [
            {"key": "order", "name": "Order", "kind": {"type": "text"}},
            {"key": "hobby", "name": "Hobby", "kind": {"type": "text"}, "on": "contact"},
        ],
        "rules": [{"key": "z", "when": {"field": "text", "has_word": ["about"]}, "then": {"queue": "support"}}],
        "agents": {"amy": {"groups": ["support"]}, "ada": {"roles": ["admin"]}},
    });
    let mut kit = Kit::new(store.clone(), config);
    let engine = helpdesk::Helpdesk::builder()
        .with_shared_store(store)
        .with_blobs(MemoryBlobStore::default())
        .with_language_guessing(false)
        .build()
        .unwrap();
    kit.desk = engine.into();
    let file = put(&kit, "zeppelin.txt", "a file");
    let mut from = sender("zeno@privat.example");
    from["name"] = json!("Zenobia");
    let more = json!({"from": from, "html": "<b>zebra</b>", "attachments": [file],
        "custom": {"order": "zinnober"}, "external_id": "<zither@privat.example>"});
    kit.run(&[
        (AT, mail_with("zeno@privat.example", "About zwieback", "I like zucchini.", more)),
        (AT, mail("anna@acme.com", "Other", "nothing of theirs")),
        (AT, reply("amy", "#1", "We are on it.")),
        (AT, note("amy", "#1", "A patient one.")),
    ]);
    let zeno = json!({"type": "update_contact", "contact": "@zenobia", "patch": {
        "notes": "plays the zither", "custom": {"hobby": "ziegelstein"}, "tags": ["patient"],
        "add_identities": [{"kind": "phone", "value": "+49170111222"}]}});
    kit.execute("ada", zeno, at(AT)).unwrap();
    let follow = json!({"type": "add_follower", "ticket": "#2", "follower": {"type": "contact", "id": "@zenobia"}});
    kit.execute("ada", follow, at(AT)).unwrap();
    let search = json!({"type": "record_search", "session": Uuid::from_u128(5),
        "text": "zikade", "n_found": 0});
    let open = json!({"type": "open_ticket", "subject": "A third", "text": "And this.",
        "search_session": Uuid::from_u128(5)});
    let save = json!({"type": "save_article", "key": "bees", "language": "en", "title": "Bees",
        "body": "Many.", "visibility": "public"});
    let publish = json!({"type": "publish_article", "article": "@bees.en"});
    kit.run(&[
        (AT, reply("zenobia", "#2", "zwetschge, from the side")),
        (AT, Step::Do("zenobia", search)),
        (AT, Step::Do("zenobia", open)),
        (AT, Step::Do("amy", save)),
        (AT, Step::Do("ada", publish)),
    ]);
    let vote = json!({"type": "vote_article", "article": "@bees.en", "helpful": true});
    let call = Call::new(CommandId(Uuid::from_u128(78)), kit.command(vote));
    let mut actor = kit.actor("zenobia");
    actor.ip = Some(ADDRESS.parse().unwrap());
    kit.desk.execute(&actor, call, at(AT)).unwrap();
    kit
}

fn put(kit: &Kit, name: &str, text: &str) -> Value {
    let file = NewFile::new(name, "text/plain");
    let bytes = blob::of_bytes(text.to_owned());
    let actor = kit.actor("sys");
    let put = kit.desk.engine().put_file(&actor, file, bytes, at(AT));
    serde_json::to_value(block_on(put).unwrap()).unwrap()
}

fn erase(kit: &mut Kit) -> Value {
    let command = json!({"type": "erase_person", "contact": "@zenobia"});
    serde_json::to_value(kit.execute("ada", command, at(LATER)).unwrap()).unwrap()
}

/// Everything that the store says of the tenant, as text.
fn all(store: &dyn Store) -> String {
    let source = EventSource::News { after: 0, kinds: Vec::new() };
    let page = block_on(store.events(&EventQuery::new(TENANT, source, 1000))).unwrap();
    assert_eq!(page.next, None);
    format!("{:?} {}", state::dump(store, TENANT), serde_json::to_string(&page.rows).unwrap())
}

fn stands(text: &str) -> Vec<&'static str> {
    WORDS.into_iter().filter(|word| text.contains(word)).collect()
}

#[test]
fn nothing_that_an_erased_person_wrote_is_left() {
    let dir = tempfile::tempdir().unwrap();
    for store in
        [Arc::new(MemoryStore::default()) as Arc<dyn Store>, file_at(&dir.path().join("a.db"))]
    {
        let mut kit = desk(store.clone());
        assert_eq!(stands(&all(&*store)), WORDS, "the words stood there before");
        let outcome = erase(&mut kit);
        assert_eq!(outcome["each"].as_array().unwrap().len(), 3, "{outcome}");
        assert_eq!(stands(&all(&*store)), Vec::<&str>::new());
        // What others wrote and how things stood stays; the journal folds to what is stored.
        let left = all(&*store);
        for word in ["nothing of theirs", "We are on it.", "A patient one.", "patient", "Erased"] {
            assert!(left.contains(word), "{word}");
        }
        state::check_laws(&*store, TENANT);
        let sweep = block_on(kit.desk.engine().sweep_files(TENANT, at("2026-12-24T00:00:00Z")));
        assert_eq!(sweep.unwrap().n_removed, 0, "the file went with the person");
        // Once more does nothing.
        let again = erase(&mut kit);
        assert_eq!(again["events"], json!([]));
        state::check_laws(&*store, TENANT);
        // Under the old address they are somebody new.
        kit.run(&[(LATER, mail("zeno@privat.example", "Hello", "again"))]);
        state::check_laws(&*store, TENANT);
    }
}

fn file_at(path: &Path) -> Arc<dyn Store> {
    let options = SqliteOptions::default().with_synchronous(Synchronous::Off);
    Arc::new(SqliteStore::open(path, options).unwrap())
}

/// The bytes of a database: its file and its log.
fn bytes(path: &Path) -> Vec<u8> {
    let log = path.with_extension("db-wal");
    [std::fs::read(path).unwrap(), std::fs::read(log).unwrap_or_default()].concat()
}

fn in_bytes(bytes: &[u8]) -> Vec<&'static str> {
    let has = |word: &&str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    WORDS.into_iter().filter(has).collect()
}

#[test]
fn after_a_scrub_no_byte_of_an_erased_person_is_in_the_database_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desk.db");
    let mut kit = desk(file_at(&path));
    // The address stands among what is compressed.
    assert_eq!(in_bytes(&bytes(&path)), WORDS[..12], "the words stood there before");
    erase(&mut kit);
    assert!(!in_bytes(&bytes(&path)).is_empty(), "else the scrub proves nothing");
    block_on(kit.desk.engine().scrub()).unwrap();
    assert_eq!(in_bytes(&bytes(&path)), Vec::<&str>::new());
    state::check_laws(&*kit.store, TENANT);
}

#[test]
fn nothing_that_an_erased_person_wrote_is_left_on_postgresql() {
    let shared = crate::kit::Shared::postgres();
    let store = shared.open();
    let mut kit = desk(store.clone());
    assert_eq!(stands(&all(&*store)), WORDS);
    erase(&mut kit);
    block_on(kit.desk.engine().scrub()).unwrap();
    assert_eq!(stands(&all(&*store)), Vec::<&str>::new());
    state::check_laws(&*store, TENANT);
}

#[test]
fn a_dry_run_says_which_tickets_and_changes_nothing() {
    let mut kit = desk(Arc::new(MemoryStore::default()));
    let before = all(&*kit.store);
    let command = json!({"type": "erase_person", "contact": "@zenobia", "dry_run": true});
    let outcome = kit.execute("ada", command, at(LATER)).unwrap();
    assert_eq!((outcome.each.len(), outcome.events.len()), (3, 0));
    assert_eq!(all(&*kit.store), before);
}

#[test]
fn joined_contacts_are_one_person() {
    let mut kit = desk(Arc::new(MemoryStore::default()));
    kit.run(&[(AT, mail("zen@work.example", "Zen at zepter", "zepter"))]);
    let join = json!({"type": "join_contacts", "from": "@zen", "into": "@zenobia"});
    kit.execute("ada", join, at(AT)).unwrap();
    assert!(all(&*kit.store).contains("zepter"));
    erase(&mut kit);
    let left = all(&*kit.store);
    assert!(!left.contains("zepter") && !left.contains("zen@work"), "{left}");
    state::check_laws(&*kit.store, TENANT);
}

#[test]
fn whoever_was_joined_into_another_is_named_by_the_other() {
    let mut kit = desk(Arc::new(MemoryStore::default()));
    kit.run(&[(AT, mail("zen@work.example", "Zen", "zepter"))]);
    let join = json!({"type": "join_contacts", "from": "@zenobia", "into": "@zen"});
    kit.execute("ada", join, at(AT)).unwrap();
    let before = all(&*kit.store);
    let erase = json!({"type": "erase_person", "contact": "@zenobia"});
    let refused = kit.execute("ada", erase, at(LATER)).unwrap_err().body();
    assert_eq!((refused.code.as_str(), refused.path.as_deref()), ("merged", Some("contact")));
    let export = json!({"type": "export_person", "contact": "@zenobia"});
    assert_eq!(kit.ask("ada", export, at(LATER)).unwrap_err().code().as_str(), "merged");
    assert_eq!(all(&*kit.store), before);
}

#[test]
fn a_file_that_was_just_put_is_left_to_the_sweep() {
    let mut kit = desk(Arc::new(MemoryStore::default()));
    let soon = at("2026-11-20T10:00:00Z");
    // The same bytes for another ticket, which is about to name them.
    let file = put(&kit, "other.txt", "a file");
    let command = json!({"type": "erase_person", "contact": "@zenobia"});
    kit.execute("ada", command, soon).unwrap();
    let more = json!({"attachments": [file]});
    kit.run(&[(LATER, mail_with("anna@acme.com", "Mine", "See the file.", more))]);
    let engine = kit.desk.engine();
    block_on(engine.sweep_files(TENANT, at("2026-12-24T00:00:00Z"))).unwrap();
    let hash = file["sha256"].as_str().unwrap().to_owned();
    let ticket = TicketName::Number("HD-4".parse().unwrap());
    let name = FileName { ticket, seq: 1, sha256: hash, range: None };
    assert!(block_on(engine.open_file(&kit.actor("amy"), &name, at(LATER))).is_ok());
}

#[test]
fn who_only_follows_a_ticket_stands_on_it() {
    let mut kit = desk(Arc::new(MemoryStore::default()));
    kit.run(&[(AT, mail("carl@acme.com", "Mine", "Alone."))]);
    let follow = json!({"type": "add_follower", "ticket": "#1", "follower": {"type": "contact", "id": "@carl"}});
    kit.execute("ada", follow, at(AT)).unwrap();
    let export = json!({"type": "export_person", "contact": "@carl"});
    let held = serde_json::to_value(kit.ask("ada", export, at(AT)).unwrap()).unwrap();
    assert_eq!(held["tickets"].as_array().unwrap().len(), 2, "{held}");
}

#[test]
fn an_interrupted_erasure_goes_on_under_its_id() {
    let mut kit = desk(Arc::new(MemoryStore::default()));
    let command = json!({"type": "erase_person", "contact": "@zenobia"});
    let call = Call::new(CommandId(Uuid::from_u128(77)), kit.command(command));
    let actor = kit.actor("ada");
    kit.desk.execute(&actor, call.clone(), at(LATER)).unwrap();
    // As if what came after the contact had not happened: they write under its id.
    kit.run(&[(LATER, reply("zenobia", "#2", "zwetschge again"))]);
    kit.desk.execute(&actor, call, at(LATER)).unwrap();
    assert_eq!(stands(&all(&*kit.store)), Vec::<&str>::new());
    state::check_laws(&*kit.store, TENANT);
}

#[test]
fn only_who_may_erases_and_exports() {
    let mut kit = desk(Arc::new(MemoryStore::default()));
    let erase = json!({"type": "erase_person", "contact": "@zenobia"});
    let export = json!({"type": "export_person", "contact": "@zenobia"});
    for who in ["zenobia", "anna", "amy"] {
        let refused = kit.execute(who, erase.clone(), at(AT)).unwrap_err();
        assert_eq!(refused.code().as_str(), "forbidden", "{who}");
        let refused = kit.ask(who, export.clone(), at(AT)).unwrap_err();
        assert_eq!(refused.code().as_str(), "forbidden", "{who}");
    }
    let nobody = json!({"type": "erase_person", "contact": Uuid::from_u128(9)});
    let refused = kit.execute("ada", nobody, at(AT)).unwrap_err().body();
    assert_eq!((refused.code.as_str(), refused.path.as_deref()), ("not_found", Some("contact")));
}

#[test]
fn an_export_holds_all_that_is_held_of_a_person_and_nothing_of_others() {
    let mut kit = desk(Arc::new(MemoryStore::default()));
    let ask = |kit: &Kit| {
        let export = json!({"type": "export_person", "contact": "@zenobia"});
        serde_json::to_string(&kit.ask("ada", export, at(AT)).unwrap()).unwrap()
    };
    let held = ask(&kit);
    assert_eq!(stands(&held), WORDS);
    for word in ["We are on it.", "A patient one."] {
        assert!(held.contains(word), "{word}");
    }
    assert!(!held.contains("nothing of theirs"), "{held}");
    erase(&mut kit);
    assert_eq!(stands(&ask(&kit)), Vec::<&str>::new());
}
