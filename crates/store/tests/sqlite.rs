//! What only a database in a file can suffer: other programs, damage, a full disk, a locked file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use atelier_engine::Timestamp;
use atelier_store::{
    Database, NewItem, NewJob, SqliteDatabase, Statement, Store, StoreError, StoreOptions, Value, Written,
};
use rusqlite::Connection;
use tempfile::TempDir;

const AT_ONCE: StoreOptions = StoreOptions { busy_timeout: Duration::ZERO, clock: None };

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn job(name: &str, items: usize, bytes: usize) -> NewJob {
    let payload: Arc<str> = "x".repeat(bytes).into();
    let item = |key: usize| NewItem { key: key.to_string(), lane: "lane".into(), payload: Arc::clone(&payload) };
    NewJob {
        id: name.into(),
        kind: "test".into(),
        settings: serde_json::Value::Null,
        items: (0..items).map(item).collect(),
        claims: Vec::new(),
        created_at: Timestamp::default(),
    }
}

async fn item_count(store: &Store, job: &str) -> Option<u64> {
    store.job(job).await.unwrap().map(|job| job.counts.items)
}

#[test]
fn the_folder_is_made_and_is_readable_by_its_user_only() {
    let parent = folder();
    let dir = parent.path().join("a/b");
    let store = Store::open(&dir).unwrap();
    assert_eq!(store.dir(), dir);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    assert_eq!(mode(&dir.join("atelier.db")), 0o600);
    assert_eq!(mode(&dir.join("atelier.db-wal")), 0o600);
}

#[tokio::test]
async fn a_commit_is_on_the_disk_before_it_is_reported() {
    let dir = folder();
    let database = SqliteDatabase::open(&dir.path().join("atelier.db"), Duration::ZERO, None).unwrap();
    let setting = async |sql: &'static str| {
        let written = database.write(vec![Statement::new(sql)]).await.unwrap();
        let Written::Done(mut effects) = written else { panic!("{written:?}") };
        effects.remove(0).rows.remove(0).0.remove(0)
    };
    assert_eq!(setting("PRAGMA synchronous").await, Value::Integer(2), "FULL");
    assert_eq!(setting("PRAGMA journal_mode").await, "wal".into());
    assert_eq!(setting("PRAGMA foreign_keys").await, true.into());
}

#[tokio::test]
async fn many_may_open_an_empty_folder_at_the_same_time() {
    let dir = folder();
    let open = || {
        std::thread::spawn({
            let dir = dir.path().to_owned();
            move || Store::open(&dir)
        })
    };
    let opening: Vec<_> = (0..8).map(|_| open()).collect();
    let stores: Vec<Store> = opening.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect();
    for (number, store) in stores.iter().enumerate() {
        store.create_job(job(&format!("job-{number}"), 1, 1)).await.unwrap();
    }
    assert_eq!(item_count(&stores[0], "job-7").await, Some(1));
}

#[test]
fn a_database_of_a_newer_program_is_refused_and_left_as_it_is() {
    let dir = folder();
    drop(Store::open(dir.path()).unwrap());
    let connection = Connection::open(dir.path().join("atelier.db")).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(dir.path()).err().unwrap();
    assert_eq!(error.code(), "database-newer");
    assert!(error.to_string().contains("its schema is number 99"), "{error}");
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 99);
}

#[test]
fn a_file_of_another_kind_is_refused_and_left_as_it_is() {
    let dir = folder();
    let file = dir.path().join("atelier.db");
    std::fs::write(&file, "these are notes and no database at all\n".repeat(50)).unwrap();
    let error = Store::open(dir.path()).err().unwrap();
    assert_eq!(error.code(), "database-corrupt");
    assert!(error.hint().contains("backup"), "{}", error.hint());
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("these are notes"));

    std::fs::remove_file(&file).unwrap();
    let connection = Connection::open(&file).unwrap();
    connection.execute_batch("CREATE TABLE birds (name TEXT)").unwrap();
    let error = Store::open(dir.path()).err().unwrap();
    assert!(matches!(&error, StoreError::Corrupt { detail, .. } if detail.contains("another program")), "{error}");
}

#[tokio::test]
async fn a_damaged_file_is_an_error_wherever_it_is_damaged() {
    let dir = folder();
    let store = Store::open(dir.path()).unwrap();
    store.create_job(job("a", 200, 1_000)).await.unwrap();
    store.backup(&dir.path().join("good.db")).await.unwrap();
    drop(store);
    let good = std::fs::read(dir.path().join("good.db")).unwrap();
    assert!(good.len() > 200_000);

    let mut found = 0;
    for page in (1..good.len() / 4096).step_by(5) {
        let dir = folder();
        let mut bad = good.clone();
        bad[page * 4096..(page + 1) * 4096].fill(0xa5);
        std::fs::write(dir.path().join("atelier.db"), bad).unwrap();
        let read = match Store::open(dir.path()) {
            Ok(store) => store.journal().pending(&"a".into(), None, 1_000).await.map_err(|error| error.code),
            Err(error) => Err(error.code()),
        };
        match read {
            Ok(items) => assert_eq!(items.len(), 200, "a page that this read does not need"),
            Err(code) => {
                assert_eq!(code, "database-corrupt");
                found += 1;
            }
        }
    }
    assert!(found > 5, "{found}");
}

#[tokio::test]
async fn a_full_disk_is_an_error_that_leaves_nothing_half_written_and_passes() {
    let dir = folder();
    let database = Arc::new(SqliteDatabase::open(&dir.path().join("atelier.db"), Duration::ZERO, None).unwrap());
    let store = Store::on(dir.path(), Arc::clone(&database) as Arc<dyn Database>);
    let pages = async |sql: &'static str| database.write(vec![Statement::new(sql)]).await.unwrap();
    store.create_job(job("before", 10, 10)).await.unwrap();

    pages("PRAGMA max_page_count = 60").await;
    let error = store.create_job(job("too large", 1_000, 1_000)).await.unwrap_err();
    assert_eq!(error.code(), "disk-full");
    assert!(error.to_string().contains("atelier.db") && error.hint().contains("make room"), "{error}");
    assert_eq!(item_count(&store, "too large").await, None);
    assert_eq!(item_count(&store, "before").await, Some(10));
    store.create_job(job("small", 1, 10)).await.unwrap();

    pages("PRAGMA max_page_count = 1000000").await;
    store.create_job(job("too large", 1_000, 1_000)).await.unwrap();
    drop((store, database));
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(item_count(&store, "too large").await, Some(1_000));
    assert_eq!(item_count(&store, "small").await, Some(1));
}

#[tokio::test]
async fn a_locked_database_is_an_error_that_passes_and_does_not_stop_readers() {
    let dir = folder();
    let store = Store::open_with(dir.path(), AT_ONCE).unwrap();
    store.create_job(job("before", 1, 1)).await.unwrap();

    let other = Connection::open(dir.path().join("atelier.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.create_job(job("meanwhile", 1, 1)).await.unwrap_err();
    assert_eq!(error.code(), "database-locked");
    assert_eq!(item_count(&store, "before").await, Some(1));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(item_count(&store, "meanwhile").await, None);
    store.create_job(job("after", 1, 1)).await.unwrap();
}

#[test]
fn a_database_that_is_locked_when_it_is_opened_is_an_error() {
    let dir = folder();
    let other = Connection::open(dir.path().join("atelier.db")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let error = Store::open_with(dir.path(), AT_ONCE).err().unwrap();
    assert_eq!(error.code(), "database-locked");
}

#[test]
fn a_folder_that_can_not_be_made_is_named() {
    let dir = folder();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let inside = dir.path().join("file/inside");
    let error = Store::open(&inside).err().unwrap();
    assert_eq!(error.code(), "database-forbidden");
    assert!(error.to_string().contains("file/inside"), "{error}");
}

#[tokio::test]
async fn a_batch_refused_by_a_guard_shows_what_it_met() {
    let dir = folder();
    let database = SqliteDatabase::open(&dir.path().join("atelier.db"), Duration::ZERO, None).unwrap();
    let add = |name: &str| {
        Statement::new(
            "INSERT INTO projects (finder, name, created_at, updated_at) VALUES ($2, $1, $3, $3) RETURNING name",
        )
        .bind(name)
        .bind("finder")
        .bind(7_i64)
    };
    let names = async || {
        let query = Statement::new("SELECT name FROM projects WHERE finder = 'finder' ORDER BY name");
        let rows = database.read(vec![query]).await.unwrap().remove(0);
        rows.into_iter().map(|row| row.columns().text().unwrap()).collect::<Vec<_>>()
    };
    let refused = database.write(vec![add("a"), add("b").must_miss()]).await.unwrap();
    let Written::Refused { statement: 1, rows } = refused else { panic!("{refused:?}") };
    assert_eq!(rows[0].clone().columns().text().unwrap(), "b");
    assert!(names().await.is_empty());
    let refused = database.write(vec![add("a").must_miss()]).await.unwrap();
    assert!(matches!(refused, Written::Refused { .. }) && names().await.is_empty(), "alone in its batch as well");

    let error = database.write(vec![add("a"), add("a")]).await.unwrap_err();
    assert_eq!(error.code(), "database-refused");
    assert!(names().await.is_empty());
    let error = database.write(vec![Statement::new("SELECT $1, $2").bind(1_i64)]).await.unwrap_err();
    assert_eq!(error.code(), "database-unexpected", "too few values: {error}");
    database.write(vec![add("a"), add("b")]).await.unwrap();
    assert_eq!(names().await, ["a", "b"]);
}

#[tokio::test]
async fn a_backup_is_a_whole_store_of_one_moment_while_jobs_go_on() {
    let dir = folder();
    let store = Store::open(dir.path()).unwrap();
    store.create_job(job("a", 0, 1)).await.unwrap();
    let writing = tokio::spawn({
        let store = store.clone();
        async move {
            for _ in 0..50 {
                store.add_items(&"a".into(), job("a", 10, 500).items).await.unwrap();
            }
        }
    });
    let backups = folder();
    let file = backups.path().join("backup.db");
    while item_count(&store, "a").await < Some(100) {
        tokio::task::yield_now().await;
    }
    store.backup(&file).await.unwrap();
    writing.await.unwrap();

    let restored = folder();
    std::fs::copy(&file, restored.path().join("atelier.db")).unwrap();
    let items = item_count(&Store::open(restored.path()).unwrap(), "a").await.unwrap();
    assert!((100..=500).contains(&items) && items % 10 == 0, "whole batches: {items}");
    let left: Vec<_> = std::fs::read_dir(backups.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["backup.db"], "nothing is left beside it");
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_leaves_nothing_when_it_fails() {
    let dir = folder();
    let store = Store::open(dir.path()).unwrap();
    let file = dir.path().join("precious");
    std::fs::write(&file, "precious").unwrap();
    let error = store.backup(&file).await.unwrap_err();
    assert_eq!(error.code(), "backup-exists");
    assert_eq!(std::fs::read(&file).unwrap(), b"precious");

    let error = store.backup(&dir.path().join("absent/backup.db")).await.unwrap_err();
    assert_eq!(error.code(), "database-forbidden", "{error}");
    let error = store.backup(Path::new("/")).await.unwrap_err();
    assert_eq!(error.code(), "backup-exists");
}
