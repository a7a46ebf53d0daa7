//! Passwords: checked, hashed, compared.

use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use super::secrets::Secret;
use crate::error::{AppError, AppResult};

/// The least characters of a password, where nothing else is asked of it (NIST SP 800-63B, 5.1.1: length, and no rules
/// about its letters).
const SHORTEST: usize = 10;
/// Longer ones are refused and not cut: bytes.
const LONGEST: usize = 1024;
/// A hash takes 19 MiB and 25 ms of a core: so many at a time, and the others wait.
const AT_ONCE: usize = 2;

/// Hashes passwords, a few at a time.
pub(super) struct Passwords {
    turns: Semaphore,
}

/// The hash of a password that nobody has: comparing with it takes as long as with anybody's, so that the time of an
/// answer does not say whether there is a user of that name.
static NOBODYS: LazyLock<Option<String>> = LazyLock::new(|| {
    let secret = Secret::random("").ok()?;
    hash_now(secret.reveal()).ok()
});

static PASSWORDS: LazyLock<Passwords> = LazyLock::new(|| Passwords { turns: Semaphore::new(AT_ONCE) });

impl Passwords {
    /// Those of this process: what is limited is its memory.
    pub(super) fn here() -> &'static Self {
        &PASSWORDS
    }

    /// The hash of a new password.
    ///
    /// # Errors
    /// `password-too-short`, `password-too-long`.
    pub(super) async fn hash(&self, password: &Secret) -> AppResult<String> {
        let text = password.reveal();
        if text.chars().count() < SHORTEST {
            let message = format!("a password has at least {SHORTEST} characters");
            return Err(AppError::new(code!("password-too-short"), message).hint("a few words make a good one"));
        }
        if text.len() > LONGEST {
            let message = format!("a password has at most {LONGEST} bytes");
            return Err(AppError::new(code!("password-too-long"), message));
        }
        let text = text.to_owned();
        self.blocking(move || hash_now(&text)).await?
    }

    /// Whether this is the password of this hash. Without one it takes as long, and is not.
    pub(super) async fn is(&self, password: &Secret, hash: Option<String>) -> AppResult<bool> {
        let text = password.reveal().to_owned();
        if text.len() > LONGEST {
            return Ok(false);
        }
        let known = hash.is_some();
        let same = self
            .blocking(move || {
                let hash = hash.or_else(|| NOBODYS.clone()).unwrap_or_default();
                let parsed = PasswordHash::new(&hash);
                parsed.is_ok_and(|hash| Argon2::default().verify_password(text.as_bytes(), &hash).is_ok())
            })
            .await?;
        Ok(same && known)
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> AppResult<T> {
        let _turn = self.turns.acquire().await;
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| AppError::new(code!("thread-ended"), error.to_string()))
    }
}

/// By argon2id as OWASP and the crate recommend it: 19 MiB, two passes, one lane.
fn hash_now(password: &str) -> AppResult<String> {
    let failed = |error: String| AppError::new(code!("runtime"), format!("a password can't be hashed: {error}"));
    let mut salt = [0_u8; 16];
    getrandom::fill(&mut salt).map_err(|error| failed(error.to_string()))?;
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    Ok(hash.map_err(|error| failed(error.to_string()))?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other_is() {
        let passwords = Passwords::here();
        let hash = passwords.hash(&Secret::given("correct horse battery")).await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(passwords.is(&Secret::given("correct horse battery"), Some(hash.clone())).await.unwrap());
        assert!(!passwords.is(&Secret::given("correct horse batterz"), Some(hash)).await.unwrap());
        assert!(!passwords.is(&Secret::given("correct horse battery"), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_short_one_is_refused_and_letters_count_not_bytes() {
        let passwords = Passwords::here();
        let refused = passwords.hash(&Secret::given("짧은비밀번호")).await.unwrap_err();
        assert_eq!(refused.code(), "password-too-short");
        assert!(passwords.hash(&Secret::given("아주아주아주긴비밀번호")).await.is_ok());
        let refused = passwords.hash(&Secret::given(&"x".repeat(2000))).await.unwrap_err();
        assert_eq!(refused.code(), "password-too-long");
    }
}
