//! Providers and their keys, as anyone may see them: never a key.

use serde::Serialize;
use utoipa::ToSchema;

/// The accounts of providers.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProviderListView {
    /// The environment's first, then those that pools are on.
    pub providers: Vec<ProviderView>,
}

/// An account of a provider.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProviderView {
    /// `PROVIDER/ACCOUNT`.
    pub account: String,
    /// Where it is called.
    pub address: String,
    /// Where its key comes from.
    pub key: KeySource,
    /// The environment variable that holds the key, or would.
    pub variable: Option<String>,
    /// When the key was written here.
    pub written_at: Option<String>,
    /// Who wrote it: a user's id.
    pub written_by: Option<String>,
}

/// Where a provider's key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeySource {
    /// From the environment, which goes before what is written here.
    Environment,
    /// An administrator has written it.
    Written,
    /// There is none, and nothing can be made without one.
    Missing,
    /// There is none, and the server there wants none.
    NotNeeded,
}

/// A key that a provider takes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TriedView {
    /// How many models it opens, as far as the provider's first page says.
    pub models: u64,
}
