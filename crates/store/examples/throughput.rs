//! How many calls a second the journal can settle, each with one outcome, while it reserves as many.
//!
//! `cargo run --release -p atelier-store --example throughput [SETTLERS [SECONDS]]`, on the disk that holds
//! the temporary directory (set TMPDIR to choose).
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, reason = "a measurement, not a program")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use atelier_engine::{
    Amounts, Ended, EntryId, JobId, Journal, Known, Outcome, Reservation, Reserved, Runner, Settlement, Timestamp,
    Urgency, Usage, Usd, Verdict,
};
use atelier_store::{NewItem, NewJob, Store};
use tokio::time::Instant;

const RESULT: &str = r#"{"drafts":[{"kind":"add_value","text":"A reply of about the usual length, somewhat over a hundred characters, so that pages fill as they would."}]}"#;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().expect("a number"));
    let settlers = arguments.next().unwrap_or(128);
    let seconds = arguments.next().unwrap_or(5);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(settlers, Duration::from_secs(seconds)));
}

async fn measure(settlers: u64, time: Duration) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let job: JobId = "measured".into();
    let item = |key: u64| NewItem { key: key.to_string(), lane: "all".into(), payload: "{}".into() };
    let new = NewJob {
        id: job.clone(),
        kind: "measure".into(),
        settings: serde_json::Value::Null,
        items: (0..settlers).map(item).collect(),
        claims: Vec::new(),
        created_at: Timestamp::default(),
    };
    store.create_job(new).await.unwrap();

    // Reserved beforehand, so that settling alone is measured; as many as can be settled in that time.
    let journal = store.journal();
    let started = Instant::now();
    let count = 60_000 * time.as_secs();
    let mut entries = Vec::new();
    for block in 0..count.div_ceil(1_000) {
        entries.extend(reserve(journal.as_ref(), &job, block * 1_000, 1_000).await);
    }
    report("reserved in blocks of 1,000", entries.len() as u64, started);

    let entries = Arc::new(entries);
    let (next, started) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let tasks = (0..settlers).map(|_| {
        let (journal, job, next, entries) =
            (Arc::clone(&journal), job.clone(), Arc::clone(&next), Arc::clone(&entries));
        tokio::spawn(async move {
            while started.elapsed() < time {
                let seq = next.fetch_add(1, Ordering::Relaxed);
                let Some(entry) = entries.get(usize::try_from(seq).unwrap()) else { break };
                journal.settle(&[settlement(&job, *entry, seq)]).await.unwrap();
            }
        })
    });
    futures_util::future::join_all(tasks.collect::<Vec<_>>()).await;
    report("settled", next.load(Ordering::Relaxed), started);

    let (next, started) = (Arc::new(AtomicU64::new(count)), Instant::now());
    let tasks = (0..settlers).map(|_| {
        let (journal, job, next) = (Arc::clone(&journal), job.clone(), Arc::clone(&next));
        tokio::spawn(async move {
            while started.elapsed() < time {
                let seq = next.fetch_add(1, Ordering::Relaxed);
                let entry = reserve(journal.as_ref(), &job, seq, 1).await;
                journal.settle(&[settlement(&job, entry[0], seq)]).await.unwrap();
            }
        })
    });
    futures_util::future::join_all(tasks.collect::<Vec<_>>()).await;
    report("reserved one by one and settled", next.load(Ordering::Relaxed) - count, started);
}

fn report(what: &str, count: u64, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    println!("{count:>8} {what} in {seconds:.2} s: {:.0} a second", count as f64 / seconds);
}

async fn reserve(journal: &dyn Journal, job: &JobId, first: u64, count: u64) -> Vec<EntryId> {
    let reservation = |seq| Reservation {
        lane: "lane".into(),
        job: job.clone(),
        pool: "provider/account/model".into(),
        scope: Some("provider/account/model".into()),
        calls: 1,
        items: vec![seq],
        amounts: Amounts { requests: 1, input_tokens: 300, ..Amounts::default() },
        at: Timestamp::from_micros(1_800_000_000_000_000),
        leave_by: Timestamp::from_micros(1_800_000_000_250_000),
    };
    // Alone in this database, it has always seen everything.
    let reservations = (first..first + count).map(reservation).collect();
    let runner = Runner { id: "measured".into(), urgency: Urgency::Batch, lease: None };
    let known = Known { reader: "measured".into(), seen: EntryId(i64::MAX) };
    match journal.reserve(&runner, reservations, known).await.unwrap() {
        Reserved::Granted(entries) => entries,
        refused => unreachable!("nobody else reserves: {refused:?}"),
    }
}

fn settlement(job: &JobId, entry: EntryId, seq: u64) -> Settlement {
    Settlement {
        job: job.clone(),
        entry: Some(entry),
        id: seq.cast_signed() + 1,
        ended: Ended { calls: 1, sent: 1, ..Ended::default() },
        reserved: Amounts { requests: 1, input_tokens: 300, ..Amounts::default() },
        counted: Amounts { requests: 1, input_tokens: 280, ..Amounts::default() },
        left: Timestamp::from_micros(1_800_000_000_100_000),
        at: Timestamp::from_micros(1_800_000_001_100_000),
        usage: Usage::of_tokens(Some(280), Some(120)),
        cost: Usd::from_nanos(76_000),
        estimated: false,
        outcomes: vec![(Outcome { seq, verdict: Verdict::Done { result: RESULT.into() } }, 1)],
    }
}
