//! Errors in the configuration of a provider.

/// Why a provider can't be used as it is configured. No message holds a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// No key is set in the environment.
    #[error("there is no API key: {}", unset(names))]
    MissingKey {
        /// The environment variables that were read, in order.
        names: Vec<String>,
    },
    /// The key can't be sent.
    #[error("the API key {reason}")]
    BadKey {
        /// The defect, as the end of a sentence about the key.
        reason: &'static str,
    },
    /// The address can't be used.
    #[error("'{url}' is not a base URL: {reason}")]
    BadBaseUrl {
        /// The address, without the parts that may be secret.
        url: String,
        /// The defect, from the URL parser or from a rule of [`BaseUrl`](crate::BaseUrl).
        reason: String,
    },
    /// The provider's name is not known.
    #[error("there is no provider '{name}'")]
    UnknownProvider {
        /// The name before the colon, cut to 128 characters.
        name: String,
        /// What was probably meant.
        meant: Option<String>,
    },
    /// A name without a provider, which means Gemini's, of a model that is not.
    #[error("'{text}' is no model of Gemini's, and a name alone means one")]
    NotGeminis {
        /// The text as given.
        text: String,
        /// What was probably meant.
        meant: String,
    },
    /// The model's name can't be one.
    #[error("'{text}' does not name a model: {reason}")]
    BadModel {
        /// The text as given, cut to 128 characters.
        text: String,
        /// The rule that it breaks.
        reason: &'static str,
    },
    /// An https:// address can't be trusted, because this machine has no root certificates.
    #[error("no root certificates were found on this machine, so no https:// address can be trusted: {reason}")]
    NoRootCertificates {
        /// The TLS library's own message.
        reason: String,
    },
    /// The HTTP client can't be made.
    #[error("the HTTP client can't be started: {reason}")]
    HttpClient {
        /// The HTTP library's own message.
        reason: String,
    },
    /// The name of a server's quirks is not known.
    #[error("there are no quirks called '{name}'")]
    UnknownQuirks {
        /// The name as given, cut to 60 characters.
        name: String,
        /// The names that are known, for the hint.
        known: Vec<&'static str>,
    },
    /// A price table can't be used.
    #[error("the price table {name} can't be used: {reason}")]
    BadPrices {
        /// The name of the table's file.
        name: String,
        /// The defect, after the line or the model that has it.
        reason: String,
    },
}

atelier_engine::error_codes! {
    ProviderError {
        Self::MissingKey { .. } => "missing-key";
        Self::BadKey { .. } => "bad-key";
        Self::BadBaseUrl { .. } => "bad-base-url";
        Self::UnknownProvider { .. } => "unknown-provider";
        Self::NotGeminis { .. } => "not-geminis";
        Self::BadModel { .. } => "bad-model";
        Self::NoRootCertificates { .. } => "no-root-certificates";
        Self::HttpClient { .. } => "http-client";
        Self::UnknownQuirks { .. } => "unknown-quirks";
        Self::BadPrices { .. } => "bad-prices";
    }
}

impl ProviderError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::MissingKey { names } => format!(
                "set {} to your key, or use the model sandbox to try everything without a key and without cost",
                names.first().map_or("the environment variable", String::as_str)
            ),
            Self::BadKey { .. } => "copy the key again, whole and without quotation marks".to_owned(),
            Self::BadBaseUrl { .. } => {
                "write the server's address, such as https://generativelanguage.googleapis.com or http://127.0.0.1:11434/v1"
                    .to_owned()
            }
            Self::NotGeminis { meant, .. } | Self::UnknownProvider { meant: Some(meant), .. } => {
                format!("did you mean {meant}?")
            }
            Self::UnknownProvider { meant: None, .. } => {
                "write gemini:MODEL, openai:MODEL (for any compatible server), or sandbox; a name alone means gemini:"
                    .to_owned()
            }
            Self::BadModel { .. } => {
                "write a model such as gemini:gemini-2.5-flash or openai:MODEL, or sandbox".to_owned()
            }
            Self::NoRootCertificates { .. } => {
                "install the certificates (on Debian: apt-get install ca-certificates), or set SSL_CERT_FILE".to_owned()
            }
            Self::HttpClient { .. } => "check the proxy settings in the environment".to_owned(),
            Self::UnknownQuirks { known, .. } => format!("write one of {}", known.join(", ")),
            Self::BadPrices { .. } => {
                "write it as the built-in table, assets/prices.toml, is written, or give litellm's prices as JSON".to_owned()
            },
        }
    }
}

fn unset(names: &[String]) -> String {
    match names {
        [name] => format!("{name} is not set"),
        names => format!("neither {} is set", names.join(" nor ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_key_says_what_to_set_and_how_to_do_without() {
        let error = ProviderError::MissingKey { names: vec!["GEMINI_API_KEY".into(), "GOOGLE_API_KEY".into()] };
        assert_eq!(error.to_string(), "there is no API key: neither GEMINI_API_KEY nor GOOGLE_API_KEY is set");
        assert!(error.hint().contains("set GEMINI_API_KEY") && error.hint().contains("model sandbox"));
    }
    #[test]
    fn one_missing_variable_is_named_alone() {
        let error = ProviderError::MissingKey { names: vec!["OPENAI_API_KEY".into()] };
        assert_eq!(error.to_string(), "there is no API key: OPENAI_API_KEY is not set");
    }
}
