//! The settings of OpenAI or a compatible server, from the environment.

use crate::error::ProviderError;
use crate::http::BaseUrl;
use crate::secret::{ApiKey, set};

use super::quirks::Quirks;

/// The variable that replaces the address.
const BASE_URL_VARIABLE: &str = "OPENAI_BASE_URL";

/// The variable that names the quirks of the server there.
const QUIRKS_VARIABLE: &str = "OPENAI_QUIRKS";

/// OpenAI's own address, where no other is configured.
const BASE_URL: &str = "https://api.openai.com/v1";

/// The address to call, the key to call it with, and the quirks of the server there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenAiSettings {
    /// The address, with the API's version.
    pub endpoint: BaseUrl,
    /// The key; local servers often have none.
    pub key: Option<ApiKey>,
    /// The server's differences from OpenAI.
    pub quirks: Quirks,
}

impl OpenAiSettings {
    /// The variable that holds the key.
    pub const KEY_VARIABLE: &str = "OPENAI_API_KEY";

    /// The settings that a process's environment gives: `OPENAI_BASE_URL`, `OPENAI_API_KEY` and
    /// `OPENAI_QUIRKS`. `lookup` gives the value of a variable, such as `|name| std::env::var(name).ok()`; an
    /// empty value counts as none.
    ///
    /// # Errors
    /// [`ProviderError::MissingKey`] if no key is set and OpenAI itself is to be called; otherwise what is
    /// wrong with the key, the address or the name of the quirks.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ProviderError> {
        let endpoint = Self::endpoint_from_env(&lookup)?;
        let key = match ApiKey::from_env(&lookup, &[Self::KEY_VARIABLE]) {
            Err(ProviderError::MissingKey { .. }) if endpoint != Self::own_endpoint()? => None,
            key => Some(key?),
        };
        Ok(Self { endpoint, key, quirks: Self::quirks_from_env(&lookup)? })
    }

    /// The quirks alone: `OPENAI_QUIRKS`, or none.
    ///
    /// # Errors
    /// [`ProviderError::UnknownQuirks`].
    pub fn quirks_from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Quirks, ProviderError> {
        set(&lookup, QUIRKS_VARIABLE).map_or(Ok(Quirks::OPENAI), |name| Quirks::by_name(&name))
    }

    /// The address alone: `OPENAI_BASE_URL`, or OpenAI's own.
    ///
    /// # Errors
    /// [`ProviderError::BadBaseUrl`].
    pub fn endpoint_from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<BaseUrl, ProviderError> {
        set(&lookup, BASE_URL_VARIABLE).map_or_else(Self::own_endpoint, |url| Self::endpoint(&url))
    }

    /// An address as users write it: the API's version follows where there is no path at all.
    ///
    /// # Errors
    /// [`ProviderError::BadBaseUrl`].
    pub fn endpoint(url: &str) -> Result<BaseUrl, ProviderError> {
        let url = BaseUrl::parse(url)?;
        if url.path() == "/" { url.join("/v1") } else { Ok(url) }
    }

    /// OpenAI's own address.
    ///
    /// # Errors
    /// None, unless the program was built with an address that is none.
    pub fn own_endpoint() -> Result<BaseUrl, ProviderError> {
        BaseUrl::parse(BASE_URL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env<'a>(variables: &'a [(&str, &str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn a_key_alone_is_enough() {
        let settings = OpenAiSettings::from_env(env(&[("OPENAI_API_KEY", "k-1")])).unwrap();
        assert_eq!(settings.endpoint.to_string(), BASE_URL);
        assert_eq!((settings.key, settings.quirks), (Some(ApiKey::new("k-1").unwrap()), Quirks::OPENAI));
    }

    #[test]
    fn openai_itself_needs_a_key_and_another_server_does_not() {
        let error = OpenAiSettings::from_env(env(&[])).unwrap_err();
        assert_eq!(error.to_string(), "there is no API key: OPENAI_API_KEY is not set");
        let own = [("OPENAI_BASE_URL", "http://localhost:11434/v1"), ("OPENAI_QUIRKS", "ollama")];
        let settings = OpenAiSettings::from_env(env(&own)).unwrap();
        assert_eq!((settings.key, settings.quirks), (None, Quirks::OLLAMA));
        let wrong = [own[0], ("OPENAI_QUIRKS", "lama")];
        assert_eq!(OpenAiSettings::from_env(env(&wrong)).unwrap_err().code(), "unknown-quirks");
    }

    #[test]
    fn an_address_without_a_path_gets_the_apis_version() {
        for (url, endpoint) in [
            ("http://localhost:11434", "http://localhost:11434/v1"),
            ("http://localhost:11434/", "http://localhost:11434/v1"),
            ("http://localhost:8000/v1/", "http://localhost:8000/v1"),
            ("https://gateway.example/openai", "https://gateway.example/openai"),
        ] {
            assert_eq!(OpenAiSettings::endpoint(url).unwrap().to_string(), endpoint);
        }
    }
}
