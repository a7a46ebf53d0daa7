//! Which embedder made a vector.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::EmbedError;

/// Name and version of an embedder, written `NAME/VERSION`, such as `minilm-l6-v2-int8/1`.
///
/// Vectors with different ids lie in different spaces and are never compared; a stored vector is found by
/// this id and the hash of its text. The version changes with anything that changes vectors: weights,
/// tokenizer, pooling, length limit, dimensions asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmbedderId {
    text: String,
    slash: usize,
}

impl EmbedderId {
    /// The whole id, as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before the last slash.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.text[..self.slash]
    }

    /// The part after the last slash.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.text[self.slash + 1..]
    }
}

impl FromStr for EmbedderId {
    type Err = EmbedError;

    /// # Errors
    /// [`EmbedError::EmbedderId`] if there is no slash, nothing before or after it, or a space or control
    /// character anywhere.
    fn from_str(text: &str) -> Result<Self, EmbedError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for EmbedderId {
    type Error = EmbedError;

    fn try_from(text: String) -> Result<Self, EmbedError> {
        let clean = !text.chars().any(|c| c.is_whitespace() || c.is_control());
        match text.rfind('/') {
            Some(slash) if clean && slash > 0 && slash + 1 < text.len() => Ok(Self { text, slash }),
            _ => Err(EmbedError::EmbedderId(text)),
        }
    }
}

impl From<EmbedderId> for String {
    fn from(id: EmbedderId) -> Self {
        id.text
    }
}

impl fmt::Display for EmbedderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn an_id_splits_at_its_last_slash() {
        let id: EmbedderId = "models/gemini-embedding-001/768".parse().unwrap();
        assert_eq!((id.name(), id.version()), ("models/gemini-embedding-001", "768"));
        assert_eq!(id.to_string(), "models/gemini-embedding-001/768");
    }

    #[test]
    fn a_text_without_name_version_or_with_spaces_is_no_id() {
        for text in ["", "/", "minilm", "minilm/", "/1", "mini lm/1", "minilm/1\n", "é/\u{0}"] {
            let error = text.parse::<EmbedderId>().unwrap_err();
            assert_eq!(error.code(), "embedder-id-invalid", "{text:?}");
        }
    }

    #[test]
    fn an_id_is_a_plain_string_in_json_and_is_checked_on_the_way_in() {
        let id: EmbedderId = "minilm-l6-v2-int8/1".parse().unwrap();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, "\"minilm-l6-v2-int8/1\"");
        assert_eq!(serde_json::from_str::<EmbedderId>(&json).unwrap(), id);
        assert!(serde_json::from_str::<EmbedderId>("\"minilm\"").is_err());
    }
}
