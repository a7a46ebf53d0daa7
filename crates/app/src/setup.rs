//! How this place is set up.

use crate::app::App;
use crate::background;
use crate::error::AppResult;
use crate::views::{LibrarySetupView, SetupView, SignInSetupView};

/// What people may do who come by a provider of OpenID Connect, if the configuration says nothing.
const USUAL_ROLE: &str = "member";

impl App {
    /// How this place is set up: the library's models with what they have still to do, and how people sign in.
    ///
    /// # Errors
    /// What the models and the store report.
    pub async fn setup(&self) -> AppResult<SetupView> {
        let search = self.image_search().await?;
        let missing = search.library().missing_vectors(search.embedders(), background::MOST).await?;
        let embedders = search.embedders();
        let library = LibrarySetupView {
            images: self.library()?.store().image_count(&Default::default()).await?,
            text: embedders.text.as_ref().map(|model| model.id().to_string()),
            look: embedders.look.as_ref().map(|model| model.id().to_string()),
            missing: missing.images,
            underway: missing.by.is_some(),
        };
        let server = &self.config().server;
        let sign_in = server.sign_in.iter().map(|(name, provider)| SignInSetupView {
            name: name.clone(),
            title: provider.title.clone().unwrap_or_else(|| name.clone()),
            issuer: provider.issuer.clone(),
            client_id: provider.client_id.clone(),
            redirect: server
                .public_url
                .as_ref()
                .map(|url| format!("{}/api/v1/sign-in/oidc/{name}/callback", url.trim_end_matches('/'))),
            allow_addresses: provider.allow_addresses.clone(),
            allow_domains: provider.allow_domains.clone(),
            allow_all: provider.allow_all,
            role: provider.role.clone().unwrap_or_else(|| USUAL_ROLE.to_owned()),
        });
        Ok(SetupView { library, sign_in: sign_in.collect() })
    }
}
