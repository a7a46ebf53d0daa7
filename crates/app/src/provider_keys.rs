//! Keys of providers that an administrator writes: sealed, tried, and never read.
//!
//! The database holds them sealed by ChaCha20-Poly1305 (RFC 8439), with the account and the address that each is for as
//! what is authenticated beside it. What opens them is in a file of its own, so that a copy of the database opens nothing.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use atelier_providers::{ApiKey, BaseUrl};
use atelier_store::{SealedKey, Store};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::accounts::{Origin, Secret};
use crate::app::App;
use crate::clients::{ProviderAccount, Remote};
use crate::error::{AppError, AppResult, excerpt};
use crate::pools::Intent;
use crate::views::{KeySource, ProviderListView, ProviderView, TriedView};

/// The file of the key that seals the others, in the data directory, if the configuration names no other.
const KEY_FILE: &str = "provider-keys.secret";
/// Bytes of a key of ChaCha20.
const KEY_LEN: usize = 32;

/// The keys of the store, as far as they are asked for.
pub(crate) struct StoredKeys {
    sealed: Vec<SealedKey>,
    file: PathBuf,
    key: OnceLock<AppResult<LessSafeKey>>,
}

impl StoredKeys {
    /// Those that there are; none where there is no store yet.
    pub(crate) async fn read(app: &App) -> AppResult<Self> {
        let there = Store::exists(app.data_dir());
        let sealed = if there { app.store()?.provider_keys().await? } else { Vec::new() };
        Ok(Self { sealed, file: key_file(app), key: OnceLock::new() })
    }

    /// What changes whenever one of them does.
    pub(crate) fn state(&self) -> Vec<(&str, i64)> {
        self.sealed.iter().map(|key| (key.account.as_str(), key.written_at.as_micros())).collect()
    }

    /// The key of an account, if one was written for this very address.
    pub(crate) fn of_account(&self, account: &str, endpoint: &BaseUrl) -> Option<&SealedKey> {
        let address = endpoint.to_string();
        self.sealed.iter().find(|key| key.account == account && key.address == address)
    }

    /// The same, opened.
    pub(crate) fn of(&self, account: &str, endpoint: &BaseUrl) -> AppResult<Option<ApiKey>> {
        let Some(sealed) = self.of_account(account, endpoint) else { return Ok(None) };
        let key = self.key.get_or_init(|| read_key(&self.file)).as_ref().map_err(Clone::clone)?;
        let (nonce, text) = sealed.sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(|| lost(account))?;
        let mut text = text.to_vec();
        let about = Aad::from(about(account, &sealed.address));
        let opened = key.open_in_place(Nonce::assume_unique_for_key(*nonce), about, &mut text);
        let opened = opened.map_err(|_| lost(account))?;
        Ok(Some(ApiKey::new(String::from_utf8_lossy(opened))?))
    }
}

fn about(account: &str, address: &str) -> Vec<u8> {
    format!("{account}\n{address}").into_bytes()
}

fn lost(account: &str) -> AppError {
    AppError::new(code!("key-sealed"), format!("the key of {account} was sealed by another key file"))
        .hint("bring that file back, or write the key again")
}

fn key_file(app: &App) -> PathBuf {
    app.config().server.key_file.clone().unwrap_or_else(|| app.data_dir().join(KEY_FILE))
}

fn unusable(file: &Path, reason: impl std::fmt::Display) -> AppError {
    AppError::new(code!("key-file"), format!("the key file {} can't be used: {reason}", file.display()))
        .hint("it is what opens the providers' keys: bring it back, or remove it and write the keys again")
}

fn read_key(file: &Path) -> AppResult<LessSafeKey> {
    let text = std::fs::read_to_string(file).map_err(|error| unusable(file, error))?;
    let bytes = unhex(text.trim()).ok_or_else(|| unusable(file, "it does not hold 64 hexadecimal digits"))?;
    let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes).map_err(|error| unusable(file, error))?;
    Ok(LessSafeKey::new(key))
}

/// Makes the key file, readable by nobody else, unless there is one.
fn make_key(file: &Path) -> AppResult<()> {
    let secret = Secret::random("")?;
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(mut made) => {
            let text = format!("{}\n", secret.reveal());
            made.write_all(text.as_bytes()).and_then(|()| made.sync_all()).map_err(|error| unusable(file, error))
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(unusable(file, error)),
    }
}

fn unhex(text: &str) -> Option<[u8; KEY_LEN]> {
    let mut bytes = [0; KEY_LEN];
    if text.len() != KEY_LEN * 2 || !text.is_ascii() {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(place * 2..place * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

impl App {
    /// The accounts of providers that can be called, and where the key of each comes from.
    ///
    /// # Errors
    /// What is wrong with an address; what the store reports.
    pub async fn providers(&self) -> AppResult<ProviderListView> {
        let keys = StoredKeys::read(self).await?;
        let view = |account| self.provider_view(account, &keys);
        Ok(ProviderListView { providers: self.provider_accounts()?.into_iter().map(view).collect::<AppResult<_>>()? })
    }

    /// Writes the key of an account. What was there is replaced, and nobody ever reads it.
    ///
    /// # Errors
    /// `no-such-account`; `key-from-environment` where it would not be used; what is wrong with the key or the key file;
    /// what the store reports.
    pub async fn write_provider_key(&self, account: &str, key: &Secret, origin: &Origin) -> AppResult<ProviderView> {
        let account = self.provider_account(account)?;
        let variables = account.variables();
        if let Some(variable) = variables.iter().find(|name| self.secret_of_environment(name).is_some()) {
            let message = format!("the key of {} comes from {variable}, which is set", account.id());
            return Err(AppError::new(code!("key-from-environment"), message)
                .hint("start the server without that variable to keep the key here"));
        }
        let endpoint = account.endpoint(self)?;
        // Whether it can be one is said before it is kept.
        ApiKey::new(key.reveal())?;
        let file = key_file(self);
        make_key(&file)?;
        let sealed = seal(&read_key(&file)?, &account.id(), &endpoint.to_string(), key.reveal().trim())?;
        let sealed = SealedKey {
            account: account.id(),
            address: endpoint.to_string(),
            sealed,
            written_at: self.clock().now(),
            written_by: self.owner().to_owned(),
        };
        let audit = self.audited("provider-key-written", &sealed.account, origin);
        self.store()?.put_provider_key(&sealed, &audit).await?;
        self.provider_view(account, &StoredKeys::read(self).await?)
    }

    /// Forgets the key of an account.
    ///
    /// # Errors
    /// `no-such-account`; what the store reports.
    pub async fn forget_provider_key(&self, account: &str, origin: &Origin) -> AppResult<()> {
        let account = self.provider_account(account)?.id();
        let audit = self.audited("provider-key-forgotten", &account, origin);
        Ok(self.store()?.forget_provider_key(&account, &audit).await?)
    }

    /// Forgets the keys of accounts that have moved to another address, or that are gone.
    ///
    /// # Errors
    /// What is wrong with an address; what the store reports.
    pub async fn forget_moved_keys(&self) -> AppResult<()> {
        let (keys, mut stay) = (StoredKeys::read(self).await?, Vec::new());
        for account in self.provider_accounts()? {
            stay.extend(keys.of_account(&account.id(), &account.endpoint(self)?).map(|key| key.account.clone()));
        }
        for moved in keys.sealed.iter().filter(|key| !stay.contains(&key.account)) {
            tracing::warn!(
                account = moved.account,
                "its address has changed: the key that was written for it is forgotten"
            );
            let audit = self.audited("provider-key-forgotten", &moved.account, &Origin::default());
            self.store()?.forget_provider_key(&moved.account, &audit).await?;
        }
        Ok(())
    }

    /// Tries the key of an account by one call that costs nothing.
    ///
    /// # Errors
    /// `no-such-account`; a key that is missing; what the provider answers, in its words.
    pub async fn try_provider(&self, account: &str) -> AppResult<TriedView> {
        let account = self.provider_account(account)?;
        let (keys, http) = (StoredKeys::read(self).await?, self.http()?);
        let remote = Remote { app: self, http: &http, intent: Intent::Send, keys: &keys };
        let listed = remote.try_key(account).await?;
        let models = listed.map_err(|fault| {
            AppError::new(fault.kind.code(), format!("{}: {}", account.id(), fault.message)).hint(fault.kind.hint())
        })?;
        Ok(TriedView { models: models as u64 })
    }

    /// The accounts that pools or the environment name, each once.
    fn provider_accounts(&self) -> AppResult<Vec<ProviderAccount<'_>>> {
        use atelier_providers::{ModelRef, Provider};
        let mut accounts = vec![ProviderAccount::unnamed(Provider::Gemini), ProviderAccount::unnamed(Provider::OpenAi)];
        for pool in &self.config().pools {
            let account = ProviderAccount::of(self.config(), pool.model.parse::<ModelRef>()?.wire(), pool);
            if !accounts.iter().any(|other| other.id() == account.id()) {
                accounts.push(account);
            }
        }
        Ok(accounts)
    }

    fn provider_account(&self, id: &str) -> AppResult<ProviderAccount<'_>> {
        let found = self.provider_accounts()?.into_iter().find(|account| account.id() == id);
        found.ok_or_else(|| {
            AppError::new(code!("no-such-account"), format!("there is no account '{}'", excerpt(id, 80)))
                .hint("list the providers to see those there are; others are named in the configuration")
        })
    }

    fn provider_view(&self, account: ProviderAccount<'_>, keys: &StoredKeys) -> AppResult<ProviderView> {
        let endpoint = account.endpoint(self)?;
        let written = keys.of_account(&account.id(), &endpoint);
        let variables = account.variables();
        let set = variables.iter().find(|name| self.secret_of_environment(name).is_some());
        let key = match (set, written) {
            (Some(_), _) => KeySource::Environment,
            (None, Some(_)) => KeySource::Written,
            (None, None) if account.needs_key(&endpoint) => KeySource::Missing,
            (None, None) => KeySource::NotNeeded,
        };
        Ok(ProviderView {
            account: account.id(),
            address: endpoint.to_string(),
            key,
            variable: set.or_else(|| variables.first()).map(|name| (*name).to_owned()),
            written_at: written.map(|key| key.written_at.to_string()),
            written_by: written.map(|key| key.written_by.clone()),
        })
    }
}

fn seal(key: &LessSafeKey, account: &str, address: &str, text: &str) -> AppResult<Vec<u8>> {
    let failed = |reason: &str| AppError::new(code!("runtime"), format!("the key can't be sealed: {reason}"));
    let mut nonce = [0; NONCE_LEN];
    getrandom::fill(&mut nonce).map_err(|error| failed(&error.to_string()))?;
    let mut sealed = text.as_bytes().to_vec();
    let about = Aad::from(about(account, address));
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), about, &mut sealed)
        .map_err(|error| failed(&error.to_string()))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_key_opens_for_its_account_and_address_and_for_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        make_key(&file).unwrap();
        let address = BaseUrl::parse("https://api.example").unwrap();
        let moved = BaseUrl::parse("https://elsewhere.example").unwrap();
        let sealed = seal(&read_key(&file).unwrap(), "openai/team", &address.to_string(), "sk-secret").unwrap();
        assert!(!sealed.windows(9).any(|part| part == b"sk-secret"));
        let row = |account: &str, at: &BaseUrl| SealedKey {
            account: account.into(),
            address: at.to_string(),
            sealed: sealed.clone(),
            written_at: atelier_engine::Timestamp::from_micros(1),
            written_by: "local".into(),
        };
        let keys = |row| StoredKeys { sealed: vec![row], file: file.clone(), key: OnceLock::new() };
        let opened = keys(row("openai/team", &address)).of("openai/team", &address).unwrap();
        assert_eq!(opened, Some(ApiKey::new("sk-secret").unwrap()));
        // A row that somebody has changed opens nothing.
        for (account, at) in [("openai/other", &address), ("openai/team", &moved)] {
            let error = keys(row(account, at)).of(account, at).unwrap_err();
            assert_eq!(error.code(), "key-sealed");
        }
        assert_eq!(keys(row("openai/team", &address)).of("openai/team", &moved).unwrap(), None);
    }

    #[test]
    fn a_key_file_that_is_gone_or_broken_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        assert_eq!(read_key(&file).err().unwrap().code(), "key-file");
        std::fs::write(&file, "12").unwrap();
        assert_eq!(read_key(&file).err().unwrap().code(), "key-file");
        make_key(&file).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "12", "nothing is written over it");
    }
}
