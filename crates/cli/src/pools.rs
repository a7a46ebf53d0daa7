//! From a model's name to the pools that serve it.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use atelier_engine::{Limit, Model, Pool, Price, Timestamp};
use atelier_providers::{ApiKey, BaseUrl, Gemini, GeminiSettings, HttpClient, ModelRef, PriceTable, Provider};
use atelier_sandbox::{FaultRate, Quota, Sandbox, SandboxConfig, Span};
use jiff::tz::TimeZone;

use crate::args::SandboxFlags;
use crate::config::{Config, PoolConfig};
use crate::context::{Context, env};
use crate::error::{CliError, CliResult};
use crate::snapshot::RunSnapshot;

/// Connections opened before the first call.
const WARM: usize = 4;
/// A provider that takes longer to connect to shows when it is called.
const WARM_UP_AT_MOST: Duration = Duration::from_secs(5);
/// The key that the sandbox of this process is called with.
const SANDBOX_KEY: &str = "sandbox";

/// The pools of a run, and what keeps them alive.
pub(crate) struct Pools {
    pub(crate) pools: Vec<Pool>,
    pub(crate) model: ModelRef,
    /// The most tokens that the model answers with, if that is known.
    pub(crate) output_cap: Option<u64>,
    /// The sandbox that answers, if one does. It stops when this is dropped.
    sandbox: Option<Sandbox>,
    http: HttpClient,
    /// Where each of the pools is.
    endpoints: Vec<BaseUrl>,
}

impl Pools {
    /// The pools for a run: those that the configuration has for the model, or one with the environment's key.
    pub(crate) fn new(context: &Context, run: &RunSnapshot) -> CliResult<Self> {
        let model: ModelRef = run.model.parse()?;
        let price = Prices::load(&context.config, context.clock.now())?;
        let http = HttpClient::new()?;
        let mut sandbox = None;
        let pools = if model.is_sandbox() {
            let started = Sandbox::start(sandbox_config(&run.sandbox, model.name())?, ([127, 0, 0, 1], 0).into())?;
            let endpoint = BaseUrl::parse(&started.base_url())?;
            let client = Gemini::new(&http, &endpoint, &ApiKey::new(SANDBOX_KEY)?, model.name())?;
            // A sandbox of this process starts anew with it, and so does what was used of its quota.
            let id = format!("sandbox/{}/{}", started.addr().port(), context.clock.now().as_micros());
            sandbox = Some(started);
            vec![(price.pool(&model, &format!("{id}/{}", model.name()), client, run.limits.clone(), 1), endpoint)]
        } else {
            gemini_pools(&context.config, &http, &model, run, &price)?
        };
        let (pools, endpoints): (Vec<Pool>, Vec<BaseUrl>) = pools.into_iter().unzip();
        let output_cap = price.price(&model).map(|price| price.output_cap);
        Ok(Self { pools, model, output_cap, sandbox, http, endpoints })
    }

    /// Opens connections, and learns how long that takes.
    pub(crate) async fn warm_up(&mut self) {
        for (pool, endpoint) in self.pools.iter_mut().zip(&self.endpoints) {
            if let Ok(Ok(connect)) = tokio::time::timeout(WARM_UP_AT_MOST, self.http.warm_up(endpoint, WARM)).await {
                pool.connect = connect;
            }
        }
    }

    /// Whether no real model answers.
    pub(crate) const fn is_sandbox(&self) -> bool {
        self.sandbox.is_some()
    }
}

struct Prices {
    table: PriceTable,
    day: jiff::civil::Date,
}

impl Prices {
    fn load(config: &Config, now: Timestamp) -> CliResult<Self> {
        let mut table = PriceTable::builtin()?;
        if let Some(path) = &config.prices {
            let shown = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| {
                CliError::configuration("bad-prices", format!("the price table {shown} can't be read: {error}"))
            })?;
            table = table.with_file(&shown, &text)?;
        }
        Ok(Self { table, day: now.to_jiff().to_zoned(TimeZone::UTC).date() })
    }

    fn price(&self, model: &ModelRef) -> Option<Price> {
        self.table.price(model, self.day, 0)
    }

    fn pool(&self, model: &ModelRef, id: &str, client: Gemini, limits: Vec<Limit>, weight: u32) -> Pool {
        Pool {
            id: id.into(),
            model: Arc::new(client) as Arc<dyn Model>,
            limits,
            price: self.price(model),
            day_zone: TimeZone::get(model.provider().day_zone()).unwrap_or(TimeZone::UTC),
            connect: Duration::ZERO,
            weight,
        }
    }
}

fn gemini_pools(
    config: &Config,
    http: &HttpClient,
    model: &ModelRef,
    run: &RunSnapshot,
    prices: &Prices,
) -> CliResult<Vec<(Pool, BaseUrl)>> {
    let mut configured = Vec::new();
    for pool in &config.pools {
        if ModelRef::from_str(&pool.model)? == *model {
            configured.push(pool);
        }
    }
    if configured.is_empty() {
        let settings = GeminiSettings::from_env(env)?;
        http.check(&settings.endpoint)?;
        let client = Gemini::new(http, &settings.endpoint, &settings.key, model.name())?;
        let id = pool_id(&settings.endpoint, "default", model);
        return Ok(vec![(prices.pool(model, &id, client, run.limits.clone(), 1), settings.endpoint)]);
    }
    configured.into_iter().map(|pool| gemini_pool(config, http, model, pool, run, prices)).collect()
}

fn gemini_pool(
    config: &Config,
    http: &HttpClient,
    model: &ModelRef,
    pool: &PoolConfig,
    run: &RunSnapshot,
    prices: &Prices,
) -> CliResult<(Pool, BaseUrl)> {
    let account = pool.account.as_ref().and_then(|name| config.accounts.get(name));
    let (endpoint, key) = match account {
        None => {
            let settings = GeminiSettings::from_env(env)?;
            (settings.endpoint, settings.key)
        }
        Some(account) => {
            let key = GeminiSettings::key_from_env(env, &[&account.key_env])?;
            let endpoint = match &account.base_url {
                Some(url) => BaseUrl::parse(url)?,
                None => GeminiSettings::endpoint_from_env(env)?,
            };
            (endpoint, key)
        }
    };
    http.check(&endpoint)?;
    let client = Gemini::new(http, &endpoint, &key, model.name())?;
    let id = pool_id(&endpoint, pool.account.as_deref().unwrap_or("default"), model);
    Ok((prices.pool(model, &id, client, merged(&pool.limits, &run.limits), pool.weight), endpoint))
}

/// `gemini/ACCOUNT/MODEL`; another address than the provider's own is another endpoint, with limits of its own.
fn pool_id(endpoint: &BaseUrl, account: &str, model: &ModelRef) -> String {
    let own = GeminiSettings::endpoint_from_env(|_| None).is_ok_and(|own| own == *endpoint);
    if own {
        format!("{}/{account}/{}", Provider::Gemini, model.name())
    } else {
        format!("{}@{endpoint}/{account}/{}", Provider::Gemini, model.name())
    }
}

/// The configured limits, those of the command line in place of the ones they replace.
fn merged(configured: &[Limit], flags: &[Limit]) -> Vec<Limit> {
    let replaced = |limit: &Limit| flags.iter().any(|flag| flag.scope() == limit.scope());
    configured.iter().filter(|limit| !replaced(limit)).chain(flags).copied().collect()
}

fn sandbox_config(flags: &SandboxFlags, model: &str) -> CliResult<SandboxConfig> {
    let span = |text: &Option<String>| text.as_deref().map(str::parse::<Span>).transpose();
    let config = SandboxConfig {
        quotas: flags.sandbox_quota.iter().map(|text| text.parse::<Quota>()).collect::<Result<_, _>>()?,
        latency: span(&flags.sandbox_latency)?.unwrap_or_default().0,
        per_output_token: span(&flags.sandbox_per_output_token)?.unwrap_or_default().0,
        faults: flags.sandbox_fault.iter().map(|text| text.parse::<FaultRate>()).collect::<Result<_, _>>()?,
        // The name says only what it is priced as.
        models: Some(vec![model.to_owned()]),
        ..SandboxConfig::default()
    };
    config.check()?;
    Ok(config)
}

#[cfg(test)]
mod tests {
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
        let model: ModelRef = "gemini:gemini-2.5-flash".parse().unwrap();
        let own = GeminiSettings::endpoint_from_env(|_| None).unwrap();
        assert_eq!(pool_id(&own, "default", &model), "gemini/default/gemini-2.5-flash");
        let other = BaseUrl::parse("http://127.0.0.1:9").unwrap();
        assert!(pool_id(&other, "default", &model).starts_with("gemini@http://127.0.0.1:9"));
    }
}
