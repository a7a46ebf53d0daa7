//! Answers, drafts, scores and vectors.

use std::collections::HashMap;

use atelier_store::{
    AnswerStatus, DraftFilter, DraftRow, DraftStatus, NewDraft, PostAnswer, RejectedBy, ScoreRecord, Store, StoreError,
};

use crate::Place;
use crate::fixtures::*;

/// Every draft, those that the filter rejected included.
fn every() -> DraftFilter {
    DraftFilter { include_filtered: true, limit: 100, ..DraftFilter::default() }
}

async fn all_drafts(store: &Store) -> Vec<DraftRow> {
    store.drafts(&every()).await.unwrap()
}

/// A store with an answer to `p1`, and the ids of its drafts: two pending, one rejected by the filter.
async fn with_drafts(place: &dyn Place) -> (Store, Vec<String>) {
    let store = place.open();
    project_with(&store, &["p1"]).await;
    store.save_answers(&id("a"), vec![drafted("p1")], at(2)).await.unwrap();
    let ids = all_drafts(&store).await.into_iter().map(|row| row.draft.id).collect();
    (store, ids)
}

pub(crate) async fn answers_are_saved_with_their_drafts(place: &dyn Place) {
    let (store, ids) = with_drafts(place).await;
    let rows = all_drafts(&place.open()).await;
    assert_eq!(rows.len(), 3);
    let first = &rows[0].draft;
    assert_eq!((first.id.as_str(), first.job.as_ref(), first.project.as_str()), (ids[0].as_str(), "a", "tea"));
    assert_eq!((first.kind.as_str(), first.rank, first.text.as_str()), ("add_value", 1, "A reply, add_value"));
    assert_eq!((first.status, first.rejected_by, &first.reason), (DraftStatus::Pending, None, &None));
    assert_eq!((first.created_at, first.updated_at), (at(2), at(2)));
    let last = &rows[2].draft;
    assert_eq!((last.status, last.rejected_by), (DraftStatus::Rejected, Some(RejectedBy::Filter)));
    assert_eq!(last.reason.as_deref(), Some("too short"));
    assert!(rows.iter().all(|row| row.post == post("p1", 0) && row.score.is_none()));
    drop(store);
}

pub(crate) async fn saving_an_answer_again_changes_nothing(place: &dyn Place) {
    let (store, _) = with_drafts(place).await;
    let before = all_drafts(&store).await;
    let other = NewDraft { text: "Another reply".into(), ..draft("funny", 1) };
    let again = PostAnswer { drafts: vec![other, draft("debate", 2)], ..drafted("p1") };
    store.save_answers(&id("a"), vec![again], at(9)).await.unwrap();
    store.save_answers(&id("a"), vec![unanswered("p1", AnswerStatus::Failed)], at(9)).await.unwrap();
    assert_eq!(all_drafts(&store).await, before);
    assert_eq!(store.answered_posts("tea").await.unwrap().len(), 1);
}

pub(crate) async fn a_failed_answer_may_become_a_drafted_one(place: &dyn Place) {
    let store = place.open();
    project_with(&store, &["p1", "p2"]).await;
    let failed = vec![unanswered("p1", AnswerStatus::Failed), unanswered("p2", AnswerStatus::Failed)];
    store.save_answers(&id("a"), failed, at(1)).await.unwrap();
    assert!(store.answered_posts("tea").await.unwrap().is_empty());
    store.save_answers(&id("a"), vec![drafted("p1"), unanswered("p2", AnswerStatus::Blocked)], at(2)).await.unwrap();
    store.save_answers(&id("a"), vec![drafted("p2")], at(3)).await.unwrap();
    assert_eq!(store.answered_posts("tea").await.unwrap().len(), 2);
    assert_eq!(all_drafts(&store).await.len(), 6);
}

pub(crate) async fn drafts_are_listed_by_page_and_filter(place: &dyn Place) {
    let store = place.open();
    project_with(&store, &["p1", "p2", "p3"]).await;
    store.add_project("coffee", "", at(0)).await.unwrap();
    store.upsert_posts("coffee", vec![post("p1", 0)], at(0)).await.unwrap();
    store.save_answers(&id("a"), vec![drafted("p3"), drafted("p1")], at(1)).await.unwrap();
    let coffee = PostAnswer { project: "coffee".into(), ..drafted("p1") };
    store.save_answers(&id("b"), vec![drafted("p2"), coffee], at(1)).await.unwrap();
    store.save_scores(vec![score("p1", 0.8, "green"), score("p2", 0.6, "yellow")]).await.unwrap();

    let list = async |filter: DraftFilter| -> Vec<String> {
        let rows = store.drafts(&filter).await.unwrap();
        rows.iter().map(|row| format!("{}/{}/{}", row.draft.project, row.draft.post, row.draft.kind)).collect()
    };
    let passed = |filter| DraftFilter { limit: 100, ..filter };
    assert_eq!(list(passed(DraftFilter::default())).await.len(), 8);
    assert_eq!(
        list(passed(DraftFilter { projects: vec!["coffee".into()], ..DraftFilter::default() })).await,
        ["coffee/p1/add_value", "coffee/p1/funny"]
    );
    assert_eq!(list(passed(DraftFilter { projects: vec!["coffee".into(), "tea".into()], ..every() })).await.len(), 12);
    assert_eq!(list(passed(DraftFilter { job: Some("b".into()), ..DraftFilter::default() })).await.len(), 4);
    assert_eq!(
        list(passed(DraftFilter { label: Some("green".into()), ..DraftFilter::default() })).await,
        ["tea/p1/add_value", "tea/p1/funny"]
    );
    assert_eq!(
        list(passed(DraftFilter { posted_from: Some(at(2)), ..DraftFilter::default() })).await,
        ["tea/p3/add_value", "tea/p3/funny"]
    );
    let rejected = DraftFilter { statuses: vec![DraftStatus::Rejected], ..every() };
    assert_eq!(list(rejected).await.len(), 4);

    let mut paged = Vec::new();
    let mut filter = DraftFilter { limit: 5, ..every() };
    loop {
        let page = store.drafts(&filter).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.after = Some(last.cursor());
        paged.extend(page);
    }
    assert_eq!(paged, all_drafts(&store).await);
}

pub(crate) async fn drafts_the_filter_rejected_are_listed_only_when_asked_for(place: &dyn Place) {
    let (store, ids) = with_drafts(place).await;
    store.set_draft_status(&ids[..1], DraftStatus::Rejected, Some("dull".into()), at(3)).await.unwrap();
    let listed = store.drafts(&DraftFilter { limit: 10, ..DraftFilter::default() }).await.unwrap();
    assert_eq!(listed.iter().map(|row| &row.draft.id).collect::<Vec<_>>(), [&ids[0], &ids[1]]);
    assert_eq!(listed[0].draft.rejected_by, Some(RejectedBy::Review));
    assert_eq!(listed[0].draft.reason.as_deref(), Some("dull"));
    assert_eq!(all_drafts(&store).await.len(), 3);
}

pub(crate) async fn a_draft_lives_from_pending_to_posted(place: &dyn Place) {
    let (store, ids) = with_drafts(place).await;
    let step = async |drafts: &[String], to| store.set_draft_status(drafts, to, None, at(5)).await.unwrap();
    assert_eq!(step(&ids[..1], DraftStatus::Approved).await, ids[..1]);
    assert_eq!(step(&ids[..2], DraftStatus::Exported).await, ids[..2], "approved or not");
    assert!(step(&ids[..2], DraftStatus::Exported).await.is_empty(), "a second time changes nothing");
    assert_eq!(step(&ids[..1], DraftStatus::Posted).await, ids[..1]);
    assert_eq!(step(&ids[1..2], DraftStatus::Skipped).await, ids[1..2]);
    let statuses: Vec<_> =
        all_drafts(&store).await.iter().map(|row| (row.draft.status, row.draft.updated_at)).collect();
    assert_eq!(statuses, [(DraftStatus::Posted, at(5)), (DraftStatus::Skipped, at(5)), (DraftStatus::Rejected, at(2))]);
}

pub(crate) async fn a_step_that_life_does_not_have_changes_no_draft(place: &dyn Place) {
    let (store, ids) = with_drafts(place).await;
    let error = store.set_draft_status(&ids, DraftStatus::Exported, None, at(5)).await.unwrap_err();
    let expected = StoreError::Transition { draft: ids[2].clone(), from: "rejected", to: "exported" };
    assert_eq!(error, expected);
    assert_eq!(error.to_string(), format!("draft {} is rejected and can't become exported", ids[2]));
    let error = store.set_draft_status(&ids[..1], DraftStatus::Posted, None, at(5)).await.unwrap_err();
    assert_eq!(error.code(), "draft-transition");
    assert!(all_drafts(&store).await.iter().all(|row| row.draft.updated_at == at(2)));
}

pub(crate) async fn whoever_approves_a_rejected_draft_overrules_its_reason(place: &dyn Place) {
    let (store, ids) = with_drafts(place).await;
    store.set_draft_status(&ids[2..], DraftStatus::Approved, None, at(5)).await.unwrap();
    let approved = all_drafts(&store).await.remove(2).draft;
    assert_eq!((approved.status, approved.rejected_by, approved.reason), (DraftStatus::Approved, None, None));
}

pub(crate) async fn a_draft_that_does_not_exist_is_named(place: &dyn Place) {
    let (store, ids) = with_drafts(place).await;
    for unknown in ["d999", "p1", "", "d99999999999999999999", "d-1; --"] {
        let drafts = [ids[0].clone(), unknown.to_owned()];
        let error = store.set_draft_status(&drafts, DraftStatus::Approved, None, at(5)).await.unwrap_err();
        assert_eq!(error, StoreError::NoSuchDraft { draft: unknown.into() });
    }
    assert!(all_drafts(&store).await.iter().all(|row| row.draft.status != DraftStatus::Approved));
}

pub(crate) async fn answered_posts_are_those_with_drafts(place: &dyn Place) {
    let store = place.open();
    let names: Vec<String> = (0..1_200).map(|n| format!("p{n:04}")).collect();
    project_with(&store, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let answers = names.iter().map(|name| PostAnswer { drafts: vec![draft("funny", 1)], ..drafted(name) });
    let mut answers: Vec<_> = answers.collect();
    answers[7] = unanswered("p0007", AnswerStatus::Blocked);
    store.save_answers(&id("a"), answers, at(1)).await.unwrap();
    let answered = store.answered_posts("tea").await.unwrap();
    assert_eq!(answered.len(), 1_199);
    assert_eq!(answered[7], ("p0008".into(), "What p0008 says".into()));
    assert!(store.answered_posts("coffee").await.unwrap().is_empty());
}

pub(crate) async fn scores_are_replaced_and_shown_with_drafts(place: &dyn Place) {
    let (store, _) = with_drafts(place).await;
    store.save_scores(vec![score("p1", 0.4, "red"), score("p2", 0.7, "yellow")]).await.unwrap();
    let newer = ScoreRecord { total: 0.123_456_789_012_345_67, ..score("p1", 0.0, "green") };
    store.save_scores(vec![newer.clone()]).await.unwrap();
    let ids = ["p2", "absent", "p1"].map(str::to_owned);
    assert_eq!(store.scores("tea", &ids).await.unwrap(), [score("p2", 0.7, "yellow"), newer.clone()]);
    assert!(all_drafts(&store).await.iter().all(|row| row.score.as_ref() == Some(&newer)));
}

pub(crate) async fn vectors_are_kept_by_embedder_and_hash(place: &dyn Place) {
    let store = place.open();
    let vector = |hash: &str, byte: u8| (hash.to_owned(), vec![byte; 1_536]);
    store.put_vectors("local", vec![vector("h1", 1), vector("h2", 2)]).await.unwrap();
    store.put_vectors("gemini", vec![vector("h1", 3)]).await.unwrap();
    store.put_vectors("local", vec![vector("h2", 4), ("empty".into(), Vec::new())]).await.unwrap();
    let hashes = ["h1", "h2", "h3", "empty"].map(str::to_owned);
    let expected: HashMap<_, _> = [vector("h1", 1), vector("h2", 4), ("empty".into(), Vec::new())].into();
    assert_eq!(place.open().vectors("local", &hashes).await.unwrap(), expected);
    assert_eq!(store.vectors("gemini", &hashes).await.unwrap(), [vector("h1", 3)].into());
}
