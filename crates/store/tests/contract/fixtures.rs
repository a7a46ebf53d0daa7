//! What the tests are made of.

use std::sync::Arc;

use atelier_engine::{
    Amounts, Ended, EntryId, JobId, Journal, Known, Outcome, Reservation, Reserved, Runner, Settlement, Timestamp,
    Urgency, Usage, Usd, Verdict,
};
use atelier_store::{
    AnswerStatus, DraftStatus, NewDraft, NewItem, NewJob, Post, PostAnswer, PostClaim, RejectedBy, ScoreRecord, Store,
};
use serde_json::json;

pub(crate) const POOL: &str = "provider/account/model";

/// So many seconds after the moment at which all tests begin.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000 + seconds * 1_000_000)
}

pub(crate) fn id(text: &str) -> JobId {
    text.into()
}

pub(crate) fn item(key: &str) -> NewItem {
    NewItem { key: key.into(), lane: "lane".into(), payload: format!("{{\"key\":\"{key}\"}}").into() }
}

/// A job with so many items, `key-0` and on.
pub(crate) fn job(name: &str, items: usize) -> NewJob {
    NewJob {
        id: id(name),
        kind: "replies".into(),
        settings: json!({"model": "gemini:flash", "pack": 8}),
        items: (0..items).map(|n| item(&format!("key-{n}"))).collect(),
        claims: Vec::new(),
        created_at: at(0),
    }
}

/// A job that answers these posts of a project.
pub(crate) fn job_for(name: &str, project: &str, posts: &[&str]) -> NewJob {
    let items = posts.iter().map(|post| NewItem { lane: project.into(), ..item(post) }).collect();
    let claims =
        posts.iter().map(|post| PostClaim { project: project.into(), post: (*post).into(), again: false }).collect();
    NewJob { items, claims, ..job(name, 0) }
}

pub(crate) fn reservation(job: &str, items: &[u64]) -> Reservation {
    Reservation {
        lane: "lane".into(),
        job: id(job),
        pool: POOL.into(),
        scope: Some(POOL.into()),
        calls: 1,
        items: items.to_vec(),
        amounts: Amounts { requests: 1, input_tokens: 500, images: 0, usd: Usd::from_nanos(9_000) },
        at: at(10),
        leave_by: at(11),
    }
}

pub(crate) fn runner(name: &str) -> Runner {
    Runner { id: name.into(), urgency: Urgency::Batch, lease: None }
}

/// A run of this name that knows of the others' entries up to this one.
pub(crate) fn known(name: &str, seen: i64) -> Known {
    Known { reader: name.into(), seen: EntryId(seen) }
}

/// Reserves as a run that has seen everything so far.
pub(crate) async fn reserve(journal: &Arc<dyn Journal>, reservation: Reservation) -> EntryId {
    reserve_as("us", journal, reservation).await
}

/// The same, as the run of this name.
pub(crate) async fn reserve_as(name: &str, journal: &Arc<dyn Journal>, reservation: Reservation) -> EntryId {
    match journal.reserve(&runner(name), vec![reservation], known(name, i64::MAX)).await.unwrap() {
        Reserved::Granted(entries) => entries[0],
        refused => panic!("{refused:?}"),
    }
}

pub(crate) fn settlement(job: &str, entry: EntryId, outcomes: Vec<(Outcome, u32)>) -> Settlement {
    Settlement {
        job: id(job),
        entry: Some(entry),
        id: fastrand::i64(1..),
        ended: Ended { calls: 1, sent: 1, ..Ended::default() },
        reserved: reservation(job, &[]).amounts,
        counted: Amounts { requests: 1, input_tokens: 420, images: 0, usd: Usd::from_nanos(7_000) },
        left: at(10),
        at: at(12),
        usage: Usage::of_tokens(Some(420), Some(99)),
        cost: Usd::from_nanos(7_000),
        estimated: false,
        outcomes,
    }
}

pub(crate) fn done(seq: u64) -> (Outcome, u32) {
    (Outcome { seq, verdict: Verdict::Done { result: format!("{{\"n\":{seq}}}").into() } }, 1)
}

pub(crate) fn failed(seq: u64) -> (Outcome, u32) {
    let verdict = Verdict::Failed { kind: "bad-request".into(), message: "it is too long".into() };
    (Outcome { seq, verdict }, 3)
}

pub(crate) fn blocked(seq: u64) -> (Outcome, u32) {
    (Outcome { seq, verdict: Verdict::Blocked { reason: "SAFETY".into() } }, 1)
}

/// Reserves a call for these items and settles it with these outcomes.
pub(crate) async fn answer(store: &Store, job: &str, outcomes: Vec<(Outcome, u32)>) {
    let journal = store.journal();
    let items: Vec<u64> = outcomes.iter().map(|(outcome, _)| outcome.seq).collect();
    let entry = reserve(&journal, reservation(job, &items)).await;
    journal.settle(&[settlement(job, entry, outcomes)]).await.unwrap();
}

/// A post, posted so many seconds after the tests' beginning.
pub(crate) fn post(post: &str, posted: i64) -> Post {
    Post {
        project: "tea".into(),
        id: post.into(),
        text: format!("What {post} says"),
        author: "someone".into(),
        followers: 5_000,
        posted_at: at(posted),
        likes: 12,
        replies: 3,
        reposts: 1,
        views: 900,
        lang: Some("en".into()),
        url: format!("https://x.com/i/status/{post}"),
    }
}

/// The project `tea` with these posts, the last the newest.
pub(crate) async fn project_with(store: &Store, posts: &[&str]) {
    store.add_project("tea", "taxonomy: []", at(0)).await.unwrap();
    let posts = (0_i64..).zip(posts).map(|(n, name)| post(name, n)).collect();
    store.upsert_posts("tea", posts, at(0)).await.unwrap();
}

pub(crate) fn draft(kind: &str, rank: u32) -> NewDraft {
    NewDraft {
        kind: kind.into(),
        rank,
        text: format!("A reply, {kind}"),
        status: DraftStatus::Pending,
        rejected_by: None,
        reason: None,
    }
}

pub(crate) fn rejected_draft(kind: &str, rank: u32) -> NewDraft {
    let reason = Some("too short".into());
    NewDraft { status: DraftStatus::Rejected, rejected_by: Some(RejectedBy::Filter), reason, ..draft(kind, rank) }
}

/// An answer with two drafts that pass and one that the filter rejects.
pub(crate) fn drafted(post: &str) -> PostAnswer {
    PostAnswer {
        project: "tea".into(),
        post: post.into(),
        status: AnswerStatus::Drafted,
        detail: None,
        drafts: vec![draft("add_value", 1), draft("funny", 2), rejected_draft("relate", 3)],
    }
}

pub(crate) fn unanswered(post: &str, status: AnswerStatus) -> PostAnswer {
    PostAnswer { status, detail: Some("why".into()), drafts: Vec::new(), ..drafted(post) }
}

pub(crate) fn score(post: &str, total: f64, label: &str) -> ScoreRecord {
    ScoreRecord {
        project: "tea".into(),
        post: post.into(),
        velocity: 0.5,
        relevance: 0.75,
        openness: 0.05,
        author_quality: 0.6,
        total,
        label: label.into(),
        topic: "brewing".into(),
        detail: json!({"best": 0.8}),
        embedder: "local".into(),
        scored_at: at(1),
    }
}
