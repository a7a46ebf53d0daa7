//! Secrets that this program makes.

use std::fmt;

use crate::error::{AppError, AppResult};

/// Bytes of a secret: 256 bits, which nobody guesses, so that a plain hash of them can be kept.
const BYTES: usize = 32;

/// What opens a door, in the moment in which it is made or shown. It is never kept, and never printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// A new one, which begins so: whoever finds it in a log or a repository sees what it is.
    ///
    /// # Errors
    /// `runtime` if the system has no randomness to give.
    pub(crate) fn random(prefix: &str) -> AppResult<Self> {
        let mut bytes = [0_u8; BYTES];
        getrandom::fill(&mut bytes)
            .map_err(|error| AppError::new(code!("runtime"), format!("the system gives no random bytes: {error}")))?;
        Ok(Self(format!("{prefix}{}", hex(&bytes))))
    }

    /// One that somebody brings.
    #[must_use]
    pub fn given(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The secret itself: for whoever it is handed to.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub(crate) fn hash(&self) -> String {
        blake3::hash(self.0.as_bytes()).to_hex().to_string()
    }
}

/// An id that says nothing and is nobody else's.
pub(crate) fn random_id(prefix: &str) -> AppResult<String> {
    let secret = Secret::random("")?;
    Ok(format!("{prefix}{}", secret.0.get(..16).unwrap_or_default()))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
