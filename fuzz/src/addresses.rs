//! Addresses of servers as users write them.

use atelier_providers::{BaseUrl, OpenAiSettings};
use url::Url;

/// What stands where something secret may: before an `@`, after a `?`, after a `#`.
const SECRET: &str = "hidden7";

/// An address. Where it holds [`SECRET`] in a secret place, no message does.
pub fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for result in [BaseUrl::parse(&text), OpenAiSettings::endpoint(&text)] {
        match result {
            Ok(base) => check_address(&base),
            Err(error) => {
                let message = error.to_string();
                assert_eq!(error.code(), "bad-base-url");
                assert!(!message.chars().any(char::is_control), "{message:?}");
                assert!(message.chars().count() <= 500, "{message}");
                let told = message.matches(SECRET).count();
                assert!(told <= text.matches(SECRET).count() - in_secret_places(&text), "{text:?} became {message:?}");
            }
        }
    }
}

fn check_address(base: &BaseUrl) {
    let shown = base.to_string();
    assert_eq!(BaseUrl::parse(&shown).as_ref().map(ToString::to_string), Ok(shown.clone()));
    let url = Url::parse(&shown).expect("an address");
    assert!(["http", "https"].contains(&url.scheme()) && url.has_host(), "{url}");
    assert!(url.username().is_empty() && url.password().is_none(), "{url}");
    assert!(url.query().is_none() && url.fragment().is_none(), "{url}");
}

/// How often [`SECRET`] stands where something secret may.
fn in_secret_places(text: &str) -> usize {
    let (before, after) = text.split_at(text.find(['?', '#']).unwrap_or(text.len()));
    let user = before.rfind('@').map_or("", |at| &before[..at]);
    user.matches(SECRET).count() + after.matches(SECRET).count()
}
