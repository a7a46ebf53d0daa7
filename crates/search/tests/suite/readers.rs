//! One owner, and readers that see its commits.

use atelier_search::{Index, IndexSettings};

use crate::common::{found, image, index_of, put, settings};

#[test]
fn only_one_owns_an_index_and_the_other_is_told_who_does() {
    let dir = tempfile::tempdir().unwrap();
    let index = index_of(dir.path(), IndexSettings::default(), [image("a", "a door")]);
    let error = Index::open(dir.path(), IndexSettings::default()).err().unwrap();
    assert_eq!(error.code(), "index-owned");
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
    drop(index);
    assert!(Index::open(dir.path(), IndexSettings::default()).is_ok());
}

#[test]
fn a_reader_sees_the_owners_commits_and_makes_none() {
    let dir = tempfile::tempdir().unwrap();
    let owner = index_of(dir.path(), IndexSettings::default(), [image("a", "a door")]);
    let reader = Index::open_read_only(dir.path(), IndexSettings::default()).unwrap();
    assert_eq!((found(&reader, "door"), reader.applied()), (vec!["a".to_owned()], 1));
    for (number, id) in (2..).zip(["b", "c", "d"]) {
        owner.apply(&[put(image(id, "a door"))], number).unwrap();
        assert_eq!(found(&reader, "door").len() as u64, number - 1);
        owner.commit().unwrap();
        assert_eq!(found(&reader, "door").len() as u64, number);
        assert_eq!(reader.applied(), number);
    }
    assert_eq!(reader.apply(&[], 9).unwrap_err().code(), "index-read-only");
    assert_eq!(reader.commit().unwrap_err().code(), "index-read-only");
    assert_eq!(reader.maintain().unwrap_err().code(), "index-read-only");
}

#[test]
fn a_reader_goes_on_while_the_owner_is_away_and_when_another_comes() {
    let dir = tempfile::tempdir().unwrap();
    drop(index_of(dir.path(), IndexSettings::default(), [image("a", "a door")]));
    let reader = Index::open_read_only(dir.path(), IndexSettings::default()).unwrap();
    assert_eq!(found(&reader, "door"), ["a"]);
    let owner = Index::open(dir.path(), IndexSettings::default()).unwrap();
    owner.apply(&[put(image("b", "a door"))], 2).unwrap();
    owner.commit().unwrap();
    assert_eq!(found(&reader, "door"), ["a", "b"]);
}

#[test]
fn a_reader_follows_an_index_that_is_built_anew() {
    let dir = tempfile::tempdir().unwrap();
    drop(index_of(dir.path(), settings(), [image("a", "a door")]));
    let reader = Index::open_read_only(dir.path(), settings()).unwrap();
    let meta = dir.path().join("g1/words/meta.json");
    std::fs::write(&meta, std::fs::read_to_string(&meta).unwrap().replace("payload", "payl0ad")).unwrap();
    let owner = Index::open(dir.path(), settings()).unwrap();
    owner.apply(&[put(image("b", "a door"))], 2).unwrap();
    owner.commit().unwrap();
    assert_eq!(found(&reader, "door"), ["b"]);
}

#[test]
fn there_is_nothing_to_read_where_nothing_was_written() {
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path().to_owned(), dir.path().join("not there")] {
        let error = Index::open_read_only(path, IndexSettings::default()).err().unwrap();
        assert_eq!(error.code(), "index-missing");
    }
}

#[test]
fn readers_on_other_threads_always_see_whole_commits() {
    let dir = tempfile::tempdir().unwrap();
    let owner = Index::open(dir.path(), IndexSettings::default()).unwrap();
    owner.commit().unwrap();
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let reader = Index::open_read_only(dir.path(), IndexSettings::default()).unwrap();
            let mut last = 0;
            while last < 120 {
                let now = found(&reader, "door").len();
                assert!(now.is_multiple_of(3) && now >= last, "{now} after {last}");
                last = now;
            }
        });
        for commit in 1..=40_u64 {
            let images = (0..3).map(|n| put(image(&format!("{commit}-{n}"), "a door"))).collect::<Vec<_>>();
            owner.apply(&images, commit).unwrap();
            owner.commit().unwrap();
        }
        watch.join().unwrap();
    });
}
