//! How a place is set up, for whoever looks after it.

use serde::Serialize;
use utoipa::ToSchema;

/// How a place is set up. What stands in the configuration is changed there.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SetupView {
    /// The library and its models.
    pub library: LibrarySetupView,
    /// The providers of OpenID Connect by which people sign in.
    pub sign_in: Vec<SignInSetupView>,
}

/// The models that the library is searched by.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LibrarySetupView {
    /// Images in the library.
    pub images: u64,
    /// What compares words, if anything does.
    pub text: Option<String>,
    /// What sees pictures, if anything does.
    pub look: Option<String>,
    /// Images that lack a vector of one of these, as far as they were counted.
    pub missing: u64,
    /// Whether somebody makes them now.
    pub underway: bool,
}

/// A provider of OpenID Connect.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SignInSetupView {
    /// Its name in the configuration.
    pub name: String,
    /// What people see.
    pub title: String,
    /// Its address.
    pub issuer: String,
    /// What it calls this server.
    pub client_id: String,
    /// Where it has to send people back to, if this server knows its own address.
    pub redirect: Option<String>,
    /// Addresses that may come in.
    pub allow_addresses: Vec<String>,
    /// Domains whose addresses may come in.
    pub allow_domains: Vec<String>,
    /// Whether everybody may whom it vouches for.
    pub allow_all: bool,
    /// What they may do.
    pub role: String,
}
