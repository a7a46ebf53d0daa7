//! Changes, commits, and what is found when.

use atelier_search::{Change, Document, Index, IndexSettings, Query};

use crate::common::{found, ids, image, index_of, put, settings, vector};

#[test]
fn a_change_is_found_once_it_is_committed() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open(dir.path(), IndexSettings::default()).unwrap();
    assert_eq!((index.applied(), index.images(), index.rebuilt()), (0, 0, None));
    index.apply(&[put(image("a", "a red door"))], 5).unwrap();
    assert_eq!((found(&index, "door").len(), index.applied()), (0, 0));
    index.commit().unwrap();
    assert_eq!((found(&index, "door"), index.applied(), index.images()), (vec!["a".to_owned()], 5, 1));
    assert!(index.contains("a").unwrap() && !index.contains("b").unwrap());
}

#[test]
fn an_image_that_is_put_again_takes_the_place_of_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let index = index_of(dir.path(), IndexSettings::default(), [image("a", "a red door"), image("b", "a red car")]);
    index.apply(&[put(image("a", "a green gate")), put(image("a", "a blue gate"))], 3).unwrap();
    index.commit().unwrap();
    assert_eq!(found(&index, "door"), Vec::<String>::new());
    assert_eq!(found(&index, "green"), Vec::<String>::new());
    assert_eq!(found(&index, "blue gate"), ["a"]);
    assert_eq!(index.images(), 2);
}

#[test]
fn an_image_that_is_put_again_as_it_was_changes_no_score() {
    let dir = tempfile::tempdir().unwrap();
    let images = || [image("a", "a cold winter"), image("b", "a warm winter day"), image("c", "cold water")];
    let index = index_of(dir.path(), IndexSettings::default(), images());
    let ask = || {
        let hits = index.search(&Query { explain: true, ..Query::words("cold winter") }).unwrap();
        let scores: Vec<(String, f32)> = hits.hits.into_iter().map(|hit| (hit.id, hit.score)).collect();
        (scores, hits.explanation.unwrap().words)
    };
    let (scores, words) = ask();
    for seq in 4..8 {
        index.apply(&[put(image("a", "a cold winter"))], seq).unwrap();
        index.commit().unwrap();
    }
    assert_eq!(ask().1, words, "as many images have each word as before");
    let mut again = ask().0;
    again.sort_by(|a, b| a.0.cmp(&b.0));
    let mut scores = scores;
    scores.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(again.len(), scores.len());
    assert!(
        again.iter().zip(&scores).all(|(new, old)| new.0 == old.0 && (new.1 - old.1).abs() < 0.01),
        "{again:?} {scores:?}"
    );
}

#[test]
fn a_removed_image_is_gone_from_every_stage() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(1);
    let look = vector(&mut random);
    let colored = Document { look: Some(look.clone()), palette: vec![[9, 9, 9]], ..image("a", "a red door") };
    let index = index_of(dir.path(), settings(), [colored]);
    let query = Query { look: Some(look), color: Some([9, 9, 9]), ..Query::words("door") };
    assert_eq!(ids(&index.search(&query).unwrap()), ["a"]);
    index.apply(&[Change::Remove("a".into()), Change::Remove("never there".into())], 2).unwrap();
    index.commit().unwrap();
    assert_eq!(index.search(&query).unwrap().total, 0);
    assert_eq!(index.images(), 0);
}

#[test]
fn put_and_removed_within_one_commit_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let index = index_of(dir.path(), IndexSettings::default(), [image("kept", "a door")]);
    let changes = [
        put(image("a", "a door")),
        Change::Remove("a".into()),
        Change::Remove("kept".into()),
        put(image("kept", "a gate")),
    ];
    index.apply(&changes, 9).unwrap();
    index.commit().unwrap();
    assert_eq!((found(&index, "door").len(), found(&index, "gate"), index.images()), (0, vec!["kept".into()], 1));
}

#[test]
fn changes_are_numbered_upwards_and_taken_all_or_none() {
    let dir = tempfile::tempdir().unwrap();
    let index = index_of(dir.path(), IndexSettings::default(), [image("a", "a door"), image("b", "a door")]);
    assert_eq!(index.apply(&[put(image("c", "a door"))], 1).unwrap_err().code(), "index-change-backwards");
    let long = "x".repeat(513);
    for id in ["", long.as_str()] {
        let error = index.apply(&[put(image("c", "a door")), Change::Remove(id.into())], 3).unwrap_err();
        assert_eq!(error.code(), "image-id-invalid");
    }
    index.commit().unwrap();
    assert_eq!((found(&index, "door").len(), index.applied()), (2, 2));
}

#[test]
fn what_was_committed_is_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(1);
    let text = vector(&mut random);
    let index = index_of(dir.path(), settings(), [Document { text: Some(text.clone()), ..image("a", "a door") }]);
    index.apply(&[put(image("b", "not committed"))], 2).unwrap();
    drop(index);
    let index = Index::open(dir.path(), settings()).unwrap();
    assert_eq!((index.applied(), index.images(), index.rebuilt()), (1, 1, None));
    assert_eq!(found(&index, "door"), ["a"]);
    assert_eq!(ids(&index.search(&Query { text: Some(text), ..Query::default() }).unwrap()), ["a"]);
    index.apply(&[put(image("c", "a gate"))], 2).unwrap();
    index.commit().unwrap();
    assert_eq!(found(&index, "gate"), ["c"]);
}

#[test]
fn other_embedders_or_weights_begin_the_index_anew() {
    let dir = tempfile::tempdir().unwrap();
    drop(index_of(dir.path(), settings(), [image("a", "a door")]));
    let mut other = settings();
    other.spaces.text.as_mut().unwrap().embedder = "test/2".parse().unwrap();
    let read_only = Index::open_read_only(dir.path(), other.clone());
    assert_eq!(read_only.err().unwrap().code(), "index-settings-differ");
    let index = Index::open(dir.path(), other.clone()).unwrap();
    assert_eq!(index.rebuilt().unwrap().code(), "index-settings-differ");
    assert!(index.rebuilt().unwrap().wants_rebuild());
    assert_eq!((index.applied(), index.images()), (0, 0));
    drop(index);
    assert_eq!(Index::open(dir.path(), other.clone()).unwrap().rebuilt(), None);
    let mut weights = other;
    weights.fields.caption += 1;
    assert!(Index::open(dir.path(), weights).unwrap().rebuilt().is_some());
}

#[test]
fn weights_of_the_fusion_and_cut_offs_may_change_from_opening_to_opening() {
    let dir = tempfile::tempdir().unwrap();
    drop(index_of(dir.path(), settings(), [image("a", "a door")]));
    let mut other = settings();
    other.fusion.lexical = 3.0;
    other.cut_offs.lexical = 0.9;
    other.scanned = 7;
    assert_eq!(Index::open(dir.path(), other).unwrap().rebuilt(), None);
}

#[test]
fn settings_out_of_range_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut wrong = settings();
    wrong.spaces.look.as_mut().unwrap().dimensions = 0;
    assert_eq!(Index::open(dir.path(), wrong).err().unwrap().code(), "index-setting-invalid");
    let mut wrong = settings();
    wrong.fusion.text = f32::NAN;
    assert_eq!(Index::open(dir.path(), wrong).err().unwrap().code(), "index-setting-invalid");
}

#[test]
fn hundreds_of_small_commits_leave_a_handful_of_files() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(1);
    let index = Index::open(dir.path(), settings()).unwrap();
    for number in 1..=100_u64 {
        let image = Document { look: Some(vector(&mut random)), ..image(&number.to_string(), "a door") };
        index.apply(&[put(image)], number).unwrap();
        index.commit().unwrap();
    }
    let files = || std::fs::read_dir(dir.path().join("g1/vectors")).unwrap().count();
    assert!(files() <= 24, "{} files", files());
    index.maintain().unwrap();
    let query = Query { look: Some(vector(&mut random)), limit: 200, ..Query::default() };
    assert_eq!(index.search(&query).unwrap().total, 100);
}

#[test]
fn a_merge_drops_what_is_dead_and_keeps_what_came_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(1);
    let few = IndexSettings { scanned: 100, ..settings() };
    let image =
        |id: u32, random: &mut fastrand::Rng| Document { look: Some(vector(random)), ..image(&id.to_string(), "") };
    let index = index_of(dir.path(), few.clone(), (0..1000).map(|id| image(id, &mut random)));
    index.apply(&(0..500).map(|id| Change::Remove(id.to_string())).collect::<Vec<_>>(), 1001).unwrap();
    index.commit().unwrap();
    index.apply(&[put(image(5000, &mut random))], 1002).unwrap();
    index.maintain().unwrap();
    assert_eq!((index.applied(), index.images()), (1002, 501), "a merge commits what was applied");
    drop(index);
    let index = Index::open(dir.path(), few).unwrap();
    let query = Query { look: Some(vector(&mut random)), limit: 2000, ..Query::default() };
    let explained = index.search(&Query { explain: true, ..query }).unwrap();
    assert!(explained.hits.iter().all(|hit| hit.id.parse::<u32>().unwrap() >= 500));
    assert!(explained.explanation.unwrap().stages[0].scanned.unwrap() < 500, "lists are left unread");
}

#[test]
fn searches_and_changes_go_on_while_a_merge_runs() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(1);
    let few = IndexSettings { scanned: 500, ..settings() };
    let with_look = |id: u32, random: &mut fastrand::Rng| Document {
        look: Some(vector(random)),
        ..image(&id.to_string(), "a door")
    };
    let index = index_of(dir.path(), few, (0..3000).map(|id| with_look(id, &mut random)));
    std::thread::scope(|scope| {
        let merge = scope.spawn(|| index.maintain().unwrap());
        for id in 3000..3010 {
            index
                .apply(&[put(with_look(id, &mut random)), Change::Remove((id - 3000).to_string())], u64::from(id) + 1)
                .unwrap();
            index.commit().unwrap();
            assert!(!index.contains(&(id - 3000).to_string()).unwrap() && index.contains(&id.to_string()).unwrap());
        }
        merge.join().unwrap();
    });
    index.maintain().unwrap();
    assert_eq!(index.images(), 3000);
    let all = Query { look: Some(vector(&mut random)), limit: 4000, ..Query::default() };
    assert_eq!(index.search(&all).unwrap().hits.len(), index.search(&all).unwrap().total);
    assert_eq!(index.applied(), 3010);
}
