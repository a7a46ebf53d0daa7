//! Whoever watches is told of each change.

use atelier_app::job::WorkEvent;
use atelier_app::views::{ChangeView, EventView};
use atelier_app::{App, Intent, PromptDefaults, RunChange};
use atelier_engine::{JobId, Stop};

use tokio::sync::watch;

use crate::fixtures::Studio;

const LINES: u64 = 120;

async fn submitted(studio: &Studio, name: &str) -> JobId {
    let file = studio.path(&format!("{name}.jsonl"));
    let lines: String = (0..LINES).map(|line| format!("{{\"id\":\"{name}-{line}\",\"prompt\":\"why?\"}}\n")).collect();
    std::fs::write(&file, lines).unwrap();
    let said = RunChange { model: Some("gemini:gemini-2.5-flash".into()), ..RunChange::default() };
    let read = studio.app.read_prompts(&file, &said, PromptDefaults::default(), Intent::Send).await.unwrap();
    studio.app.submit_prompts(read, &studio.path(&format!("{name}.out")), false).await.unwrap().job
}

/// Follows the changes up to the last, once that is known, in another process that dies after every few and is started
/// again.
async fn watch(
    studio: &Studio,
    mut app: App,
    after: u64,
    dies_after: usize,
    mut last: watch::Receiver<Option<u64>>,
) -> Vec<EventView> {
    let mut told = Vec::new();
    let mut events = app.events(Some(after)).await.unwrap();
    loop {
        let at = events.after();
        tokio::select! {
            event = events.next() => told.push(event.unwrap()),
            reached = last.wait_for(|last| last.is_some_and(|last| last <= at)) => {
                reached.unwrap();
                return told;
            }
        }
        if told.len() % dies_after == dies_after - 1 {
            app = studio.again();
            events = app.events(Some(events.after())).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_are_followed_by_others_without_a_gap_whatever_dies() {
    let studio = Studio::new();
    let after = studio.app.store().unwrap().last_change().await.unwrap();
    let other = studio.again();
    let (finished, last) = watch::channel(None);
    let working = async {
        let (one, two) = (submitted(&studio, "one").await, submitted(&studio, "two").await);
        let change = RunChange::default();
        let mut ignored = |_: WorkEvent<'_>| {};
        let there = other.work(&two, &change, Stop::never(), &mut ignored);
        let (here, there) = tokio::join!(studio.work(&one), there);
        assert_eq!(here.unwrap().job.counts.done + there.unwrap().job.counts.done, 2 * LINES);
        finished.send_replace(Some(studio.app.store().unwrap().last_change().await.unwrap()));
    };
    let (elsewhere, here) = (studio.again(), studio.app.clone());
    let (dying, lasting) =
        (watch(&studio, elsewhere, after, 3, last.clone()), watch(&studio, here, after, usize::MAX, last));
    let ((), dying, lasting) = tokio::join!(working, dying, lasting);
    for told in [&dying, &lasting] {
        let numbers: Vec<u64> = told.iter().map(|event| event.number).collect();
        let expected: Vec<u64> = (after + 1..=after + told.len() as u64).collect();
        assert_eq!(numbers, expected, "in order, none left out and none twice");
        let mut items: Vec<(String, u64)> = Vec::new();
        for event in told {
            if let ChangeView::Items { job, items: ended } = &event.change {
                assert!(ended.iter().all(|item| item.status == "done"));
                items.extend(ended.iter().map(|item| (job.clone(), item.seq)));
            }
        }
        items.sort();
        assert_eq!(items.len() as u64, 2 * LINES);
        items.dedup();
        assert_eq!(items.len() as u64, 2 * LINES, "each item once");
    }
}
