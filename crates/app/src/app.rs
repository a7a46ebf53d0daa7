//! What every use of the application starts from.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use atelier_embed::MiniLm;
use atelier_engine::{Clock, Engine, JobId, Purse};
use atelier_providers::HttpClient;
use atelier_store::{JobRecord, LOCAL_OWNER, RequestKey, Store, StoreError};
use atelier_studio::generate::{ImageStudio, Prepared};
use atelier_studio::library::{Embedders, Library};
use atelier_studio::search::ImageSearch;
use tokio::sync::{Notify, OnceCell};

use crate::config::{Config, Environment, xdg};
use crate::error::{AppError, AppResult};
use crate::pools::{Pools, Prices};

/// Where an application is to be found, as far as a face was told.
#[derive(Clone)]
pub struct Start {
    /// The configuration's file; the usual places if none is named.
    pub config: Option<PathBuf>,
    /// Where everything is kept; what the configuration says, or the usual place, if nothing is said.
    pub data_dir: Option<PathBuf>,
    /// The environment.
    pub environment: Environment,
    /// The clock.
    pub clock: Clock,
}

/// The application, in the hands of one user. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
    owner: Arc<str>,
    only_own: bool,
    request: Option<RequestKey>,
}

pub(crate) struct Inner {
    config: Config,
    config_file: Option<PathBuf>,
    data_dir: PathBuf,
    clock: Clock,
    environment: Environment,
    /// Opened once, by whoever needs it first. The engine goes with it: what its runs know of pools they share.
    store: Mutex<Option<(Store, Engine)>>,
    /// Its connections are there for every run, however many pools come and go.
    http: Mutex<Option<HttpClient>>,
    /// Pools that somebody uses: what is asked of the same model in the same way shares its connections, and the
    /// sandbox that answers it.
    pools: Mutex<HashMap<String, Weak<Pools>>>,
    /// Models that run here, loaded by whoever needs them first.
    pub(crate) text: OnceCell<Arc<MiniLm>>,
    pub(crate) local: OnceCell<Embedders>,
    /// What is sent of pictures, as far as it was made lately.
    prepared: Prepared,
    /// The index has one owner: whoever searches and imports in this process shares it.
    pub(crate) search: OnceCell<Arc<ImageSearch>>,
    /// Of everybody whose work may cost only so much in a day.
    pub(crate) purses: Mutex<HashMap<String, Arc<Purse>>>,
    /// Told whenever something is to be done about a job.
    pub(crate) submitted: Arc<Notify>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("data_dir", &self.inner.data_dir)
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

impl App {
    /// Reads the configuration. Nothing is opened yet.
    ///
    /// # Errors
    /// What is wrong with the configuration, or that there is no place for the data.
    pub fn start(start: Start) -> AppResult<Self> {
        let Start { config: config_file, data_dir, environment, clock } = start;
        let config = Config::load(config_file.as_deref(), &environment)?;
        let data_dir = data_dir
            .or_else(|| config.data_dir.clone())
            .or_else(|| xdg(&environment, "XDG_DATA_HOME", ".local/share").map(|dir| dir.join("atelier")))
            .ok_or_else(|| {
                AppError::new(code!("no-data-dir"), "there is no home directory to keep the data in")
                    .hint("name a data directory")
            })?;
        let (store, http, pools) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (text, local, search) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        let (submitted, purses) = (Arc::default(), Mutex::default());
        let inner = Inner {
            config,
            config_file,
            data_dir,
            clock,
            environment,
            store,
            http,
            pools,
            text,
            local,
            search,
            prepared: Prepared::default(),
            submitted,
            purses,
        };
        Ok(Self { inner: Arc::new(inner), owner: LOCAL_OWNER.into(), only_own: false, request: None })
    }

    /// The same application in the hands of somebody else: what is made through it is theirs.
    #[must_use]
    pub fn owned_by(&self, owner: &str) -> Self {
        Self { owner: owner.into(), ..self.clone() }
    }

    /// The same application as somebody sees it who may see what is theirs and what is shared: what others own is not
    /// there.
    #[must_use]
    pub fn seen_by(&self, owner: &str) -> Self {
        Self { owner: owner.into(), only_own: true, ..self.clone() }
    }

    /// The same application as it is seen by whoever runs it: what everybody owns.
    #[must_use]
    pub fn seeing_all(&self) -> Self {
        Self { only_own: false, ..self.clone() }
    }

    /// The same application on behalf of a request: the job that is submitted through it is the request's, once, and a
    /// server works on it.
    #[must_use]
    pub fn on_request(&self, request: RequestKey) -> Self {
        Self { request: Some(request), ..self.clone() }
    }

    pub(crate) const fn is_on_request(&self) -> bool {
        self.request.is_some()
    }

    /// Whose hands it is in: the owner of what is made.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    pub(crate) fn shared(&self) -> &Inner {
        &self.inner
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// The file that was named as the configuration, if one was.
    #[must_use]
    pub fn config_file(&self) -> Option<&Path> {
        self.inner.config_file.as_deref()
    }

    /// Where everything is kept.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.inner.data_dir
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.inner.clock
    }

    /// A variable of the environment, such as the one that holds a secret.
    #[must_use]
    pub fn secret_of_environment(&self, name: &str) -> Option<String> {
        self.environment(name).filter(|value| !value.is_empty())
    }

    pub(crate) fn environment(&self, name: &str) -> Option<String> {
        (self.inner.environment)(name)
    }

    /// The store, which is made if it is not there.
    ///
    /// # Errors
    /// What the store reports.
    pub fn store(&self) -> AppResult<Store> {
        let store = self.opened()?.0;
        let store = if self.only_own { store.seen_by(&self.owner) } else { store.owned_by(&self.owner) };
        Ok(match &self.request {
            Some(request) => store.on_request(request.clone()),
            None => store,
        })
    }

    fn opened(&self) -> AppResult<(Store, Engine)> {
        let mut slot = self.inner.store.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = &*slot {
            return Ok(opened.clone());
        }
        let store = Store::open(&self.inner.data_dir)?;
        let engine = Engine::new(store.journal(), self.clock());
        Ok(slot.insert((store, engine)).clone())
    }

    /// The library of images.
    ///
    /// # Errors
    /// What the store and the objects report.
    pub fn library(&self) -> AppResult<Library> {
        Ok(Library::open(self.store()?)?)
    }

    /// What makes images, beside the library.
    ///
    /// # Errors
    /// As [`App::library`].
    pub fn studio(&self) -> AppResult<ImageStudio> {
        Ok(ImageStudio::sharing(self.library()?, self.clock(), self.inner.prepared.clone()))
    }

    pub(crate) fn http(&self) -> AppResult<HttpClient> {
        let mut slot = self.inner.http.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(http) = &*slot {
            return Ok(http.clone());
        }
        Ok(slot.insert(HttpClient::new()?).clone())
    }

    pub(crate) fn engine(&self) -> AppResult<Engine> {
        Ok(self.opened()?.1)
    }

    /// The job of this id.
    ///
    /// # Errors
    /// `no-such-job`, and what the store reports.
    pub async fn job(&self, id: &str) -> AppResult<JobRecord> {
        let found = self.store()?.job(id).await?;
        Ok(found.ok_or_else(|| StoreError::NoSuchJob { job: id.to_owned() })?)
    }

    /// The prices of today.
    ///
    /// # Errors
    /// What is wrong with the price table that the configuration names.
    pub fn prices(&self) -> AppResult<Prices> {
        Prices::load(self.config(), &self.imported_prices(), self.clock().now())
    }

    /// Where prices are that were imported.
    pub(crate) fn imported_prices(&self) -> PathBuf {
        self.data_dir().join("prices.json")
    }

    /// Pools that are in use under this key, or those that `open` makes.
    pub(crate) fn shared_pools(&self, key: String, open: impl FnOnce() -> AppResult<Pools>) -> AppResult<Arc<Pools>> {
        let mut shared = self.inner.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pools) = shared.get(&key).and_then(Weak::upgrade) {
            return Ok(pools);
        }
        let pools = Arc::new(open()?);
        shared.retain(|_, pools| pools.strong_count() > 0);
        shared.insert(key, Arc::downgrade(&pools));
        Ok(pools)
    }

    /// An id for a new job.
    pub(crate) fn job_id(&self, what: &str) -> JobId {
        atelier_store::job_id(what, self.clock().now())
    }
}
