//! Providers of OpenID Connect: the code flow with PKCE and a nonce.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use atelier_app::accounts::{ForeignPerson, Identity};
use atelier_app::config::ForeignSignIn;
use atelier_app::{App, AppError, AppResult, code};
use http_body_util::{BodyExt, Limited};
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse,
};
use tokio::time::Instant;

/// What a provider says of itself is asked for anew after this: its keys change.
const KNOWN_FOR: Duration = Duration::from_secs(3600);
/// A provider that does not answer by then is not waited for.
const ANSWERS_BY: Duration = Duration::from_secs(15);
/// No answer of a provider is longer.
const LARGEST: usize = 1 << 20;

/// The providers that the configuration names.
pub(crate) struct Oidc {
    providers: BTreeMap<String, ForeignSignIn>,
    secrets: HashMap<String, String>,
    callback: String,
    http: Option<reqwest::Client>,
    known: Mutex<HashMap<String, (Instant, CoreProviderMetadata)>>,
}

/// Where a browser is sent, and what has to be known when it comes back.
pub(crate) struct Departure {
    pub(crate) url: String,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
}

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// A provider that could not be asked.
#[derive(Clone, Debug)]
struct Unreached(String);

impl std::fmt::Display for Unreached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreached {}

impl Oidc {
    /// The providers of the configuration, with their secrets. `url` is the address that people reach this server under:
    /// what providers send people back to is built from it, and never from what a request says.
    pub(crate) fn new(app: &App, url: &str) -> AppResult<Self> {
        let providers = app.config().server.sign_in.clone();
        let mut secrets = HashMap::new();
        for (name, provider) in &providers {
            let Some(variable) = &provider.client_secret_env else { continue };
            let secret = app.secret_of_environment(variable).ok_or_else(|| {
                let message =
                    format!("[server.sign_in.{name}] wants the environment variable {variable}, which is not set");
                AppError::new(code!("missing-key"), message)
            })?;
            secrets.insert(name.clone(), secret);
        }
        let http = if providers.is_empty() { None } else { Some(http()?) };
        let callback = format!("{}/api/v1/sign-in/oidc", url.trim_end_matches('/'));
        Ok(Self { providers, secrets, callback, http, known: Mutex::default() })
    }

    /// The names of the providers, each with what people see.
    pub(crate) fn titles(&self) -> impl Iterator<Item = (&str, &str)> {
        self.providers.iter().map(|(name, provider)| (name.as_str(), provider.title.as_deref().unwrap_or(name)))
    }

    pub(crate) fn settings(&self, name: &str) -> AppResult<&ForeignSignIn> {
        self.providers
            .get(name)
            .ok_or_else(|| AppError::new(code!("no-such-route"), "nobody signs in by a provider of this name"))
    }

    /// Where to send a browser. `state` is what the provider is to bring back.
    pub(crate) async fn depart(&self, name: &str, state: &str) -> AppResult<Departure> {
        let client = self.client(name).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = Nonce::new_random();
        let (state, named) = (CsrfToken::new(state.to_owned()), nonce.clone());
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let request = client.authorize_url(flow, move || state, move || named);
        let request = request.add_scope(Scope::new("email".into())).add_scope(Scope::new("profile".into()));
        let (url, _, _) = request.set_pkce_challenge(challenge).url();
        Ok(Departure { url: url.to_string(), nonce: nonce.secret().clone(), verifier: verifier.into_secret() })
    }

    /// Whom a code stands for. The token is the provider's own, for this server, of this sign-in, and has not ended.
    pub(crate) async fn arrive(&self, name: &str, code: &str, nonce: &str, verifier: &str) -> AppResult<ForeignPerson> {
        let failed = |what: &str, error: &dyn std::error::Error| {
            // What a provider says of a code that is wrong is for the log, and not for whoever tries codes.
            tracing::warn!(provider = name, "{what}: {error}");
            AppError::new(code!("sign-in-failed"), what).hint("begin again")
        };
        let client = self.client(name).await?;
        let http = self.caller();
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| failed("the provider has no place to ask for tokens", &error))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()));
        let token = request.request_async(&http).await;
        let token = token.map_err(|error| failed("the provider did not take the code", &error))?;
        let id_token = token.id_token().ok_or_else(|| {
            AppError::new(code!("sign-in-failed"), "the provider did not say who signs in").hint("begin again")
        })?;
        let claims = id_token.claims(&client.id_token_verifier(), &Nonce::new(nonce.to_owned()));
        let claims = claims.map_err(|error| {
            // Perhaps its keys have changed since.
            self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
            failed("what the provider says of who signs in can't be trusted", &error)
        })?;
        let email = claims.email().map(|email| email.as_str().to_owned());
        let named = claims.name().and_then(|names| names.get(None)).map(|name| name.as_str().to_owned());
        let identity = Identity {
            issuer: claims.issuer().as_str().to_owned(),
            subject: claims.subject().as_str().to_owned(),
            email,
        };
        Ok(ForeignPerson { identity, email_verified: claims.email_verified() == Some(true), name: named })
    }

    async fn client(&self, name: &str) -> AppResult<Client> {
        let settings = self.settings(name)?;
        let metadata = self.metadata(name, settings).await?;
        let secret = self.secrets.get(name).map(|secret| ClientSecret::new(secret.clone()));
        let back = RedirectUrl::new(format!("{}/{name}/callback", self.callback))
            .map_err(|error| AppError::new(code!("config-invalid"), format!("the public URL can't be one: {error}")))?;
        let client = CoreClient::from_provider_metadata(metadata, ClientId::new(settings.client_id.clone()), secret);
        Ok(client.set_redirect_uri(back))
    }

    async fn metadata(&self, name: &str, settings: &ForeignSignIn) -> AppResult<CoreProviderMetadata> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some((since, metadata)) = known
            && since.elapsed() < KNOWN_FOR
        {
            return Ok(metadata);
        }
        let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(|error| {
            AppError::new(
                code!("config-invalid"),
                format!("[server.sign_in.{name}] has an issuer that is none: {error}"),
            )
        })?;
        let http = self.caller();
        let metadata = CoreProviderMetadata::discover_async(issuer, &http).await.map_err(|error| {
            tracing::warn!(provider = name, "the provider can't be asked: {error}");
            AppError::new(code!("unreachable"), "the sign-in provider can't be reached").hint("try again in a moment")
        })?;
        let found = (Instant::now(), metadata.clone());
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), found);
        Ok(metadata)
    }

    /// What asks providers, as the library takes it.
    fn caller(
        &self,
    ) -> impl Fn(HttpRequest) -> futures_util::future::BoxFuture<'static, Result<HttpResponse, Unreached>> + use<> {
        let http = self.http.clone().map(Arc::new);
        move |request| {
            let http = http.clone();
            Box::pin(async move {
                let http = http.ok_or_else(|| Unreached("no provider is configured".to_owned()))?;
                ask(&http, request).await
            })
        }
    }
}

/// A client that follows no redirect: a provider's addresses are those that it publishes.
fn http() -> AppResult<reqwest::Client> {
    // The program may have chosen already: that stands.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(ANSWERS_BY);
    builder.build().map_err(|error| AppError::new(code!("http-client"), format!("no HTTP client can be made: {error}")))
}

async fn ask(http: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, Unreached> {
    let unreached = |error: &dyn std::fmt::Display| Unreached(error.to_string());
    let request = reqwest::Request::try_from(request.map(reqwest::Body::from)).map_err(|error| unreached(&error))?;
    let answer = http.execute(request).await.map_err(|error| unreached(&error))?;
    let answer: axum::http::Response<reqwest::Body> = answer.into();
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, LARGEST).collect().await.map_err(|error| unreached(&error))?;
    Ok(axum::http::Response::from_parts(parts, body.to_bytes().to_vec()))
}
