//! The rules for a model's name on a provider's wire.

use crate::error::ProviderError;

/// The most bytes of a name. No provider has a model with a name as long as this.
pub(crate) const MAX_NAME_BYTES: usize = 128;

/// Checks a name that becomes part of a path: nothing in it may have a meaning there.
pub(crate) fn check_name(name: &str) -> Result<(), ProviderError> {
    check(name, "-_.", "only letters, digits, '-', '_' and '.' can stand in a name")
}

/// Checks a name that only ever stands in a body: `llama3:8b`, `meta-llama/Llama-3.1-8B`, `ft:gpt-x:me::id`.
pub(crate) fn check_free_name(name: &str) -> Result<(), ProviderError> {
    check(name, "-_.:/@+", "only letters, digits and the signs -_.:/@+ can stand in a name")
}

fn check(name: &str, signs: &str, only: &'static str) -> Result<(), ProviderError> {
    let reason = if name.is_empty() {
        "the name is empty"
    } else if name.len() > MAX_NAME_BYTES {
        "the name is longer than 128 characters"
    } else if !name.chars().all(|c| c.is_ascii_alphanumeric() || signs.contains(c)) {
        only
    } else if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        "a name starts with a letter or a digit"
    } else {
        return Ok(());
    };
    Err(ProviderError::BadModel { text: name.chars().take(MAX_NAME_BYTES).collect(), reason })
}
