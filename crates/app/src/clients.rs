//! Whom pools call: an account of a provider, its address, its key, and the client for it.

use std::sync::Arc;

use atelier_engine::{Fault, Model};
use atelier_providers::{
    ApiKey, BaseUrl, Gemini, GeminiSettings, HttpClient, ModelRef, OpenAi, OpenAiSettings, Provider, ProviderError,
    Quirks,
};

use crate::app::App;
use crate::config::{Account, Config, PoolConfig};
use crate::error::AppResult;
use crate::pools::Intent;
use crate::provider_keys::StoredKeys;

/// The key that the sandbox of this process is called with.
const SANDBOX_KEY: &str = "sandbox";

/// An account of a provider, as its pools begin: `PROVIDER/ACCOUNT`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProviderAccount<'a> {
    /// Whose wire it speaks.
    pub(crate) provider: Provider,
    /// Its name, `default` if the configuration names none.
    pub(crate) name: &'a str,
    /// What the configuration says of it.
    pub(crate) config: Option<&'a Account>,
}

impl<'a> ProviderAccount<'a> {
    /// The one whose key and address the environment has.
    pub(crate) const fn unnamed(provider: Provider) -> Self {
        Self { provider, name: "default", config: None }
    }

    /// The one that a pool is on.
    pub(crate) fn of(config: &'a Config, provider: Provider, pool: &'a PoolConfig) -> Self {
        match &pool.account {
            Some(name) => Self { provider, name, config: config.accounts.get(name) },
            None => Self::unnamed(provider),
        }
    }

    /// `PROVIDER/ACCOUNT`.
    pub(crate) fn id(self) -> String {
        format!("{}/{}", self.provider, self.name)
    }

    /// How the ids of its pools begin; another address than the provider's own is another endpoint, with limits of its
    /// own.
    pub(crate) fn scope(self, endpoint: &BaseUrl) -> String {
        let own = match self.provider {
            Provider::OpenAi => OpenAiSettings::own_endpoint(),
            _ => GeminiSettings::endpoint_from_env(|_| None),
        };
        let at = if own.is_ok_and(|own| own == *endpoint) { String::new() } else { format!("@{endpoint}") };
        format!("{}{at}/{}/", self.provider, self.name)
    }

    /// Where it is called: the configured address, or else the environment's or the provider's own.
    pub(crate) fn endpoint(self, app: &App) -> AppResult<BaseUrl> {
        let env = |name: &str| app.environment(name);
        let url = self.config.and_then(|account| account.base_url.as_deref());
        Ok(match (self.provider, url) {
            (Provider::OpenAi, Some(url)) => OpenAiSettings::endpoint(url)?,
            (Provider::OpenAi, None) => OpenAiSettings::endpoint_from_env(env)?,
            (_, Some(url)) => BaseUrl::parse(url)?,
            (_, None) => GeminiSettings::endpoint_from_env(env)?,
        })
    }

    /// The environment variables that may hold its key. A server at the account's own address gets no key but the
    /// account's: the environment's was not meant for it.
    pub(crate) fn variables(self) -> Vec<&'a str> {
        match (self.config, self.provider) {
            (Some(Account { key_env: Some(variable), .. }), _) => vec![variable],
            (Some(Account { base_url: Some(_), .. }), Provider::OpenAi) => Vec::new(),
            (_, Provider::OpenAi) => vec![OpenAiSettings::KEY_VARIABLE],
            _ => GeminiSettings::KEY_VARIABLES.to_vec(),
        }
    }

    /// Whether it can't be called without a key, as many servers on one's own machines can.
    pub(crate) fn needs_key(self, endpoint: &BaseUrl) -> bool {
        let named = self.config.is_some_and(|account| account.key_env.is_some());
        let own = || OpenAiSettings::own_endpoint().is_ok_and(|own| own == *endpoint);
        named || self.provider != Provider::OpenAi || own()
    }
}

/// A provider's client, and where it calls.
pub(crate) struct Client {
    pub(crate) model: Arc<dyn Model>,
    pub(crate) endpoint: BaseUrl,
}

impl Client {
    /// A client of the sandbox of this process, in the format that the model's name asks for.
    pub(crate) fn of_sandbox(http: &HttpClient, model: &ModelRef, port: u16) -> AppResult<Self> {
        let (at, key) = (format!("http://127.0.0.1:{port}"), ApiKey::new(SANDBOX_KEY)?);
        if model.wire() == Provider::OpenAi {
            let endpoint = OpenAiSettings::endpoint(&at)?;
            let settings = OpenAiSettings { endpoint: endpoint.clone(), key: Some(key), quirks: Quirks::OPENAI };
            return Ok(Self { model: Arc::new(OpenAi::new(http, &settings, model.name())?), endpoint });
        }
        let endpoint = BaseUrl::parse(&at)?;
        Ok(Self { model: Arc::new(Gemini::new(http, &endpoint, &key, model.name())?), endpoint })
    }
}

/// Whoever is called elsewhere.
pub(crate) struct Remote<'a> {
    pub(crate) app: &'a App,
    pub(crate) http: &'a HttpClient,
    pub(crate) intent: Intent,
    pub(crate) keys: &'a StoredKeys,
}

impl Remote<'_> {
    /// A client for a model of an account.
    pub(crate) fn connect(&self, model: &ModelRef, account: ProviderAccount<'_>) -> AppResult<Client> {
        let endpoint = account.endpoint(self.app)?;
        let key = self.key(account, &endpoint)?;
        if account.provider == Provider::OpenAi {
            let settings = OpenAiSettings { endpoint: endpoint.clone(), key, quirks: self.quirks(account)? };
            return Ok(Client { model: Arc::new(OpenAi::new(self.http, &settings, model.name())?), endpoint });
        }
        let key = key.ok_or_else(|| missing(account))?;
        Ok(Client { model: Arc::new(Gemini::new(self.http, &endpoint, &key, model.name())?), endpoint })
    }

    /// Asks for the list of models, which costs nothing: so many the key opens.
    pub(crate) async fn try_key(&self, account: ProviderAccount<'_>) -> AppResult<Result<usize, Fault>> {
        let endpoint = account.endpoint(self.app)?;
        let key = self.key(account, &endpoint)?;
        // The client wants a model's name, and this call none.
        let any = "models";
        let listed = if account.provider == Provider::OpenAi {
            let settings = OpenAiSettings { endpoint, key, quirks: self.quirks(account)? };
            OpenAi::new(self.http, &settings, any)?.models().await
        } else {
            let key = key.ok_or_else(|| missing(account))?;
            Gemini::new(self.http, &endpoint, &key, any)?.models().await
        };
        Ok(listed.map(|models| models.len()))
    }

    /// The account's key: the environment's, or else the one that an administrator wrote. None where none is needed.
    fn key(&self, account: ProviderAccount<'_>, endpoint: &BaseUrl) -> AppResult<Option<ApiKey>> {
        let env = |name: &str| self.app.environment(name);
        match ApiKey::from_env(env, &account.variables()) {
            Err(ProviderError::MissingKey { .. }) => {}
            key => return Ok(Some(key?)),
        }
        match self.keys.of(&account.id(), endpoint) {
            Ok(None) if !account.needs_key(endpoint) => Ok(None),
            // What is never sent can be any.
            Ok(None) | Err(_) if self.intent == Intent::Forecast => Ok(Some(ApiKey::new("unset")?)),
            Ok(None) => Err(missing(account).into()),
            Ok(Some(key)) => Ok(Some(key)),
            Err(error) => Err(error),
        }
    }

    fn quirks(&self, account: ProviderAccount<'_>) -> AppResult<Quirks> {
        let own = account.config.filter(|account| account.base_url.is_some() || account.key_env.is_some());
        let said = account.config.and_then(|account| account.quirks.as_deref());
        Ok(match (said, own) {
            (Some(name), _) => Quirks::by_name(name)?,
            (None, Some(_)) => Quirks::OPENAI,
            (None, None) => OpenAiSettings::quirks_from_env(|name| self.app.environment(name))?,
        })
    }
}

fn missing(account: ProviderAccount<'_>) -> ProviderError {
    ProviderError::MissingKey { names: account.variables().into_iter().map(str::to_owned).collect() }
}
