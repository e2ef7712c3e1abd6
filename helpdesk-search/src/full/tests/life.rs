//! Opening, closing, rebuilding.

use super::*;
use std::fs;
use tempfile::TempDir;

fn upsert(n: u128, title: &str) -> Change {
    Change::Upsert(tenant(1), article(n, "en", title, ""))
}

fn found(index: &FullTextIndex, text: &str) -> Vec<u128> {
    ids(&ask(index, Asker::Agent, text))
}

#[test]
fn what_was_committed_is_there_after_the_index_is_opened_again() {
    let folder = TempDir::new().unwrap();
    {
        let index = FullTextIndex::open(folder.path(), &patient()).unwrap();
        index
            .apply(&[upsert(1, "Refund"), upsert(2, "Shipping"), Change::Reached(tenant(1), 7)])
            .unwrap();
        assert_eq!(index.commit().unwrap(), 3);
        assert!(matches!(FullTextIndex::open(folder.path(), &patient()), Err(SearchError::Locked)));
    }
    let index = FullTextIndex::open(folder.path(), &patient()).unwrap();
    let status = index.status();
    assert_eq!(
        (status.visible, status.reached, status.n_documents),
        (3, [(tenant(1), 7)].into(), 2)
    );
    assert_eq!(status.stale, None);
    assert_eq!(found(&index, "refunds"), [1]);
    assert_eq!(index.apply(&[upsert(3, "Refunds")]).unwrap(), 4);
    assert_eq!(index.status().visible, 3);
    drop(index);
    let index = FullTextIndex::open(folder.path(), &patient()).unwrap();
    assert_eq!(found(&index, "refund"), [1, 3]);
}

#[test]
fn a_folder_with_other_things_is_left_alone() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("letter.txt"), "dear").unwrap();
    let opened = FullTextIndex::open(folder.path(), &patient());
    assert!(matches!(opened, Err(SearchError::Format { .. })));
    assert!(folder.path().join("letter.txt").exists());
}

#[test]
fn a_rebuilt_index_takes_over_what_came_meanwhile() {
    let folder = TempDir::new().unwrap();
    let index = FullTextIndex::open(folder.path(), &patient()).unwrap();
    index
        .apply(&[upsert(1, "Refund"), upsert(2, "Refund"), Change::Reached(tenant(1), 5)])
        .unwrap();
    index.commit().unwrap();
    let articles = (1..=3).map(|n| {
        if n == 3 {
            // Comes while the rebuild runs: the old index answers, the new one has it too.
            index
                .apply(&[
                    upsert(9, "Refund"),
                    Change::Delete(tenant(1), ArticleId(Uuid::from_u128(1))),
                ])
                .unwrap();
            assert_eq!(found(&index, "refund"), [1, 2]);
            assert!(index.status().is_rebuilding);
            assert!(matches!(index.rebuild([], |_| ()), Err(SearchError::Rebuilding)));
        }
        (tenant(1), article(n, "en", "Refund", ""))
    });
    let mut progress = Vec::new();
    let seq = index.rebuild(articles, |n| progress.push(n)).unwrap();
    assert_eq!((seq, progress), (5, vec![3]));
    assert_eq!(found(&index, "refund"), [2, 3, 9]);
    let status = index.status();
    assert_eq!(
        (status.visible, status.reached, status.is_rebuilding),
        (5, [(tenant(1), 5)].into(), false)
    );
    drop(index);
    let folders = fs::read_dir(folder.path()).unwrap().flatten();
    let mut names: Vec<String> =
        folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(names, ["current", "index-2"]);
    let index = FullTextIndex::open(folder.path(), &patient()).unwrap();
    assert_eq!(found(&index, "refund"), [2, 3, 9]);
}

#[test]
fn an_index_of_another_analyzer_says_so_and_still_answers() {
    let folder = TempDir::new().unwrap();
    let index = FullTextIndex::open(folder.path(), &patient()).unwrap();
    index.apply(&[upsert(1, "Refund")]).unwrap();
    index.commit().unwrap();
    drop(index);
    let meta = folder.path().join("index-1").join("meta.json");
    let text = fs::read_to_string(&meta).unwrap();
    assert!(text.contains("en:snowball-english/1.1"));
    fs::write(&meta, text.replace("en:snowball-english/1.1", "en:snowball-english/1.0")).unwrap();
    let index = FullTextIndex::open(folder.path(), &patient()).unwrap();
    let stale = index.status().stale.unwrap();
    assert_eq!(stale, "its analyzer is `en:snowball-english/1.0`, not `en:snowball-english/1.1`");
    assert_eq!(found(&index, "refund"), [1]);
    index.rebuild([(tenant(1), article(1, "en", "Refund", ""))], |_| ()).unwrap();
    assert_eq!(index.status().stale, None);
}

#[test]
fn a_rebuild_that_did_not_end_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let index = FullTextIndex::open(folder.path(), &patient()).unwrap();
    index.apply(&[upsert(1, "Refund")]).unwrap();
    drop(index);
    fs::create_dir(folder.path().join("index-2")).unwrap();
    fs::write(folder.path().join("index-2").join("half"), "x").unwrap();
    let index = FullTextIndex::open(folder.path(), &patient()).unwrap();
    assert_eq!(found(&index, "refund"), [1]);
    assert!(!folder.path().join("index-2").exists());
}
