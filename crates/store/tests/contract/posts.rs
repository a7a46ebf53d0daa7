//! Projects and posts.

use atelier_store::{
    AnswerStatus, CandidateFilter, Cursor, DraftFilter, DraftStatus, Funnel, JobState, LOCAL_OWNER, Post, Project,
    Store, StoreError, Upserted,
};

use crate::Place;
use crate::fixtures::*;

fn all_of_tea() -> CandidateFilter {
    CandidateFilter {
        project: "tea".into(),
        posted_from: None,
        posted_until: None,
        min_followers: 0,
        min_likes: 0,
        min_views: 0,
        limit: 100,
    }
}

async fn candidates(store: &Store, filter: CandidateFilter) -> Vec<String> {
    store.candidates(&filter).await.unwrap().posts.into_iter().map(|post| post.id).collect()
}

async fn page_of(store: &Store, project: &str, after: Option<Cursor>, limit: usize) -> Vec<Post> {
    let page = store.scored_posts(project, None, after, limit).await.unwrap();
    page.into_iter().map(|(post, _)| post).collect()
}

async fn all_drafts(store: &Store) -> usize {
    store.drafts(&DraftFilter { include_filtered: true, limit: 100, ..DraftFilter::default() }).await.unwrap().len()
}

pub(crate) async fn a_project_comes_back_as_it_was_added(place: &dyn Place) {
    let store = place.open();
    for name in ["b", "a", "ü"] {
        store.add_project(name, "taxonomy:\n- label: tea", at(1)).await.unwrap();
    }
    let project = |name: &str| Project {
        name: name.into(),
        shared: true,
        owner: LOCAL_OWNER.into(),
        finder: "taxonomy:\n- label: tea".into(),
        created_at: at(1),
        updated_at: at(1),
    };
    assert_eq!(place.open().project("ü").await.unwrap(), Some(project("ü")));
    assert_eq!(store.project("c").await.unwrap(), None);
    assert_eq!(store.projects(None, 2).await.unwrap(), [project("a"), project("b")]);
    assert_eq!(store.projects(Some("b"), 2).await.unwrap(), [project("ü")]);
}

pub(crate) async fn a_project_name_is_taken_once(place: &dyn Place) {
    let store = place.open();
    store.add_project("tea", "first", at(1)).await.unwrap();
    let error = store.add_project("tea", "second", at(2)).await.unwrap_err();
    assert_eq!(error, StoreError::ProjectExists { project: "tea".into() });
    assert_eq!(store.project("tea").await.unwrap().unwrap().finder, "first");
}

pub(crate) async fn a_finder_is_replaced(place: &dyn Place) {
    let store = place.open();
    store.add_project("tea", "first", at(1)).await.unwrap();
    store.update_project("tea", "second", at(2)).await.unwrap();
    let project = store.project("tea").await.unwrap().unwrap();
    assert_eq!((project.finder.as_str(), project.created_at, project.updated_at), ("second", at(1), at(2)));
}

pub(crate) async fn a_project_that_is_not_there_is_named(place: &dyn Place) {
    let store = place.open();
    let errors = [
        store.update_project("tea", "", at(1)).await.unwrap_err(),
        store.remove_project("tea").await.unwrap_err(),
        store.upsert_posts("tea", vec![post("p1", 0)], at(1)).await.unwrap_err(),
        store.remove_posts("tea", &["p1".into()]).await.unwrap_err(),
        store.remove_all_posts("tea").await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error, StoreError::NoSuchProject { project: "tea".into() });
    }
}

pub(crate) async fn a_project_takes_its_posts_and_drafts_with_it(place: &dyn Place) {
    let store = place.open();
    project_with(&store, &["p1"]).await;
    store.create_job(job_for("a", "tea", &["p1"])).await.unwrap();
    store.save_answers(&id("a"), vec![drafted("p1")], at(2)).await.unwrap();
    store.save_scores(vec![score("p1", 0.8, "green")]).await.unwrap();
    store.set_job_state(&id("a"), JobState::Done, None, None, at(3)).await.unwrap();

    store.remove_project("tea").await.unwrap();
    assert_eq!(store.project("tea").await.unwrap(), None);
    project_with(&store, &["p1"]).await;
    assert_eq!(all_drafts(&store).await, 0);
    assert!(store.scores("tea", &["p1".into()]).await.unwrap().is_empty());
    assert_eq!(candidates(&store, all_of_tea()).await, ["p1"], "nothing of the old project stands in the way");
    assert!(store.job("a").await.unwrap().is_some(), "the job and what it cost stay");
}

pub(crate) async fn a_project_is_kept_while_a_job_answers_posts_of_it(place: &dyn Place) {
    let store = place.open();
    project_with(&store, &["p1"]).await;
    store.create_job(job_for("a", "tea", &["p1"])).await.unwrap();
    let error = store.remove_project("tea").await.unwrap_err();
    assert_eq!(error, StoreError::InUse { project: "tea".into(), job: "a".into() });
    assert_eq!(page_of(&store, "tea", None, 10).await.len(), 1);
    store.set_job_state(&id("a"), JobState::Cancelled, None, None, at(3)).await.unwrap();
    store.remove_project("tea").await.unwrap();
}

pub(crate) async fn posts_are_added_updated_and_left_as_they_are(place: &dyn Place) {
    let store = place.open();
    project_with(&store, &["p1", "p2"]).await;
    let newer = Post { likes: 99, lang: None, ..post("p2", 1) };
    let posts = vec![post("p1", 0), newer.clone(), post("p3", 2)];
    let upserted = store.upsert_posts("tea", posts.clone(), at(0)).await.unwrap();
    assert_eq!(upserted, Upserted { added: 1, updated: 1, unchanged: 1 });
    assert_eq!(page_of(&store, "tea", None, 10).await, [post("p3", 2), newer, post("p1", 0)]);
    let again = store.upsert_posts("tea", posts, at(0)).await.unwrap();
    assert_eq!(again, Upserted { unchanged: 3, ..Upserted::default() });
}

pub(crate) async fn posts_are_listed_newest_first_by_page(place: &dyn Place) {
    let store = place.open();
    store.add_project("tea", "", at(0)).await.unwrap();
    let posts = [("a", 1), ("b", 3), ("c", 2), ("d", 2)].map(|(name, posted)| post(name, posted));
    store.upsert_posts("tea", posts.to_vec(), at(0)).await.unwrap();
    let first = page_of(&store, "tea", None, 2).await;
    let second = page_of(&store, "tea", Some(first[1].cursor()), 2).await;
    let ids: Vec<_> = first.iter().chain(&second).map(|post| post.id.as_str()).collect();
    assert_eq!(ids, ["b", "d", "c", "a"]);
    assert!(page_of(&store, "tea", Some(second[1].cursor()), 2).await.is_empty());
}

pub(crate) async fn any_text_comes_back_byte_for_byte(place: &dyn Place) {
    let store = place.open();
    store.add_project("tea", "", at(0)).await.unwrap();
    let texts = [
        "",
        "👩‍👩‍👧‍👦 🫖 e\u{301} \u{202e}tfel",
        "'; DROP TABLE posts; -- \" \\ $1 %s {}",
        "line\r\nline\ttab\u{7}\u{0}after nul",
        "\u{fffd}\u{feff}\u{10ffff}",
        "=1+1",
        &"茶".repeat(10_000),
    ];
    let ids: Vec<String> = (0..texts.len()).map(|n| format!("{}", 1_234_567_890_123_456_700_u64 + n as u64)).collect();
    let posts: Vec<Post> = ids
        .iter()
        .zip(texts)
        .map(|(id, text)| Post { text: text.into(), author: text.into(), ..post(id, 0) })
        .collect();
    store.upsert_posts("tea", posts.clone(), at(0)).await.unwrap();
    let mut read = page_of(&place.open(), "tea", None, 100).await;
    read.reverse();
    assert_eq!(read, posts);
}

pub(crate) async fn counts_beyond_the_databases_range_are_its_largest(place: &dyn Place) {
    let store = place.open();
    store.add_project("tea", "", at(0)).await.unwrap();
    store.upsert_posts("tea", vec![Post { views: u64::MAX, ..post("p1", 0) }], at(0)).await.unwrap();
    let posts = page_of(&store, "tea", None, 1).await;
    assert_eq!(posts[0].views, i64::MAX as u64);
}

pub(crate) async fn candidates_pass_the_filter_newest_first(place: &dyn Place) {
    let store = place.open();
    project_with(&store, &["p0", "p1", "p2", "p3"]).await;
    let weak = [
        Post { followers: 999, ..post("few-followers", 4) },
        Post { likes: 9, ..post("few-likes", 5) },
        Post { views: 99, ..post("few-views", 6) },
    ];
    store.upsert_posts("tea", weak.to_vec(), at(0)).await.unwrap();
    store.add_project("coffee", "", at(0)).await.unwrap();
    store.upsert_posts("coffee", vec![post("other", 2)], at(0)).await.unwrap();

    let strict = CandidateFilter { min_followers: 1_000, min_likes: 10, min_views: 100, ..all_of_tea() };
    assert_eq!(candidates(&store, strict.clone()).await, ["p3", "p2", "p1", "p0"]);
    let window = CandidateFilter { posted_from: Some(at(1)), posted_until: Some(at(2)), ..strict.clone() };
    assert_eq!(candidates(&store, window).await, ["p2", "p1"], "both ends belong to it");
    assert_eq!(candidates(&store, CandidateFilter { limit: 1, ..strict }).await, ["p3"]);
    assert_eq!(candidates(&store, all_of_tea()).await.len(), 7);
}

pub(crate) async fn candidates_leave_out_what_was_answered_and_what_is_being_answered(place: &dyn Place) {
    let store = place.open();
    project_with(&store, &["drafted", "blocked", "failed", "waiting", "given-up", "new"]).await;
    let answers = vec![
        drafted("drafted"),
        unanswered("blocked", AnswerStatus::Blocked),
        unanswered("failed", AnswerStatus::Failed),
    ];
    store.create_job(job_for("over", "tea", &["drafted", "blocked", "failed"])).await.unwrap();
    store.save_answers(&id("over"), answers, at(1)).await.unwrap();
    store.set_job_state(&id("over"), JobState::Done, None, None, at(1)).await.unwrap();
    store.create_job(job_for("cancelled", "tea", &["given-up"])).await.unwrap();
    store.set_job_state(&id("cancelled"), JobState::Cancelled, None, None, at(1)).await.unwrap();
    store.create_job(job_for("parked", "tea", &["waiting"])).await.unwrap();
    store.set_job_state(&id("parked"), JobState::Parked, None, None, at(1)).await.unwrap();

    let found = store.candidates(&all_of_tea()).await.unwrap();
    let ids: Vec<_> = found.posts.iter().map(|post| post.id.as_str()).collect();
    assert_eq!(ids, ["new", "given-up", "failed"]);
    assert_eq!(found.already_answered, 2);
    assert_eq!(found.waiting, [(id("parked"), 1)]);

    let later = store.candidates(&CandidateFilter { posted_from: Some(at(5)), ..all_of_tea() }).await.unwrap();
    assert_eq!((later.posts.len(), later.already_answered, later.waiting.len()), (1, 0, 0), "counted by the filter");
}

pub(crate) async fn a_post_is_claimed_by_one_job_at_a_time(place: &dyn Place) {
    let store = place.open();
    project_with(&store, &["p1", "p2"]).await;
    store.create_job(job_for("first", "tea", &["p1"])).await.unwrap();
    let error = place.open().create_job(job_for("second", "tea", &["p2", "p1"])).await.unwrap_err();
    assert_eq!(error, StoreError::PostTaken { project: "tea".into(), post: "p1".into() });
    assert_eq!(store.job("second").await.unwrap(), None, "nothing of it was made");

    store.save_answers(&id("first"), vec![drafted("p1")], at(1)).await.unwrap();
    store.set_job_state(&id("first"), JobState::Done, None, None, at(1)).await.unwrap();
    let error = store.create_job(job_for("second", "tea", &["p1"])).await.unwrap_err();
    assert_eq!(error.code(), "post-taken", "what was answered in the meantime is not answered again");
}

pub(crate) async fn a_post_that_failed_may_be_claimed_again(place: &dyn Place) {
    let store = place.open();
    project_with(&store, &["p1"]).await;
    store.create_job(job_for("first", "tea", &["p1"])).await.unwrap();
    store.save_answers(&id("first"), vec![unanswered("p1", AnswerStatus::Failed)], at(1)).await.unwrap();
    store.set_job_state(&id("first"), JobState::Done, None, None, at(1)).await.unwrap();
    store.create_job(job_for("second", "tea", &["p1", "p1"])).await.unwrap();
}

pub(crate) async fn removed_posts_take_their_drafts_with_them(place: &dyn Place) {
    let store = place.open();
    project_with(&store, &["p1", "p2", "p3"]).await;
    store.save_answers(&id("a"), vec![drafted("p1"), drafted("p2"), drafted("p3")], at(1)).await.unwrap();
    assert_eq!(store.remove_posts("tea", &["p1".into(), "absent".into()]).await.unwrap(), 1);
    assert_eq!(all_drafts(&store).await, 6);
    assert_eq!(store.remove_all_posts("tea").await.unwrap(), 2);
    assert_eq!(all_drafts(&store).await, 0);
    assert!(store.project("tea").await.unwrap().is_some());
}

pub(crate) async fn posts_are_kept_while_a_job_answers_them(place: &dyn Place) {
    let store = place.open();
    project_with(&store, &["p1", "p2"]).await;
    store.create_job(job_for("a", "tea", &["p2"])).await.unwrap();
    let in_use = StoreError::InUse { project: "tea".into(), job: "a".into() };
    assert_eq!(store.remove_posts("tea", &["p1".into(), "p2".into()]).await.unwrap_err(), in_use);
    assert_eq!(store.remove_all_posts("tea").await.unwrap_err(), in_use);
    assert_eq!(page_of(&store, "tea", None, 10).await.len(), 2, "all or none");
    assert_eq!(store.remove_posts("tea", &["p1".into()]).await.unwrap(), 1);
}

pub(crate) async fn a_funnel_counts_posts_by_how_far_they_have_come(place: &dyn Place) {
    let store = place.open();
    assert_eq!(store.funnel("tea").await.unwrap(), Funnel::default());
    project_with(&store, &["p1", "p2", "p3", "p4"]).await;
    store.create_job(job_for("a", "tea", &["p1", "p2", "p3"])).await.unwrap();
    let scores = vec![score("p1", 0.9, "green"), score("p2", 0.5, "yellow"), score("p3", 0.1, "red")];
    store.save_scores(scores).await.unwrap();
    let answers = vec![drafted("p1"), drafted("p2"), unanswered("p3", AnswerStatus::Blocked)];
    store.save_answers(&id("a"), answers, at(1)).await.unwrap();
    let drafts = store.drafts(&DraftFilter { limit: 100, ..DraftFilter::default() }).await.unwrap();
    let of_p1 = drafts.iter().filter(|row| row.post.id == "p1");
    let first: Vec<String> = of_p1.map(|row| row.draft.id.clone()).take(1).collect();
    store.set_draft_status(&first, DraftStatus::Approved, None, at(2)).await.unwrap();
    let funnel = Funnel {
        posts: 4,
        green: 1,
        yellow: 1,
        red: 1,
        drafted: 2,
        unanswered: 1,
        to_review: 1,
        approved: 1,
        posted: 0,
    };
    assert_eq!(store.funnel("tea").await.unwrap(), funnel);
    store.set_draft_status(&first, DraftStatus::Posted, None, at(3)).await.unwrap();
    assert_eq!(store.funnel("tea").await.unwrap(), Funnel { posted: 1, ..funnel });

    let hundredths = store.score_hundredths("tea").await.unwrap();
    let counted: Vec<(usize, u64)> = hundredths.iter().copied().enumerate().filter(|(_, posts)| *posts > 0).collect();
    assert_eq!((hundredths.len(), counted), (101, vec![(10, 1), (50, 1), (90, 1)]));

    let green = store.scored_posts("tea", Some("green"), None, 10).await.unwrap();
    assert_eq!(green, [(post("p1", 0), Some(score("p1", 0.9, "green")))]);
    let newest = store.scored_posts("tea", None, None, 1).await.unwrap();
    assert_eq!(newest, [(post("p4", 3), None)]);
}
