//! What happens to a process that is killed, or that may not write any more. Each test starts this test
//! program again, as the process that it happens to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use atelier_engine::{
    Amounts, Ended, EntryId, JobId, JournalError, Known, Outcome, Reservation, Reserved, Runner, Settlement, Timestamp,
    Urgency, Usage, Usd, Verdict,
};
use atelier_store::{NewItem, NewJob, Store, StoreError};
use tempfile::TempDir;
use tokio::task::JoinSet;

const JOB: &str = "job";
const ITEMS: u64 = 20_000;
const SETTLERS: u64 = 16;
/// Names the store's folder to the process that is started.
const FOLDER: &str = "ATELIER_STORE_TEST_FOLDER";

/// Prepares a job and starts a process that works on it. `limits` is shell text to be run first.
fn start(limits: &str) -> (TempDir, Child) {
    let dir = tempfile::tempdir().unwrap();
    let item = |n: u64| NewItem { key: n.to_string(), lane: "lane".into(), payload: "{}".into() };
    let job = NewJob {
        id: JOB.into(),
        kind: "test".into(),
        settings: serde_json::Value::Null,
        items: (0..ITEMS).map(item).collect(),
        claims: Vec::new(),
        created_at: Timestamp::default(),
    };
    let store = Store::open(dir.path()).unwrap();
    run(store.create_job(job)).unwrap();
    drop(store);
    let child = Command::new("sh")
        .args(["-c", &format!("{limits} exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args(["the_process_that_works", "--exact", "--nocapture"])
        .env(FOLDER, dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    (dir, child)
}

/// Does nothing in the run of all tests: it is the process that the others start. Works on the job until
/// it is killed or can't write, and says of each item that it is saved once the store has said so.
#[test]
fn the_process_that_works() {
    let Some(dir) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let store = Store::open(&dir).unwrap();
    let error = run(async {
        let _hold = store.lease(&JOB.into()).await.unwrap();
        let mut settlers = JoinSet::new();
        for settler in 0..SETTLERS {
            let store = store.clone();
            settlers.spawn(async move {
                for seq in (settler..ITEMS).step_by(usize::try_from(SETTLERS).unwrap()) {
                    if let Err(error) = answer(&store, seq).await {
                        return Some(error);
                    }
                    writeln!(std::io::stdout(), "saved {seq}").unwrap();
                }
                None
            });
        }
        settlers.join_all().await.into_iter().flatten().next()
    });
    match error {
        Some(error) => writeln!(std::io::stdout(), "error {}: {}", error.code, error.message).unwrap(),
        // Out of work, it waits for its end: until it is killed or its starter is gone.
        None => drop(std::io::stdin().read_line(&mut String::new())),
    }
    let saved = run(saved(&store));
    writeln!(std::io::stdout(), "reads {}", saved.len()).unwrap();
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

async fn answer(store: &Store, seq: u64) -> Result<(), JournalError> {
    let job: JobId = JOB.into();
    let journal = store.journal();
    let reservation = Reservation {
        lane: "lane".into(),
        job: Arc::clone(&job),
        pool: "pool".into(),
        scope: Some("pool".into()),
        calls: 1,
        items: vec![seq],
        amounts: Amounts { requests: 1, ..Amounts::default() },
        at: Timestamp::default(),
        leave_by: Timestamp::default(),
    };
    let runner = Runner { id: "only".into(), urgency: Urgency::Batch, lease: None };
    let known = Known { reader: "only".into(), seen: EntryId(i64::MAX) };
    let Reserved::Granted(entries) = journal.reserve(&runner, vec![reservation], known).await? else {
        panic!("nobody else reserves");
    };
    let verdict = Verdict::Done { result: format!("{seq}").into() };
    let settlement = Settlement {
        job,
        entry: Some(entries[0]),
        id: 1,
        ended: Ended { calls: 1, sent: 1, ..Ended::default() },
        reserved: Amounts { requests: 1, ..Amounts::default() },
        counted: Amounts { requests: 1, ..Amounts::default() },
        left: Timestamp::default(),
        at: Timestamp::default(),
        usage: Usage::default(),
        cost: Usd::ZERO,
        estimated: false,
        outcomes: vec![(Outcome { seq, verdict }, 1)],
    };
    journal.settle(&[settlement]).await
}

async fn saved(store: &Store) -> BTreeSet<u64> {
    let outcomes = store.outcomes(JOB, None, usize::try_from(ITEMS).unwrap()).await.unwrap();
    outcomes.into_iter().map(|outcome| outcome.seq).collect()
}

/// The items that a line of the process says are saved.
fn said(line: &str) -> Option<u64> {
    line.strip_prefix("saved ")?.parse().ok()
}

fn read_store(dir: &Path) -> (Store, BTreeSet<u64>) {
    let store = Store::open(dir).unwrap();
    let saved = run(saved(&store));
    (store, saved)
}

#[test]
fn a_killed_process_loses_nothing_that_was_saved_and_frees_its_job() {
    let (dir, mut child) = start("");
    let pid = child.id();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut told: BTreeSet<u64> =
        lines.by_ref().map_while(Result::ok).filter_map(|line| said(&line)).take(500).collect();
    assert_eq!(told.len(), 500);

    let store = Store::open(dir.path()).unwrap();
    let error = run(async { store.lease(&JOB.into()).await.err().unwrap() });
    assert!(matches!(&error, StoreError::Leased { by: Some(by), .. } if by.pid == pid), "{error}");
    child.kill().unwrap();
    told.extend(lines.map_while(Result::ok).filter_map(|line| said(&line)));
    child.wait().unwrap();
    drop(store);

    let (store, saved) = read_store(dir.path());
    let lost: Vec<_> = told.difference(&saved).collect();
    assert!(lost.is_empty(), "said to be saved, and lost: {lost:?}");
    let unsaid = saved.difference(&told).count() as u64;
    assert!(unsaid <= SETTLERS, "{unsaid} saved and not said: more than were under way");
    let unsettled = run(store.unsettled(JOB)).unwrap();
    assert!(unsettled.len() as u64 <= SETTLERS, "{} in flight", unsettled.len());
    run(async { store.lease(&JOB.into()).await.map(drop) }).expect("a dead process holds nothing");
}

#[test]
fn a_process_that_may_write_no_more_says_so_and_keeps_what_was_saved() {
    // The system's own limit on the size of files stands for a full disk: the log reaches it after some
    // hundred items. The signal that comes with it is ignored, as a program that is to say so must.
    let (dir, child) = start("trap '' XFSZ; ulimit -f 4096;");
    let output = child.wait_with_output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let error = output.lines().find(|line| line.starts_with("error ")).unwrap_or_else(|| panic!("{output}"));
    assert!(error.starts_with("error disk-full: ") && error.contains("the disk is full"), "{error}");
    let told: BTreeSet<u64> = output.lines().filter_map(said).collect();
    assert!(!told.is_empty());
    assert!(output.contains(&format!("reads {}", told.len())), "it can still read, and reads just that");

    let (store, saved) = read_store(dir.path());
    assert_eq!(saved, told, "nothing is lost, and nothing half-written");
    run(answer(&store, ITEMS - 1)).expect("once there is room, it goes on");
}
