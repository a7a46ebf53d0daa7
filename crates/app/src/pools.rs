//! From a model's name to the pools that serve it.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use atelier_engine::{AccountLimits, EngineError, Limit, Pool, Price, ScopeId, Timestamp};
use atelier_providers::{BaseUrl, HttpClient, ModelPrices, ModelRef, PriceOverride, PriceTable};
use atelier_sandbox::{FaultRate, Quota, Sandbox, SandboxConfig, Span};
use atelier_store::Store;
use jiff::tz::TimeZone;
use tokio::sync::OnceCell;

use crate::app::App;
use crate::clients::{Client, ProviderAccount, Remote};
use crate::config::{Config, PoolConfig};
use crate::error::{AppError, AppResult};
use crate::provider_keys::StoredKeys;
use crate::run::{RunSettings, SandboxSettings};

/// Connections opened before the first call.
const WARM: usize = 4;
/// A provider that takes longer to connect to shows when it is called.
const WARM_UP_AT_MOST: Duration = Duration::from_secs(5);
/// Where a sandbox would be that nobody asks.
const NO_PORT: u16 = 1;

/// What pools are opened for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Intent {
    /// To send calls: the keys must be there.
    #[default]
    Send,
    /// To say what would be sent: no key is needed.
    Forecast,
}

/// The pools of a run, and what keeps them alive.
pub struct Pools {
    pools: Vec<Pool>,
    model: ModelRef,
    /// The sandbox that answers, if one does. It stops when this is dropped.
    #[expect(dead_code, reason = "it is kept, so that it goes on")]
    sandbox: Option<Sandbox>,
    http: HttpClient,
    /// Where each of the pools is.
    endpoints: Vec<BaseUrl>,
    /// How long opening a connection to each took, once that is known.
    connects: OnceCell<Vec<Duration>>,
}

impl Pools {
    /// The pools for a run: those that the configuration has for the model, or one with the environment's key. Runs
    /// that want the same share them.
    ///
    /// # Errors
    /// A model or a limit that is none; a key that is missing; a sandbox that can't be started; what the store reports.
    pub async fn open(app: &App, run: &RunSettings) -> AppResult<Arc<Self>> {
        Self::open_to(Intent::Send, app, run).await
    }

    /// The same, for a forecast without any key.
    ///
    /// # Errors
    /// As [`Pools::open`].
    pub async fn open_to(intent: Intent, app: &App, run: &RunSettings) -> AppResult<Arc<Self>> {
        let is_forecast = intent == Intent::Forecast;
        let keys = StoredKeys::read(app).await?;
        let set = limits_set(app).await?;
        let limits: Vec<_> = set.iter().map(|(pool, limits)| (pool, texts(limits))).collect();
        let parts =
            serde_json::json!([run.model, run.limits, run.sandbox, run.price, is_forecast, keys.state(), limits]);
        app.shared_pools(parts.to_string(), || Self::connect(app, run, intent, &keys, &set))
    }

    fn connect(
        app: &App,
        run: &RunSettings,
        intent: Intent,
        keys: &StoredKeys,
        set: &LimitsOfPools,
    ) -> AppResult<Self> {
        let model: ModelRef = run.model.parse()?;
        let prices = app.prices()?;
        let http = app.http()?;
        let mut sandbox = None;
        let of = PoolOf { prices: &prices, model: &model, run, set };
        let pools = if model.is_sandbox() {
            let config = sandbox_config(&run.sandbox, model.name())?;
            // Whoever only wants to know what it would take asks nobody.
            let started = (intent == Intent::Send).then(|| Sandbox::start(config, ([127, 0, 0, 1], 0).into()));
            sandbox = started.transpose()?;
            let port = sandbox.as_ref().map_or(NO_PORT, |sandbox| sandbox.addr().port());
            let client = Client::of_sandbox(&http, &model, port)?;
            // A sandbox of this process starts anew with it, and so does what was used of its quota.
            let id = format!("sandbox/{port}/{}", app.clock().now().as_micros());
            vec![of.with(&format!("{id}/{}", model.name()), client, run.limits.clone(), 1)]
        } else {
            remote(&Remote { app, http: &http, intent, keys }, &of)?
        };
        let (pools, endpoints): (Vec<Pool>, Vec<BaseUrl>) = pools.into_iter().unzip();
        Ok(Self { pools, model, sandbox, http, endpoints, connects: OnceCell::new() })
    }

    /// The model that they serve.
    #[must_use]
    pub const fn model(&self) -> &ModelRef {
        &self.model
    }

    /// The pools as they are known without opening a connection: enough to forecast with.
    #[must_use]
    pub fn cold(&self) -> Vec<Pool> {
        self.pools.clone()
    }

    /// The pools, connections opened, and how long that took learnt.
    pub async fn warm(&self) -> Vec<Pool> {
        let connect = async {
            let mut connects = Vec::with_capacity(self.pools.len());
            for endpoint in &self.endpoints {
                let opened = tokio::time::timeout(WARM_UP_AT_MOST, self.http.warm_up(endpoint, WARM)).await;
                // Whoever can't be reached shows when it is called.
                connects.push(opened.ok().and_then(Result::ok).unwrap_or_default());
            }
            connects
        };
        let connects = self.connects.get_or_init(|| connect).await;
        let warm = |(pool, connect): (&Pool, &Duration)| Pool { connect: *connect, ..pool.clone() };
        self.pools.iter().zip(connects).map(warm).collect()
    }

    /// Whether no real model answers.
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        self.model.is_sandbox()
    }

    /// An error if a budget is set that can't be kept: the price of one of them is not known.
    pub(crate) fn check_budget(&self, run: &RunSettings) -> AppResult<()> {
        match self.pools.iter().find(|pool| pool.price.is_none()) {
            Some(pool) if run.max_cost.is_some() => Err(EngineError::PriceUnknown(Arc::clone(&pool.serves)).into()),
            _ => Ok(()),
        }
    }
}

/// What models cost today.
pub struct Prices {
    table: PriceTable,
    day: jiff::civil::Date,
}

impl Prices {
    /// The built-in table, before it what was imported into the data directory, and before that the configured one.
    pub(crate) fn load(config: &Config, imported: &Path, now: Timestamp) -> AppResult<Self> {
        let mut table = PriceTable::builtin()?;
        let imported = imported.is_file().then_some(imported);
        for path in imported.into_iter().chain(config.prices.as_deref()) {
            let shown = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| {
                AppError::new(code!("bad-prices"), format!("the price table {shown} can't be read: {error}"))
            })?;
            table = table.with_file(&shown, &text)?;
        }
        Ok(Self { table, day: now.to_jiff().to_zoned(TimeZone::UTC).date() })
    }

    /// All that is known of what this model costs.
    #[must_use]
    pub fn model(&self, model: &ModelRef) -> Option<&ModelPrices> {
        self.table.model(model)
    }

    /// Every model that has a price, in order.
    pub fn models(&self) -> impl Iterator<Item = &ModelPrices> {
        self.table.models()
    }

    /// The day of which these are the prices.
    #[must_use]
    pub const fn day(&self) -> jiff::civil::Date {
        self.day
    }

    /// What this model costs, if that is known.
    #[must_use]
    pub fn price(&self, model: &ModelRef) -> Option<Price> {
        self.table.price(model, self.day, 0)
    }

    /// What this model costs in a run: what was said of it, or else what is known.
    #[must_use]
    pub fn price_in(&self, run: &RunSettings, model: &ModelRef) -> Option<Price> {
        run.price.map(PriceOverride::price).or_else(|| self.price(model))
    }

    /// The most tokens that the model answers with; 0 if that is not known.
    #[must_use]
    pub fn output_cap(&self, run: &RunSettings, model: &ModelRef) -> u64 {
        self.price_in(run, model).map_or(0, |price| price.output_cap)
    }
}

/// A pool of a model, but for who answers.
struct PoolOf<'a> {
    prices: &'a Prices,
    model: &'a ModelRef,
    run: &'a RunSettings,
    set: &'a LimitsOfPools,
}

impl PoolOf<'_> {
    fn with(&self, id: &str, client: Client, limits: Vec<Limit>, weight: u32) -> (Pool, BaseUrl) {
        let pool = Pool {
            id: id.into(),
            serves: self.run.model.as_str().into(),
            account: None,
            model: client.model,
            limits,
            price: self.prices.price_in(self.run, self.model),
            day_zone: TimeZone::get(self.model.provider().day_zone()).unwrap_or(TimeZone::UTC),
            connect: Duration::ZERO,
            weight,
            ephemeral: self.model.is_sandbox(),
        };
        (pool, client.endpoint)
    }
}

fn remote(remote: &Remote<'_>, of: &PoolOf<'_>) -> AppResult<Vec<(Pool, BaseUrl)>> {
    let (config, model, run) = (remote.app.config(), of.model, of.run);
    let mut configured = Vec::new();
    for pool in &config.pools {
        if ModelRef::from_str(&pool.model)? == *model {
            configured.push(pool);
        }
    }
    if configured.is_empty() {
        let account = ProviderAccount::unnamed(model.wire());
        let client = remote.connect(model, account)?;
        let id = pool_id(&client.endpoint, account, model);
        let limits = merged(of.set.get(&*id).map_or(&[], Vec::as_slice), &run.limits);
        return Ok(vec![of.with(&id, client, limits, 1)]);
    }
    let pool = |pool: &PoolConfig| {
        let account = ProviderAccount::of(config, model.wire(), pool);
        let client = remote.connect(model, account)?;
        let (id, scope) = (pool_id(&client.endpoint, account, model), account.scope(&client.endpoint));
        let limits = merged(of.set.get(&*id).unwrap_or(&pool.limits), &run.limits);
        let (mut pool, endpoint) = of.with(&id, client, limits, pool.weight);
        pool.account = account
            .config
            .filter(|account| !account.limits.is_empty())
            .map(|account| AccountLimits { scope: scope.into(), limits: account.limits.clone() });
        Ok((pool, endpoint))
    };
    configured.into_iter().map(pool).collect()
}

/// The pools and accounts that the configuration names, with their limits. An account's name ends in `/`, and
/// only those are here that have limits. No key is needed to know them.
pub(crate) fn configured(app: &App) -> AppResult<LimitsOfPools> {
    let mut limits = BTreeMap::new();
    for pool in &app.config().pools {
        let model = ModelRef::from_str(&pool.model)?;
        let account = ProviderAccount::of(app.config(), model.wire(), pool);
        let endpoint = account.endpoint(app)?;
        limits.insert(pool_id(&endpoint, account, &model).into(), pool.limits.clone());
        if let Some(config) = account.config.filter(|account| !account.limits.is_empty()) {
            limits.insert(account.scope(&endpoint).into(), config.limits.clone());
        }
    }
    Ok(limits)
}

/// Limits, by the pool or the account that they are for.
pub(crate) type LimitsOfPools = BTreeMap<ScopeId, Vec<Limit>>;

/// The limits that an administrator has set; none where there is no store yet.
pub(crate) async fn limits_set(app: &App) -> AppResult<LimitsOfPools> {
    if !Store::exists(app.data_dir()) {
        return Ok(LimitsOfPools::new());
    }
    let set = app.store()?.limits_set().await?;
    Ok(set.into_iter().map(|set| (set.pool, set.limits)).collect())
}

fn texts(limits: &[Limit]) -> Vec<String> {
    limits.iter().map(ToString::to_string).collect()
}

/// `PROVIDER/ACCOUNT/MODEL`.
fn pool_id(endpoint: &BaseUrl, account: ProviderAccount<'_>, model: &ModelRef) -> String {
    format!("{}{}", account.scope(endpoint), model.name())
}

/// The configured limits, those of the command line in place of the ones they replace.
fn merged(configured: &[Limit], flags: &[Limit]) -> Vec<Limit> {
    let replaced = |limit: &Limit| flags.iter().any(|flag| flag.scope() == limit.scope());
    configured.iter().filter(|limit| !replaced(limit)).chain(flags).copied().collect()
}

fn sandbox_config(settings: &SandboxSettings, model: &str) -> AppResult<SandboxConfig> {
    let span = |text: &Option<String>| text.as_deref().map(str::parse::<Span>).transpose();
    let config = SandboxConfig {
        quotas: settings.quota.iter().map(|text| text.parse::<Quota>()).collect::<Result<_, _>>()?,
        latency: span(&settings.latency)?.unwrap_or_default().0,
        per_output_token: span(&settings.per_output_token)?.unwrap_or_default().0,
        faults: settings.faults.iter().map(|text| text.parse::<FaultRate>()).collect::<Result<_, _>>()?,
        // The name says only what it is priced as.
        models: Some(vec![model.to_owned()]),
        ..SandboxConfig::default()
    };
    config.check()?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use atelier_providers::{GeminiSettings, OpenAiSettings};

    use super::*;

    fn limits(texts: &[&str]) -> Vec<Limit> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_limit_of_the_command_line_takes_the_place_of_the_configured_one() {
        let merged = merged(&limits(&["requests=10/60s", "usd=5/day"]), &limits(&["requests=15/60s"]));
        assert_eq!(merged, limits(&["usd=5/day", "requests=15/60s"]));
    }

    #[test]
    fn another_address_is_another_pool() {
        let pool_id = |endpoint: &BaseUrl, account: &'static str, model: &ModelRef| {
            pool_id(endpoint, ProviderAccount { provider: model.wire(), name: account, config: None }, model)
        };
        let model: ModelRef = "gemini:gemini-2.5-flash".parse().unwrap();
        let own = GeminiSettings::endpoint_from_env(|_| None).unwrap();
        assert_eq!(pool_id(&own, "default", &model), "gemini/default/gemini-2.5-flash");
        let other = BaseUrl::parse("http://127.0.0.1:9").unwrap();
        assert!(pool_id(&other, "default", &model).starts_with("gemini@http://127.0.0.1:9"));
        let model: ModelRef = "openai:llama3:8b".parse().unwrap();
        let own = OpenAiSettings::own_endpoint().unwrap();
        assert_eq!(pool_id(&own, "team", &model), "openai/team/llama3:8b");
        let other = OpenAiSettings::endpoint("http://127.0.0.1:9").unwrap();
        assert_eq!(pool_id(&other, "team", &model), "openai@http://127.0.0.1:9/v1/team/llama3:8b");
    }
}
