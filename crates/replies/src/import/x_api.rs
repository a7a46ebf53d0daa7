//! Posts as the X API v2 answers them: `data[]` with `public_metrics`, `includes.users[]`.

use std::collections::HashMap;

use atelier_store::Post;
use serde_json::value::RawValue;

use super::fields::{self, Cell};
use super::raw::{RawObject, cell};

/// The authors in `includes.users[]`, by id: handle and followers.
pub(super) type Authors = HashMap<String, (Cell, Cell)>;

/// The authors that an answer includes.
pub(super) fn authors(answer: &RawObject<'_>) -> Authors {
    let users: Vec<RawObject<'_>> = answer
        .get("includes")
        .and_then(|includes| inner(includes))
        .and_then(|includes| serde_json::from_str(includes.get("users")?.get()).ok())
        .unwrap_or_default();
    users
        .iter()
        .filter_map(|user| {
            let id = written(user.get("id")?)?;
            let followers = user.get("public_metrics").and_then(|raw| inner(raw));
            let followers = followers.and_then(|metrics| metrics.get("followers_count").map(|raw| cell(raw)));
            let handle = user.get("username").map_or(Cell::Nothing, |raw| cell(raw));
            Some((id, (handle, followers.unwrap_or(Cell::Nothing))))
        })
        .collect()
}

/// Tells an element of the X API's `data` from one of our posts in a wrapper.
pub(super) fn is_x_api(post: &RawObject<'_>) -> bool {
    post.contains_key("public_metrics") || post.contains_key("author_id") || post.contains_key("created_at")
}

/// Makes a post of an element of `data`.
pub(super) fn post(project: &str, post: &RawObject<'_>, authors: &Authors) -> Result<Post, String> {
    let member = |name: &str| post.get(name).map_or(Cell::Nothing, |raw| cell(raw));
    let metrics = post.get("public_metrics").and_then(|raw| inner(raw)).unwrap_or_default();
    let metric = |name: &str| metrics.get(name).map_or(Cell::Nothing, |raw| cell(raw));
    let author_id = post.get("author_id").and_then(|raw| written(raw));
    let author = match &author_id {
        None => return Err("author_id: it is missing; ask for it in tweet.fields".into()),
        Some(id) => authors.get(id).ok_or_else(|| {
            let id = fields::shortened(id);
            format!("author_id: {id} is not among includes.users; ask for expansions=author_id")
        })?,
    };
    // A post of over 280 characters has its whole text here and the beginning in `text`.
    let whole_text = post.get("note_tweet").and_then(|raw| inner(raw));
    let whole_text = whole_text.and_then(|note| note.get("text").map(|raw| cell(raw)));
    fields::post(project, &|name| match name {
        "id" => member("id"),
        "text" => unescaped(whole_text.clone().unwrap_or_else(|| member("text"))),
        "author" => author.0.clone(),
        "followers" => author.1.clone(),
        "posted_at" => member("created_at"),
        "likes" => metric("like_count"),
        "replies" => metric("reply_count"),
        "reposts" => metric("retweet_count"),
        "views" => metric("impression_count"),
        "lang" => member("lang"),
        _ => Cell::Nothing,
    })
}

/// The API escapes `<`, `>` and `&`, as if every text were to stand in a page. Each is decoded once: what somebody wrote as
/// `&amp;` stays that.
fn unescaped(text: Cell) -> Cell {
    match text {
        Cell::Text(text) if text.contains('&') => {
            Cell::Text(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
        }
        other => other,
    }
}

fn inner(raw: &RawValue) -> Option<RawObject<'_>> {
    serde_json::from_str(raw.get()).ok()
}

/// An id as it was written, as text or as a number.
fn written(raw: &RawValue) -> Option<String> {
    match cell(raw) {
        Cell::Text(text) | Cell::Number(text) => Some(text),
        Cell::Nothing | Cell::Other(_) => None,
    }
}
