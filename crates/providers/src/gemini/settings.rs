//! Gemini's settings, from the environment.

use crate::error::ProviderError;
use crate::http::BaseUrl;
use crate::secret::{ApiKey, set};

/// The variable that replaces the address.
const BASE_URL_VARIABLE: &str = "GOOGLE_GEMINI_BASE_URL";

/// Google's own address, where no other is configured.
const BASE_URL: &str = "https://generativelanguage.googleapis.com";

/// The address to call, and the key to call it with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeminiSettings {
    /// The address, without the API's version.
    pub endpoint: BaseUrl,
    /// The key for that address.
    pub key: ApiKey,
}

impl GeminiSettings {
    /// The variables that may hold a key, as Google's SDKs name them; the first that is set counts.
    pub const KEY_VARIABLES: [&str; 2] = ["GEMINI_API_KEY", "GOOGLE_API_KEY"];

    /// The settings that a process's environment gives. `lookup` gives the value of a variable, such as
    /// `|name| std::env::var(name).ok()`; an empty value counts as none.
    ///
    /// # Errors
    /// [`ProviderError::MissingKey`] if no key is set; otherwise what is wrong with the key or the address.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ProviderError> {
        Ok(Self { endpoint: Self::endpoint_from_env(&lookup)?, key: ApiKey::from_env(&lookup, &Self::KEY_VARIABLES)? })
    }

    /// The address alone: `GOOGLE_GEMINI_BASE_URL`, or Google's own.
    ///
    /// # Errors
    /// [`ProviderError::BadBaseUrl`].
    pub fn endpoint_from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<BaseUrl, ProviderError> {
        BaseUrl::parse(set(&lookup, BASE_URL_VARIABLE).as_deref().unwrap_or(BASE_URL))
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
        let settings = GeminiSettings::from_env(env(&[("GOOGLE_API_KEY", "k-1")])).unwrap();
        assert_eq!(settings.endpoint.to_string(), BASE_URL);
        assert_eq!(settings.key, ApiKey::new("k-1").unwrap());
    }

    #[test]
    fn geminis_own_variable_goes_before_googles() {
        let both = [("GOOGLE_API_KEY", "k-1"), ("GEMINI_API_KEY", "k-2")];
        assert_eq!(GeminiSettings::from_env(env(&both)).unwrap().key, ApiKey::new("k-2").unwrap());
    }

    #[test]
    fn an_empty_variable_counts_as_none() {
        let empty = [("GEMINI_API_KEY", " "), ("GOOGLE_API_KEY", "k-1"), ("GOOGLE_GEMINI_BASE_URL", "")];
        assert!(GeminiSettings::from_env(env(&empty)).is_ok());
        assert_eq!(GeminiSettings::from_env(env(&empty[..1])).unwrap_err().code(), "missing-key");
    }

    #[test]
    fn the_address_is_replaced_by_the_variable_of_googles_sdks() {
        let set = [("GEMINI_API_KEY", "k-1"), ("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:8080/")];
        assert_eq!(GeminiSettings::from_env(env(&set)).unwrap().endpoint.to_string(), "http://127.0.0.1:8080");
        let wrong = [("GEMINI_API_KEY", "k-1"), ("GOOGLE_GEMINI_BASE_URL", "127.0.0.1:8080")];
        assert_eq!(GeminiSettings::from_env(env(&wrong)).unwrap_err().code(), "bad-base-url");
    }
}
