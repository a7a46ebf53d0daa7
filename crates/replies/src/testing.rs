//! Fixtures of the unit tests.

use atelier_engine::Timestamp;
use atelier_store::Post;

/// An ordinary post.
pub(crate) fn post(id: &str, text: &str) -> Post {
    Post {
        project: "bikes".into(),
        id: id.into(),
        text: text.into(),
        author: "anna".into(),
        followers: 5_000,
        posted_at: Timestamp::from_micros(1_700_000_000_000_000),
        likes: 40,
        replies: 0,
        reposts: 4,
        views: 900,
        lang: None,
        url: format!("https://x.com/i/status/{id}"),
    }
}
