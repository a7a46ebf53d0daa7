//! The content of a call, whatever its wire format, and the form that its answer is to have.

use serde_json::Value;

use crate::hash::{hash, mix};

/// The content of a call, with the key and the model that it is counted for.
#[derive(Debug, Default)]
pub(crate) struct ReceivedPrompt<'a> {
    pub(crate) key: &'a str,
    pub(crate) model: &'a str,
    /// Every text of the request, the instructions first, without the schema.
    pub(crate) texts: Vec<&'a str>,
    /// The hash of every picture that is sent.
    pub(crate) pictures: Vec<u64>,
    /// The number of images asked for.
    pub(crate) images: u64,
    /// The seed, if one is given.
    pub(crate) seed: Option<i64>,
}

impl ReceivedPrompt<'_> {
    /// Four bytes of text are a token, rounded up once; a picture has as many as Gemini takes for a small one.
    pub(crate) fn tokens(&self) -> u64 {
        tokens(self.texts.iter().map(|text| text.len()).sum()) + PICTURE_TOKENS * self.pictures.len() as u64
    }

    /// A hash of the model, the texts and the pictures: the same request has the same one.
    pub(crate) fn hash(&self) -> u64 {
        let texts = self.texts.iter().fold(hash(0, self.model.as_bytes()), |state, text| hash(state, text.as_bytes()));
        self.pictures.iter().fold(texts, |state, picture| mix(state, *picture))
    }
}

/// The tokens of a picture that is sent.
const PICTURE_TOKENS: u64 = 258;

/// The tokens of so many bytes of text.
pub(crate) fn tokens(bytes: usize) -> u64 {
    bytes.div_ceil(4) as u64
}

/// The form in which an answer is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AnswerForm<'a> {
    /// Words, without a form to keep to.
    Text,
    /// JSON, without a schema to follow.
    Json,
    /// JSON that follows this schema.
    Schema(&'a Value),
    /// One value of this schema's enum, without quotation marks.
    Choice(&'a Value),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_four_bytes_rounded_up_once() {
        let prompt =
            ReceivedPrompt { key: "k", model: "m", texts: vec!["abc", "é", "d"], ..ReceivedPrompt::default() };
        assert_eq!(prompt.tokens(), 2);
        assert_eq!(tokens(0), 0);
    }
}
