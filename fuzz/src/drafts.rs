//! What a model answers when it is asked for drafts: JSON, wrapped or cut or none at all.

use std::collections::HashSet;
use std::sync::LazyLock;

use atelier_engine::{Content, Ending, Item, Outcome, Reply, Task, Usage, Verdict};
use atelier_replies::{DraftTask, Drafted, Finder, ReplyKind};
use serde_json::{Value, json};

const KINDS: [ReplyKind; 2] = [ReplyKind::Funny, ReplyKind::Relate];
const IDS: [&str; 4] = ["1", "2", "1234567890123456789", "x y"];

static TASK: LazyLock<DraftTask> = LazyLock::new(|| {
    let mut finder = Finder::default();
    finder.generation.kinds = KINDS.to_vec();
    DraftTask::new([("bikes", &finder)], 65_536)
});

static ITEMS: LazyLock<Vec<Item>> = LazyLock::new(|| {
    let item = |(seq, id): (u64, &&str)| {
        let post = json!({"id": id, "author": "anna", "topic": "repairs", "text": "Why does it creak?"});
        Item { seq, lane: "bikes".into(), payload: post.to_string().into() }
    };
    (0..).zip(&IDS).map(item).collect()
});

/// A first line that starts with `cut` makes whole answers of the lines that follow, and cuts them; anything
/// else is an answer as it is.
pub fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match text.strip_prefix("cut ").and_then(|rest| rest.split_once('\n')) {
        Some((cut, texts)) => check_cut(cut, texts),
        None => check_any(&text),
    }
}

/// Outcomes of an answer, each with its drafts.
fn parse(answer: &str) -> Vec<(u64, Vec<Drafted>)> {
    let reply = |ending| Reply {
        content: Content::Text(answer.to_owned()),
        ending,
        usage: Usage::default(),
        limits: Vec::new(),
    };
    let outcomes = TASK.parse(&reply(Ending::Complete), &ITEMS);
    assert_eq!(outcomes, TASK.parse(&reply(Ending::Cut), &ITEMS), "the same answer was read in two ways");
    outcomes.into_iter().map(drafts).collect()
}

fn drafts(outcome: Outcome) -> (u64, Vec<Drafted>) {
    let Verdict::Done { result } = outcome.verdict else { panic!("an answer fails no item: {outcome:?}") };
    (outcome.seq, serde_json::from_str(&result).expect("drafts"))
}

fn check_any(answer: &str) {
    let mut seen = HashSet::new();
    for (seq, drafts) in parse(answer) {
        assert!(usize::try_from(seq).is_ok_and(|seq| seq < IDS.len()), "item {seq} was not asked for");
        assert!(seen.insert(seq), "item {seq} has two outcomes");
        assert!(drafts.iter().map(|draft| draft.kind).eq(KINDS), "{drafts:?}");
        for draft in &drafts {
            assert!(!draft.text.is_empty() && draft.text.trim() == draft.text, "{draft:?}");
            // Nothing is made up. With escapes in it, a text looks different from what was written.
            assert!(answer.contains('\\') || answer.contains(&draft.text), "{draft:?}");
        }
    }
}

/// Texts, a line each, as drafts of a whole answer, of which the first `cut` bytes came.
fn check_cut(cut: &str, texts: &str) {
    let cut: usize = cut.trim().parse().unwrap_or(usize::MAX);
    let mut texts = texts.lines();
    let mut whole = ["", "Sure! Here you go:\n```json\n", "[1] "][cut % 3].to_owned();
    whole.push_str(r#"{"replies":["#);
    let mut expected = Vec::new();
    for (seq, id) in (0..).zip(IDS) {
        let (funny, relate) = (texts.next().unwrap_or("a"), texts.next().unwrap_or("b"));
        if seq > 0 {
            whole.push(',');
        }
        let id = if seq == 2 { json!(1_234_567_890_123_456_789_u64) } else { json!(id) };
        whole.push_str(&json!({"id": id, "funny": funny, "relate": relate, "note": Value::Null}).to_string());
        if whole.len() <= cut && [funny, relate].iter().all(|text| !text.trim().is_empty()) {
            expected.push((seq, [funny.trim().to_owned(), relate.trim().to_owned()].to_vec()));
        }
    }
    whole.push_str("]}\n```");
    let end = (0..=cut.min(whole.len())).rev().find(|end| whole.is_char_boundary(*end)).unwrap_or(0);
    let found: Vec<(u64, Vec<String>)> = parse(&whole[..end])
        .into_iter()
        .map(|(seq, drafts)| (seq, drafts.into_iter().map(|draft| draft.text).collect()))
        .collect();
    assert_eq!(found, expected, "of {}", &whole[..end]);
}
