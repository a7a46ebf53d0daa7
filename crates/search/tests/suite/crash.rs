//! Damaged files and processes that are killed: a usable index or one that says that it is rebuilt, and
//! never a wrong hit.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use atelier_search::{Change, Document, Index, IndexSettings, Query, SearchError};

use crate::common::{found, image, index_of, put, settings, vector};

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() { files.extend(self::files(&entry.path())) } else { files.push(entry.path()) }
    }
    files.sort();
    files
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(&file, target).unwrap();
    }
}

fn library() -> Vec<Document> {
    let mut random = fastrand::Rng::with_seed(5);
    let captions = ["a red door", "a blue gate", "a green boat", "a door and a gate"];
    let one = |number: usize| Document {
        text: Some(vector(&mut random)),
        look: Some(vector(&mut random)),
        palette: vec![[number as u8, 100, 200]],
        tags: vec!["kept".into()],
        width: 10,
        height: 20,
        ..image(&number.to_string(), captions[number % captions.len()])
    };
    (0..400).map(one).collect()
}

/// Queries of every stage.
fn queries() -> Vec<Query> {
    let mut random = fastrand::Rng::with_seed(9);
    let by_vector = |vector| Query { text: Some(vector), limit: 30, ..Query::default() };
    vec![
        Query { limit: 500, ..Query::words("door gate") },
        by_vector(vector(&mut random)),
        Query { look: Some(vector(&mut random)), ..Query::words("green") },
        Query { color: Some([7, 100, 200]), limit: 500, ..Query::default() },
        Query { filters: vec![atelier_search::Filter::Tag("kept".into())], limit: 500, ..Query::default() },
        Query { like: Some("8".into()), ..Query::default() },
    ]
}

type Answers = Vec<Vec<(String, f32)>>;

fn answers(index: &Index) -> Result<Answers, SearchError> {
    let answer = |query: &Query| {
        let hits = index.search(query)?.hits;
        Ok(hits.into_iter().map(|hit| (hit.id, hit.score)).collect())
    };
    queries().iter().map(answer).collect()
}

/// Opens a damaged copy to write and to read. Both give the right answers or say that it has to be rebuilt.
fn judge(dir: &Path, expected: &Answers, what: &str) -> bool {
    let small = IndexSettings { scanned: 100, ..settings() };
    let mut noticed = false;
    match Index::open_read_only(dir, small.clone()).and_then(|reader| answers(&reader)) {
        Ok(answers) => assert_eq!(answers, *expected, "read, {what}"),
        Err(error) => {
            assert!(
                matches!(error.code(), "index-damaged" | "index-settings-differ" | "index-missing"),
                "{what}: {error:?}"
            );
            noticed = true;
        }
    }
    let index = Index::open(dir, small.clone()).unwrap();
    if index.rebuilt().is_some() || index.images() == 0 {
        assert_eq!((index.applied(), index.images()), (0, 0), "{what}");
        noticed = true;
    } else {
        assert_eq!(index.applied(), 401, "{what}");
        match answers(&index) {
            Ok(answers) => assert_eq!(answers, *expected, "written, {what}"),
            Err(error) => {
                assert_eq!(error.code(), "index-damaged", "{what}");
                drop(index);
                let index = Index::open(dir, small.clone()).unwrap();
                assert!(index.rebuilt().is_some_and(SearchError::wants_rebuild), "{what}: damage is remembered");
                noticed = true;
            }
        }
    }
    noticed
}

#[test]
fn every_file_may_be_damaged_anywhere_and_no_answer_is_wrong() {
    let origin = tempfile::tempdir().unwrap();
    let small = IndexSettings { scanned: 100, ..settings() };
    let index = index_of(origin.path(), small.clone(), library());
    index.apply(&[Change::Remove("3".into()), put(library()[4].clone())], 401).unwrap();
    index.commit().unwrap();
    index.maintain().unwrap();
    let expected = answers(&index).unwrap();
    drop(index);
    let mut random = fastrand::Rng::with_seed(11);
    let mut noticed = 0;
    let all = files(origin.path());
    assert!(all.iter().any(|file| file.extension().is_some_and(|extension| extension == "vec")));
    for file in &all {
        let name = file.strip_prefix(origin.path()).unwrap();
        let bytes = std::fs::read(file).unwrap();
        for round in 0..7 {
            let dir = tempfile::tempdir().unwrap();
            copy(origin.path(), dir.path());
            let place = random.usize(..bytes.len().max(1));
            let mut damaged = bytes.clone();
            match round {
                0 => damaged.clear(),
                1 | 2 => damaged.truncate(place),
                _ if bytes.is_empty() => damaged.push(7),
                _ => damaged[place] ^= 1 << random.u8(..8),
            }
            std::fs::write(dir.path().join(name), &damaged).unwrap();
            noticed +=
                usize::from(judge(dir.path(), &expected, &format!("{} round {round}, byte {place}", name.display())));
        }
        let dir = tempfile::tempdir().unwrap();
        copy(origin.path(), dir.path());
        std::fs::remove_file(dir.path().join(name)).unwrap();
        noticed += usize::from(judge(dir.path(), &expected, &format!("without {}", name.display())));
    }
    assert!(noticed > all.len() * 4, "damage was noticed {noticed} times only");
}

#[test]
fn files_that_a_crash_left_behind_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    drop(index_of(dir.path(), settings(), library()));
    let stray = dir.path().join("g1/vectors/99999999.vec");
    std::fs::write(&stray, b"half a file").unwrap();
    let index = Index::open(dir.path(), settings()).unwrap();
    assert_eq!(index.rebuilt(), None);
    assert!(!stray.exists());
}

const WRITER: &str = "ATELIER_SEARCH_TEST_WRITER";

/// Not a test of its own: the process that is killed. It applies images one by one, each with its number, and
/// says which were committed.
#[test]
fn the_process_that_is_killed() {
    let Ok(dir) = std::env::var(WRITER) else { return };
    let mut random = fastrand::Rng::with_seed(2);
    let index = Index::open(dir, settings()).unwrap();
    let mut out = std::io::stdout();
    for number in index.applied() + 1.. {
        let image = Document { look: Some(vector(&mut random)), ..image(&number.to_string(), "a door") };
        index.apply(&[put(image)], number).unwrap();
        if number % 3 == 0 {
            index.commit().unwrap();
            writeln!(out, "committed {number}").unwrap();
        }
        if number % 60 == 0 {
            index.maintain().unwrap();
        }
    }
}

#[test]
fn after_a_kill_every_change_up_to_the_recorded_one_is_there_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let mut last = 0;
    for lines in [1, 7, 20, 3] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::the_process_that_is_killed", "--nocapture"])
            .env(WRITER, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let committed =
            output.filter_map(|line| line.split("committed ").nth(1).map(|number| number.parse::<u64>().unwrap()));
        let reported = committed.take(lines).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let index = Index::open(dir.path(), settings()).unwrap();
        assert_eq!(index.rebuilt(), None);
        assert!(index.applied() >= reported && reported > last, "{} after {reported} was reported", index.applied());
        let expected: BTreeSet<String> = (1..=index.applied()).map(|number| number.to_string()).collect();
        assert_eq!(found(&index, "door").into_iter().collect::<BTreeSet<_>>(), expected);
        let by_look = Query { look: Some(vector(&mut fastrand::Rng::with_seed(4))), limit: 1000, ..Query::default() };
        assert_eq!(index.search(&by_look).unwrap().total, expected.len());
        last = reported;
    }
}
