//! Where servers that speak OpenAI's format differ from OpenAI: data, chosen by name.

use crate::error::ProviderError;

/// One kind of server, and what it takes. Choose it by name with [`Quirks::by_name`]: `quirks = "ollama"` for an
/// account in `atelier.toml`, or `OPENAI_QUIRKS=ollama` beside `OPENAI_BASE_URL`.
///
/// Whether usage, rate headers or a key are there at all is no quirk: the client does without each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirks {
    /// The name that a user writes.
    pub name: &'static str,
    /// The field that holds the cap on output tokens.
    pub(crate) cap_field: &'static str,
    /// The way in which an answer is made to follow a schema.
    pub(crate) schemas: Schemas,
    /// `true` if embeddings take `dimensions`; where they don't, vectors have the model's own length.
    pub(crate) dimensions: bool,
}

/// The form in which a request carries the schema of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Schemas {
    /// `json_schema` with `strict`, adapted to what strict mode takes.
    Strict,
    /// `json_schema` as it is; the server makes a grammar of it and knows no `strict`.
    AsTheyAre,
    /// `json_object`, and the schema in the instructions: it is asked for and not enforced.
    InWords,
}

impl Quirks {
    /// OpenAI itself, and gateways to it.
    pub const OPENAI: Self =
        Self { name: "openai", cap_field: "max_completion_tokens", schemas: Schemas::Strict, dimensions: true };

    /// Ollama: it ignores `max_completion_tokens`, so an answer would have no cap.
    pub const OLLAMA: Self =
        Self { name: "ollama", cap_field: "max_tokens", schemas: Schemas::AsTheyAre, dimensions: true };

    /// vLLM: only its newer releases know `max_completion_tokens`, and `dimensions` is an error for models
    /// that were not trained for it.
    pub const VLLM: Self =
        Self { name: "vllm", cap_field: "max_tokens", schemas: Schemas::AsTheyAre, dimensions: false };

    /// llama.cpp's server: only newer ones know `max_completion_tokens`, and `dimensions` is ignored.
    pub const LLAMA_CPP: Self =
        Self { name: "llama.cpp", cap_field: "max_tokens", schemas: Schemas::AsTheyAre, dimensions: false };

    /// Any other server: the oldest names, which all know, and no schemas but in words.
    pub const BASIC: Self =
        Self { name: "basic", cap_field: "max_tokens", schemas: Schemas::InWords, dimensions: false };

    /// All quirks, in the order in which the hint lists them.
    pub const ALL: [Self; 5] = [Self::OPENAI, Self::OLLAMA, Self::VLLM, Self::LLAMA_CPP, Self::BASIC];

    /// The quirks that are called `name`.
    ///
    /// # Errors
    /// [`ProviderError::UnknownQuirks`], whose hint names them all.
    pub fn by_name(name: &str) -> Result<Self, ProviderError> {
        let found = Self::ALL.into_iter().find(|quirks| quirks.name == name.trim());
        found.ok_or_else(|| ProviderError::UnknownQuirks {
            name: name.chars().take(60).collect(),
            known: Self::ALL.map(|quirks| quirks.name).to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quirks_are_found_by_their_names_and_an_unknown_name_lists_them() {
        for quirks in Quirks::ALL {
            assert_eq!(Quirks::by_name(quirks.name), Ok(quirks));
        }
        let error = Quirks::by_name("lama").unwrap_err();
        assert_eq!(error.code(), "unknown-quirks");
        assert_eq!(error.hint(), "write one of openai, ollama, vllm, llama.cpp, basic");
    }
}
