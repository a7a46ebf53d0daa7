//! Keys, and keeping them out of everything that is shown.

use std::fmt;

use atelier_engine::Fault;
use reqwest::header::HeaderValue;

use crate::error::ProviderError;

/// The text that replaces a key.
const REDACTED: &str = "[redacted]";

/// Messages of providers are shown up to this many characters.
const MESSAGE_CHARS: usize = 300;

/// A word of this length that mixes letters and digits may be somebody's key.
const KEY_LIKE_CHARS: usize = 30;

/// A provider's key. It can be sent, and not shown: there is no `Display`, and `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes a key, without the white space around it.
    ///
    /// # Errors
    /// [`ProviderError::BadKey`] if it is empty or has characters that can't stand in a header.
    pub fn new(key: impl AsRef<str>) -> Result<Self, ProviderError> {
        let key = key.as_ref().trim();
        if key.is_empty() {
            return Err(ProviderError::BadKey { reason: "is empty" });
        }
        if !key.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
            return Err(ProviderError::BadKey {
                reason: "has characters that no key has (only visible ASCII is allowed)",
            });
        }
        Ok(Self(key.to_owned()))
    }

    /// The key in the first of the variables `names` that is set. `lookup` gives the value of a variable,
    /// such as `|name| std::env::var(name).ok()`; an empty value counts as none.
    ///
    /// # Errors
    /// [`ProviderError::MissingKey`] naming them all, or [`ProviderError::BadKey`].
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>, names: &[&str]) -> Result<Self, ProviderError> {
        match names.iter().find_map(|name| set(&lookup, name)) {
            Some(key) => Self::new(key),
            None => Err(ProviderError::MissingKey { names: names.iter().map(|&name| name.to_owned()).collect() }),
        }
    }

    /// The key as a header's value, marked so that no HTTP library shows it either.
    pub(crate) fn header(&self) -> Result<HeaderValue, ProviderError> {
        self.header_after("")
    }

    /// As [`ApiKey::header`], with a scheme before it, such as `Bearer `.
    pub(crate) fn header_after(&self, scheme: &str) -> Result<HeaderValue, ProviderError> {
        let mut value = HeaderValue::from_str(&format!("{scheme}{}", self.0))
            .map_err(|_| ProviderError::BadKey { reason: "can't be sent in a header" })?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// A foreign text made fit to be shown: on one line, at most 300 characters, without this key and
    /// without anything that looks like a key.
    pub(crate) fn clean(&self, text: &str) -> String {
        // Before it is cut, so that no part of the key is left at its end.
        self.hide(clean(&self.hide(text.to_owned())))
    }

    /// A fault whose message is without this key, whatever part of an answer it quotes.
    pub(crate) fn hide_in(&self, fault: Fault) -> Fault {
        Fault { message: self.hide(fault.message), ..fault }
    }

    /// A text without this key.
    fn hide(&self, text: String) -> String {
        // A key of a few letters, as test servers take, would be found in ordinary words.
        if self.0.len() >= 8 && text.contains(&self.0) { text.replace(&self.0, REDACTED) } else { text }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey([redacted])")
    }
}

/// The value of a variable, if it holds one.
pub(crate) fn set(lookup: impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    lookup(name).filter(|value| !value.trim().is_empty())
}

/// As [`ApiKey::clean`], where no key is at hand.
pub(crate) fn clean(text: &str) -> String {
    // Bounded before the work, as the text may be megabytes of somebody's web page.
    let line: String = text.chars().take(MESSAGE_CHARS * 8).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<String> = line.split_whitespace().map(redact_word).collect();
    let text = words.join(" ");
    if text.chars().count() <= MESSAGE_CHARS {
        return text;
    }
    let cut: String = text.chars().take(MESSAGE_CHARS).collect();
    format!("{}…", cut.trim_end())
}

fn redact_word(word: &str) -> String {
    let in_key = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while !rest.is_empty() {
        let token = &rest[..rest.find(|c| !in_key(c)).unwrap_or(rest.len())];
        out.push_str(if looks_like_key(token) { REDACTED } else { token });
        rest = &rest[token.len()..];
        let gap = &rest[..rest.find(in_key).unwrap_or(rest.len())];
        out.push_str(gap);
        rest = &rest[gap.len()..];
    }
    out
}

fn looks_like_key(token: &str) -> bool {
    let mixed = token.chars().any(|c| c.is_ascii_digit()) && token.chars().any(|c| c.is_ascii_alphabetic());
    token.starts_with("AIza")
        || (token.starts_with("sk-") && token.len() > 8)
        || (mixed && token.len() >= KEY_LIKE_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_hidden_when_it_is_shown() {
        let key = ApiKey::new(" secret-of-mine\n").unwrap();
        assert_eq!(format!("{key:?}"), "ApiKey([redacted])");
        assert_eq!(format!("{:?}", key.header().unwrap()), "Sensitive");
        assert_eq!(key.clean("the key 'secret-of-mine' is bad"), "the key '[redacted]' is bad");
        let spaced = ApiKey::new("secret of mine").unwrap();
        assert_eq!(spaced.clean("the key 'secret\tof\nmine' is bad"), "the key '[redacted]' is bad");
    }

    #[test]
    fn what_looks_like_a_key_is_hidden_whoever_it_belongs_to() {
        let google = format!("API key AIza{} not valid", "x".repeat(35));
        assert_eq!(clean(&google), "API key [redacted] not valid");
        assert_eq!(clean(&format!("?key={}&a=b", "a1".repeat(20))), "?key=[redacted]&a=b");
        let quota = "GenerateContentInputTokensPerModelPerMinute-FreeTier";
        assert_eq!(clean(quota), quota);
    }

    #[test]
    fn a_foreign_message_is_one_short_line() {
        assert_eq!(clean("a\n\tb\u{1b}[31m  c"), "a b [31m c");
        assert_eq!(clean(&"word ".repeat(1000)).chars().count(), MESSAGE_CHARS);
        assert_eq!(clean(&"é".repeat(1_000_000)).chars().count(), MESSAGE_CHARS + 1);
    }

    #[test]
    fn a_key_that_cant_be_sent_is_refused() {
        for key in ["", "  ", "a\nb", "schlüssel"] {
            assert_eq!(ApiKey::new(key).unwrap_err().code(), "bad-key");
        }
    }
}
