//! Files of posts as users import them.

use std::collections::HashSet;
use std::sync::LazyLock;

use atelier_replies::score::{self, Relevance};
use atelier_replies::{Finder, import};

static FINDER: LazyLock<Finder> = LazyLock::new(Finder::default);

/// The name of a file on the first line, and its content.
pub fn check(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let name = String::from_utf8_lossy(&input[..end]);
    let content = input.get(end + 1..).unwrap_or_default();
    let name = Some(&*name).filter(|name| !name.is_empty());
    let result = import::read("bikes", name, content);
    let Ok(imported) = result else {
        let error = result.expect_err("an error").to_string();
        assert!(!error.is_empty());
        return;
    };
    let lines = content.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    let mut ids = HashSet::new();
    for post in &imported.posts {
        assert!((1..=128).contains(&post.id.len()) && !post.id.contains(char::is_whitespace), "{post:?}");
        assert!(ids.insert(&post.id), "{} came twice", post.id);
        assert!(!post.text.trim().is_empty() && !post.author.is_empty(), "{post:?}");
        assert!(post.url.to_ascii_lowercase().starts_with("http"), "{post:?}");
        for count in [post.followers, post.likes, post.replies, post.reposts, post.views] {
            assert!(i64::try_from(count).is_ok(), "{post:?}");
        }
        // A score is a number between 0 and 1 whenever the post was written.
        let score = score::score(&FINDER, post, Relevance::new(0.5, 0.1), post.posted_at);
        assert!((0.0..=1.0).contains(&score.total), "{score:?} of {post:?}");
    }
    for bad in &imported.bad {
        assert!((1..=lines).contains(&bad.line), "{bad:?} of {lines} lines");
        assert!(!bad.reason.is_empty(), "{bad:?}");
    }
}
