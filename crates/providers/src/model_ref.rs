//! A model of a provider, as a user names it.

use std::fmt;
use std::str::FromStr;

use crate::error::ProviderError;
use crate::model_name::{MAX_NAME_BYTES, check_free_name, check_name};
use crate::{gemini, openai};

/// The model's name where the sandbox is asked for without one.
const SANDBOX_MODEL: &str = "sandbox";

/// The service that answers a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// Google's Gemini API, at its own address or a configured one.
    Gemini,
    /// OpenAI's API, at OpenAI or at any server that speaks it.
    OpenAi,
    /// The local stand-in, which speaks the format of either and calls no model.
    Sandbox,
}

impl Provider {
    /// Every provider, in the order of declaration.
    pub const ALL: [Self; 3] = [Self::Gemini, Self::OpenAi, Self::Sandbox];

    /// The name that a user writes before the colon.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gemini => "gemini",
            Self::OpenAi => "openai",
            Self::Sandbox => "sandbox",
        }
    }

    /// The IANA time zone in which the provider counts its days. The sandbox counts Gemini's, whatever format it
    /// speaks.
    pub const fn day_zone(self) -> &'static str {
        match self {
            Self::Gemini | Self::Sandbox => gemini::DAY_ZONE,
            Self::OpenAi => openai::DAY_ZONE,
        }
    }

    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.name() == name)
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A model as a user writes it: `gemini:gemini-2.5-flash`, `gemini-2.5-flash` (a name alone means
/// `gemini:`), `openai:NAME`, `sandbox` or `sandbox:NAME`, which stand in for Gemini, and `sandbox:openai` or
/// `sandbox:openai:NAME`, which stand in for OpenAI.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelRef {
    provider: Provider,
    wire: Provider,
    name: String,
}

impl ModelRef {
    /// A model by its provider and its name there. A sandbox's stands in for Gemini, unless it is called
    /// `openai` or `openai:NAME`.
    ///
    /// # Errors
    /// [`ProviderError::BadModel`] if the name can't be one.
    pub fn new(provider: Provider, name: &str) -> Result<Self, ProviderError> {
        let (wire, name) = match (provider, name.split_once(':')) {
            (Provider::Sandbox, None) if name == Provider::OpenAi.name() => (Provider::OpenAi, SANDBOX_MODEL),
            (Provider::Sandbox, Some(("openai", name))) => (Provider::OpenAi, name),
            (Provider::Sandbox, _) => (Provider::Gemini, name),
            _ => (provider, name),
        };
        match wire {
            Provider::OpenAi => check_free_name(name)?,
            Provider::Gemini | Provider::Sandbox => check_name(name)?,
        }
        Ok(Self { provider, wire, name: name.to_owned() })
    }

    /// The provider that answers, the sandbox included.
    pub const fn provider(&self) -> Provider {
        self.provider
    }

    /// The provider whose wire format is spoken: the same one, or the one that a sandbox stands in for.
    pub const fn wire(&self) -> Provider {
        self.wire
    }

    /// The model's name on the provider's wire; `sandbox` for a sandbox without a name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `true` for the sandbox that stands in for no model by name, and costs nothing.
    pub fn is_nameless(&self) -> bool {
        self.is_sandbox() && self.name == SANDBOX_MODEL
    }

    /// `true` if no real model is called, so that nothing is paid.
    pub const fn is_sandbox(&self) -> bool {
        matches!(self.provider, Provider::Sandbox)
    }
}

impl FromStr for ModelRef {
    type Err = ProviderError;

    fn from_str(text: &str) -> Result<Self, ProviderError> {
        let text = text.trim();
        match text.split_once(':') {
            None if text == Provider::Sandbox.name() => Self::new(Provider::Sandbox, SANDBOX_MODEL),
            None if Provider::by_name(text).is_some() => {
                Err(ProviderError::BadModel { text: text.to_owned(), reason: "it names a provider and no model" })
            }
            None => match meant(text) {
                Some(meant) => Err(ProviderError::NotGeminis { text: text.to_owned(), meant }),
                None => Self::new(Provider::Gemini, text),
            },
            Some((provider, name)) => match Provider::by_name(provider) {
                Some(provider) => Self::new(provider, name),
                None => Err(ProviderError::UnknownProvider {
                    name: provider.chars().take(MAX_NAME_BYTES).collect(),
                    meant: near_provider(provider).map(|meant| format!("{meant}:{name}")),
                }),
            },
        }
    }
}

/// How the names of models begin that are not Gemini's, and that others answer to on OpenAI's wire.
const OTHERS: [&str; 16] = [
    "gpt-",
    "chatgpt-",
    "o1",
    "o3",
    "o4",
    "text-embedding-3",
    "dall-e",
    "claude",
    "llama",
    "mistral",
    "mixtral",
    "qwen",
    "deepseek",
    "grok",
    "phi-",
    "kimi",
];

/// How far apart two names are that one may be meant by the other.
const TYPO: usize = 2;

/// What a name without a provider probably means, if it is none of Gemini's.
fn meant(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    if OTHERS.iter().any(|beginning| lower.starts_with(beginning)) {
        return Some(format!("openai:{text}"));
    }
    if lower.starts_with(Provider::Gemini.name()) {
        return None;
    }
    let provider = near_provider(text)?;
    Some(if provider == Provider::Sandbox { provider.to_string() } else { format!("{provider}:MODEL") })
}

/// The provider whose name is written almost so.
fn near_provider(text: &str) -> Option<Provider> {
    let lower = text.trim().to_ascii_lowercase();
    // In a short name two letters are most of it.
    let near = |provider: &Provider| strsim::osa_distance(&lower, provider.name()) <= TYPO.min(lower.len() / 3);
    Provider::ALL.into_iter().find(near)
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.provider.fmt(f)?;
        if self.is_sandbox() && self.wire != Provider::Gemini {
            write!(f, ":{}", self.wire)?;
        }
        if self.is_sandbox() && self.name == SANDBOX_MODEL { Ok(()) } else { write!(f, ":{}", self.name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_read_as_it_is_written() {
        for (text, provider, name, shown) in [
            ("gemini:gemini-2.5-flash", Provider::Gemini, "gemini-2.5-flash", "gemini:gemini-2.5-flash"),
            ("gemini-2.5-flash", Provider::Gemini, "gemini-2.5-flash", "gemini:gemini-2.5-flash"),
            ("sandbox", Provider::Sandbox, "sandbox", "sandbox"),
            (" sandbox:fast ", Provider::Sandbox, "fast", "sandbox:fast"),
            ("sandbox:openai", Provider::Sandbox, "sandbox", "sandbox:openai"),
            ("sandbox:openai:gpt-x", Provider::Sandbox, "gpt-x", "sandbox:openai:gpt-x"),
            ("openai:gpt-x", Provider::OpenAi, "gpt-x", "openai:gpt-x"),
            ("openai:llama3:8b", Provider::OpenAi, "llama3:8b", "openai:llama3:8b"),
            (
                "openai:meta-llama/Llama-3.1-8B",
                Provider::OpenAi,
                "meta-llama/Llama-3.1-8B",
                "openai:meta-llama/Llama-3.1-8B",
            ),
        ] {
            let model: ModelRef = text.parse().unwrap();
            assert_eq!(model.wire() == Provider::OpenAi, text.contains("openai"), "{text}");
            assert_eq!((model.provider(), model.name()), (provider, name));
            assert_eq!(model.to_string(), shown);
            assert_eq!(shown.parse::<ModelRef>().unwrap(), model);
        }
    }

    #[test]
    fn what_names_no_model_says_why() {
        for (text, code) in [
            ("", "bad-model"),
            ("gemini", "bad-model"),
            ("gemini:", "bad-model"),
            ("sandbox:", "bad-model"),
            ("gemini:../../secrets", "bad-model"),
            ("gemini:..", "bad-model"),
            ("gemini:a?key=b", "bad-model"),
            ("gemini:a b", "bad-model"),
            ("openai", "bad-model"),
            ("openai:", "bad-model"),
            ("openai:a b", "bad-model"),
            ("openai:/etc", "bad-model"),
            ("sandbox:openai:", "bad-model"),
            ("sandbox:gemini:x", "bad-model"),
            ("sandbx", "not-geminis"),
            ("gpt-5", "not-geminis"),
            ("opnai:gpt-x", "unknown-provider"),
            ("llama3:8b", "unknown-provider"),
            (&"x".repeat(129), "bad-model"),
        ] {
            let error = text.parse::<ModelRef>().unwrap_err();
            assert_eq!(error.code(), code, "{text}");
            assert!(!error.hint().is_empty());
        }
    }

    #[test]
    fn a_misspelt_model_says_which_it_might_be() {
        for (text, meant) in [
            ("sandbx", "sandbox"),
            ("Sandbox", "sandbox"),
            ("gpt-5", "openai:gpt-5"),
            ("claude-9", "openai:claude-9"),
            ("opnai:gpt-x", "openai:gpt-x"),
            ("gemni:gemini-2.5-flash", "gemini:gemini-2.5-flash"),
        ] {
            let error = text.parse::<ModelRef>().unwrap_err();
            assert!(error.hint().contains(&format!("did you mean {meant}?")), "{text}: {}", error.hint());
        }
    }

    #[test]
    fn the_zone_of_a_providers_day_exists() {
        for provider in Provider::ALL {
            assert!(jiff::tz::TimeZone::get(provider.day_zone()).is_ok());
        }
    }
}
