//! `atelier.toml`: accounts, pools and where things are. Nothing in it is needed for one key and one model.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use atelier_engine::Limit;
use serde::Deserialize;

use crate::error::{AppError, AppResult};

/// Reads a variable of the environment.
pub type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The file's content. An unknown key is an error that names it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where everything is kept.
    pub data_dir: Option<PathBuf>,
    /// The model to use where neither the user nor the project names one.
    pub model: Option<String>,
    /// A price table that goes before the built-in one.
    pub prices: Option<PathBuf>,
    /// How images are searched.
    #[serde(default)]
    pub search: SearchConfig,
    /// How images are made.
    #[serde(default)]
    pub images: ImagesConfig,
    /// How it is served.
    #[serde(default)]
    pub server: ServerConfig,
    /// Accounts by name.
    #[serde(default)]
    pub accounts: BTreeMap<String, Account>,
    /// What limits apply to.
    #[serde(default)]
    pub pools: Vec<PoolConfig>,
}

/// How images are searched.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchConfig {
    /// What sees pictures: `local`, the folder of a CLIP or SigLIP after `clip:`, a provider's model, or `off`.
    pub look: Option<String>,
    /// Whether a search has missing vectors made in the background; if nothing is said, it does.
    pub background: Option<bool>,
}

/// How images are made.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImagesConfig {
    /// The model, where no flag names one.
    pub model: Option<String>,
    /// Categories of tone beside the built-in ones: what each is like, by its name.
    #[serde(default)]
    pub categories: BTreeMap<String, String>,
}

/// How it is served, where the command line says nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Where to listen.
    pub addr: Option<SocketAddr>,
    /// The address that people reach it under.
    pub public_url: Option<String>,
    /// Whether a proxy in front ends TLS.
    #[serde(default)]
    pub behind_proxy: bool,
    /// Proxies whose word is taken about where requests come from.
    #[serde(default)]
    pub trusted_proxies: Vec<IpAddr>,
    /// The file of the key that seals providers' keys.
    pub key_file: Option<PathBuf>,
    /// Other names under which it may be asked.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Providers of OpenID Connect by which people sign in, by name.
    #[serde(default)]
    pub sign_in: BTreeMap<String, ForeignSignIn>,
}

/// A provider of OpenID Connect by which people sign in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignSignIn {
    /// Its address; of Entra that of one's own tenant.
    pub issuer: String,
    /// What it calls this server.
    pub client_id: String,
    /// The environment variable that holds the client's secret; a public client has none.
    pub client_secret_env: Option<String>,
    /// What people see.
    pub title: Option<String>,
    /// Addresses that may come in, verified.
    #[serde(default)]
    pub allow_addresses: Vec<String>,
    /// Domains whose verified addresses may come in.
    #[serde(default)]
    pub allow_domains: Vec<String>,
    /// Whether everybody may come in whom it vouches for: only where it knows nobody but one's own people.
    #[serde(default)]
    pub allow_all: bool,
    /// What they may do: `member` or `viewer`.
    pub role: Option<String>,
}

/// A provider's project: what its keys share.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The environment variable that holds its key; a server on your own machines often wants none.
    pub key_env: Option<String>,
    /// Where to call, if not at the provider's own address.
    pub base_url: Option<String>,
    /// How the server there differs from OpenAI, for `openai:` models: openai, ollama, vllm, llama.cpp or basic.
    pub quirks: Option<String>,
    /// Limits that all of its models share.
    #[serde(default)]
    pub limits: Vec<Limit>,
}

/// A model on an account, and its limits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolConfig {
    /// The model, such as `gemini:gemini-2.5-flash`.
    pub model: String,
    /// The account's name; the environment's key if absent.
    pub account: Option<String>,
    /// Its limits.
    #[serde(default)]
    pub limits: Vec<Limit>,
    /// Its share beside other pools of the same model; with 0 it only steps in for them.
    #[serde(default = "one")]
    pub weight: u32,
}

const fn one() -> u32 {
    1
}

/// Every key of the file and what it is for, as docs/reference.md lists them.
pub const SETTINGS: [(&str, &str); 29] = [
    ("data_dir", "where everything is kept, unless the command line or ATELIER_DATA_DIR says so"),
    ("model", "the model, where neither the command line nor the project names one"),
    ("prices", "a price table of the form of assets/prices.toml, which goes before the built-in one"),
    (
        "search.look",
        "what sees pictures: local, clip:FOLDER with a CLIP or SigLIP in ONNX, gemini:gemini-embedding-2 (for words, too), sandbox:gemini-embedding-2 to try that out, or off (absent: local)",
    ),
    (
        "search.background",
        "whether a search has vectors that images lack, as after a change of search.look, made in the background (absent: true)",
    ),
    (
        "images.model",
        "the model that makes images, where the command line names none (absent: gemini:gemini-3.1-flash-image)",
    ),
    (
        "images.categories.NAME",
        "a category of tone beside natural, vivid, cinematic and beauty: what it is like, in words",
    ),
    ("server.addr", "where 'atelier serve' listens (absent: 127.0.0.1:8787)"),
    (
        "server.public_url",
        "the address that people reach it under, such as https://studio.example.org (absent: where it listens)",
    ),
    ("server.behind_proxy", "whether a proxy in front ends TLS, which it needs to listen for others (absent: false)"),
    (
        "server.trusted_proxies",
        "addresses of proxies whose word is taken about where requests come from (absent: none)",
    ),
    (
        "server.key_file",
        "the file of the key that seals the providers' keys that are written in the settings (absent: in the data \
         directory; elsewhere, a copy of that directory opens none of them)",
    ),
    ("server.hosts", "other names under which it may be asked (absent: none)"),
    (
        "server.sign_in.NAME.issuer",
        "a provider of OpenID Connect by which people sign in: its address; of Entra that of your own tenant",
    ),
    ("server.sign_in.NAME.client_id", "what it calls this server (required)"),
    (
        "server.sign_in.NAME.client_secret_env",
        "the environment variable that holds the client's secret (absent: there is none)",
    ),
    ("server.sign_in.NAME.title", "what people see (absent: its name)"),
    ("server.sign_in.NAME.allow_addresses", "addresses that may come in, which it has verified (absent: none)"),
    ("server.sign_in.NAME.allow_domains", "domains whose verified addresses may come in (absent: none)"),
    (
        "server.sign_in.NAME.allow_all",
        "whether everybody may come in whom it vouches for: only where it knows none but your own people (absent: false)",
    ),
    ("server.sign_in.NAME.role", "what they may do, member or viewer (absent: member)"),
    ("accounts.NAME.key_env", "the environment variable that holds the account's key"),
    ("accounts.NAME.base_url", "where to call (absent: the provider's own address, or the environment's)"),
    (
        "accounts.NAME.quirks",
        "how a server there differs from OpenAI, for openai: models: openai, ollama, vllm, llama.cpp or basic",
    ),
    ("accounts.NAME.limits", "limits that all of its models share, such as [\"usd=20/day\"] (absent: none)"),
    ("pools[].model", "the model, such as gemini:gemini-2.5-flash (required)"),
    ("pools[].account", "the name of its account (absent: the environment's key)"),
    ("pools[].limits", "its limits, such as [\"requests=15/60s\", \"usd=5/day\"] (absent: they are learnt)"),
    ("pools[].weight", "its share beside other pools of the same model; with 0 it only steps in for them (absent: 1)"),
];

impl Config {
    /// Reads the file that was named, or else `atelier.toml` here, or else that in the user's configuration
    /// directory; none of the latter need exist.
    pub(crate) fn load(named: Option<&Path>, environment: &Environment) -> AppResult<Self> {
        if let Some(path) = named {
            return Self::read(path);
        }
        let home = xdg(environment, "XDG_CONFIG_HOME", ".config").map(|dir| dir.join("atelier/atelier.toml"));
        let candidates = [Some(PathBuf::from("atelier.toml")), home];
        candidates
            .into_iter()
            .flatten()
            .find(|path| path.is_file())
            .map_or_else(|| Ok(Self::default()), |path| Self::read(&path))
    }

    fn read(path: &Path) -> AppResult<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| AppError::new(code!("config-unreadable"), format!("{shown} can't be read: {error}")))?;
        let config: Self = toml::from_str(&text).map_err(|error| {
            // The error in full would show the line itself, and a key may stand there by mistake.
            let place = error.span().and_then(|span| text.get(..span.start));
            let place = place.map(|before| format!(", line {}", before.matches('\n').count() + 1)).unwrap_or_default();
            let reason = error.message().trim_end();
            AppError::new(code!("config-invalid"), format!("{shown}{place}: {reason}"))
                .hint("docs/configuration.md describes every key")
        })?;
        config.check(path)?;
        Ok(config)
    }

    fn check(&self, path: &Path) -> AppResult<()> {
        for (name, provider) in &self.server.sign_in {
            let role = provider.role.as_deref().unwrap_or("member");
            if !["member", "viewer"].contains(&role) {
                let message = format!("{}: [server.sign_in.{name}] gives the role '{role}'", path.display());
                return Err(AppError::new(code!("config-invalid"), message)
                    .hint("write member or viewer: an administrator is made by an administrator"));
            }
            if ["/common/", "/organizations/", "/consumers/"].iter().any(|any| provider.issuer.contains(any)) {
                let message = format!("{}: [server.sign_in.{name}] takes the people of any tenant", path.display());
                return Err(AppError::new(code!("config-invalid"), message)
                    .hint("name your own tenant in the issuer: what another one says of its people proves nothing"));
            }
        }
        for pool in &self.pools {
            if let Some(account) = &pool.account
                && !self.accounts.contains_key(account)
            {
                let message = format!("{}: the pool of {} names the account '{account}'", path.display(), pool.model);
                return Err(AppError::new(code!("config-invalid"), format!("{message}, which is not there"))
                    .hint(format!("add [accounts.{account}] with its key_env")));
            }
        }
        Ok(())
    }
}

/// A directory of the XDG specification: the variable if it is absolute, else below the home directory.
pub(crate) fn xdg(environment: &Environment, variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |name: &str| environment(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(below_home)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn accounts_and_pools_are_read() {
        let config = parse(
            r#"
            data_dir = "/srv/atelier"
            [accounts.team]
            key_env = "TEAM_KEY"
            [[pools]]
            model = "gemini:gemini-2.5-flash"
            account = "team"
            limits = ["requests=1000/60s", "usd=5/day"]
            "#,
        )
        .unwrap();
        assert_eq!(config.pools[0].limits[0].to_string(), "requests=1000/60s");
        assert_eq!((config.pools[0].weight, config.accounts["team"].key_env.as_deref()), (1, Some("TEAM_KEY")));
    }

    #[test]
    fn an_unknown_key_is_named() {
        assert!(parse("datadir = \"x\"").unwrap_err().contains("datadir"));
        assert!(parse("[[pools]]\nmodel = \"m\"\nlimit = []").unwrap_err().contains("limit"));
    }

    #[test]
    fn the_list_of_settings_is_the_list_of_keys_that_are_taken() {
        let tables = [
            ("", ""),
            ("search.", "[search]\n"),
            ("images.", "[images]\n"),
            ("server.", "[server]\n"),
            ("server.sign_in.NAME.", "[server.sign_in.a]\n"),
            ("accounts.NAME.", "[accounts.a]\n"),
            ("pools[].", "[[pools]]\n"),
        ];
        for (prefix, text) in tables {
            let error = parse(&format!("{text}nothing = 1")).unwrap_err();
            let (_, expected) = error.split_once("expected").unwrap();
            let taken: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
            let tables = ["accounts", "categories", "images", "pools", "search", "server", "sign_in"];
            let taken: Vec<String> =
                taken.into_iter().filter(|key| !tables.contains(key)).map(|key| format!("{prefix}{key}")).collect();
            let depth = prefix.matches('.').count();
            let listed = SETTINGS.iter().map(|(key, _)| *key);
            let listed: Vec<&str> =
                listed.filter(|key| key.starts_with(prefix) && key.matches('.').count() == depth).collect();
            assert_eq!(taken, listed);
        }
    }

    #[test]
    fn a_limit_that_is_none_says_why() {
        let error = parse("[[pools]]\nmodel = \"m\"\nlimits = [\"15\"]").unwrap_err();
        assert!(error.contains("'15' is not a limit"), "{error}");
    }
}
