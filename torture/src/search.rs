//! A process that indexes is killed at any moment, again and again on one folder; each time
//! the index must open and hold, whole, a round of changes no older than the last that was
//! said to be committed.
//!
//! Source: spec/search.md, "What it offers": crash at any point leaves an index that opens.

use crate::kill::{end, start_child, wait_for_more};
use crate::part::Setting;
use helpdesk::search::{ArticleIndex, ArticleQuery, Asker, Change, FullTextIndex, IndexOptions};
use helpdesk_core::article::Article;
use helpdesk_core::id::{ArticleId, Key, TenantId};
use helpdesk_storage::chaos::Dice;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;

/// The word that makes a process an indexing child.
pub const WORD: &str = "index";
/// Times that the process on one folder is killed.
const N_KILLS: u64 = 6;
/// When it is killed, in milliseconds after its start, or after the first round that it
/// said was committed.
const KILL_MILLIS: std::ops::Range<u64> = 1..150;
/// How many are killed that soon after their start: most of these still open the index.
const EARLY_PERCENT: u8 = 25;
/// Articles that are in every round, with the round in their titles.
const LASTING: u128 = 20;
/// How often a round is followed by a rebuild of the whole index.
const REBUILD_PERCENT: u8 = 15;
const TENANT: TenantId = TenantId(Uuid::from_u128(1));

/// Kills the process on an index; how many rounds it said were committed.
pub(crate) fn run(seed: u64, setting: &Setting) -> u64 {
    let mut dice = Dice::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let (index, ledger) = (folder.path().join("index"), folder.path().join("ledger"));
    let mut held = 0;
    for n in 0..N_KILLS {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let child_seed = seed.wrapping_mul(1_000_003).wrapping_add(n).to_string();
        let child =
            start_child(setting, &[WORD.to_owned(), text(&index), text(&ledger), child_seed]);
        if !dice.percent(EARLY_PERCENT) {
            wait_for_more(&ledger);
        }
        let millis = KILL_MILLIS.start + dice.below(KILL_MILLIS.end - KILL_MILLIS.start);
        std::thread::sleep(Duration::from_millis(millis));
        end(child);
        let acked = acked(&ledger);
        let now = check(&index);
        assert!(now >= acked, "round {acked} was committed, and the index holds round {now}");
        assert!(now >= held, "the index held round {held}, and holds round {now} later");
        held = now;
    }
    held
}

/// The last round that a child said was committed; 0 for none.
fn acked(ledger: &Path) -> u64 {
    let text = std::fs::read_to_string(ledger).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().last().map_or(0, |line| line.parse().unwrap())
}

/// Commits round after round until the process is killed, and says so after each.
pub fn work(words: &[String]) -> ! {
    let [folder, ledger, seed] = words else {
        panic!("an index wants a folder, a ledger and a seed: {words:?}")
    };
    let mut dice = Dice::new(seed.parse().unwrap());
    let mut ledger = OpenOptions::new().create(true).append(true).open(ledger).unwrap();
    let index = open(Path::new(folder));
    let mut round = index.status().reached.get(&TENANT).copied().unwrap_or_default();
    loop {
        round += 1;
        for change in changes(round) {
            index.apply(&[change]).unwrap();
        }
        index.commit().unwrap();
        writeln!(ledger, "{round}").unwrap();
        if dice.percent(REBUILD_PERCENT) {
            let all = articles(round).into_iter().map(|article| (TENANT, article));
            index.rebuild(all, |_| ()).unwrap();
        }
    }
}

fn open(folder: &Path) -> FullTextIndex {
    // Only whole rounds are committed.
    let options = IndexOptions::default().with_window(Duration::from_secs(3600));
    FullTextIndex::open(folder, &options).unwrap()
}

/// What a round changes: all articles are written anew, and the one that only the round
/// before had goes.
fn changes(round: u64) -> Vec<Change> {
    let mut changes: Vec<Change> =
        articles(round).into_iter().map(|article| Change::Upsert(TENANT, article)).collect();
    changes.push(Change::Delete(TENANT, passing(round - 1)));
    changes.push(Change::Reached(TENANT, round));
    changes
}

/// The article that is in this round only.
fn passing(round: u64) -> ArticleId {
    ArticleId(Uuid::from_u128(1_000 + u128::from(round)))
}

fn articles(round: u64) -> Vec<Article> {
    let key = Key::new("page").unwrap();
    let lasting = (0..LASTING).map(|n| ArticleId(Uuid::from_u128(n)));
    let article = |id| {
        Article::published(
            id,
            key.clone(),
            "en",
            format!("round{round} of all"),
            "It was written again and again. ".repeat(50),
        )
    };
    lasting.chain([passing(round)]).map(article).collect()
}

/// The round that the index holds, which it must hold whole.
fn check(folder: &Path) -> u64 {
    let index = open(folder);
    let round = index.status().reached.get(&TENANT).copied().unwrap_or_default();
    let found = |text: String| {
        let query = ArticleQuery::new(TENANT, Asker::Agent, text).with_page(0, 0);
        index.search(&query).unwrap().total
    };
    let n_articles = index.n_articles(TENANT, &Asker::Agent).unwrap();
    let expected = if round == 0 { 0 } else { LASTING as usize + 1 };
    let n_found = found(format!("round{round}"));
    assert!(
        n_articles == expected && n_found == expected,
        "round {round} has {expected} articles, and the index {n_articles}, {n_found} of that round"
    );
    round
}
