//! Models as one chooses among them, and presets.

use std::collections::{BTreeMap, BTreeSet};

use atelier_studio::generate::{Category, Presets, categories};

use crate::app::App;
use crate::error::AppResult;
use crate::pools::Pools;
use crate::run::RunSettings;
use crate::views::{ModelListView, ModelView};

/// The sandbox, in the names that a studio offers: several for images, so that there is something to compare.
const SANDBOX_IMAGES: [&str; 3] =
    ["sandbox:gemini-3.1-flash-image", "sandbox:gemini-3-pro-image", "sandbox:openai:gpt-image-2"];
const SANDBOX_WORDS: &str = "sandbox:gemini-3.5-flash-lite";

/// Presets by kind, each a name with what the prompt says of it.
pub(crate) type NamedPresets = BTreeMap<String, Vec<(String, String)>>;

impl App {
    /// The models that there are prices or pools for, the sandbox first.
    ///
    /// # Errors
    /// What is wrong with a price table.
    pub async fn models(&self) -> AppResult<ModelListView> {
        let prices = self.prices()?;
        let mut priced = BTreeMap::new();
        for model in prices.models() {
            let price = model.price(prices.day(), 1);
            let makes_images = price
                .as_ref()
                .is_some_and(|price| price.image != atelier_engine::Usd::ZERO || price.image_output.is_some());
            priced.insert(format!("{}:{}", model.provider, model.name), makes_images);
        }
        let mut names: BTreeSet<String> = priced.keys().cloned().collect();
        names.extend(self.config().pools.iter().map(|pool| pool.model.clone()));
        let sandbox =
            |name: &str, makes_images| ModelView { model: name.to_owned(), makes_images, ready: true, sandbox: true };
        let mut models = SANDBOX_IMAGES.map(|name| sandbox(name, true)).to_vec();
        models.push(sandbox(SANDBOX_WORDS, false));
        for model in names {
            models.push(ModelView {
                makes_images: priced.get(&model).copied().unwrap_or(model.contains("image")),
                ready: Pools::open(self, &RunSettings::of(&model)).await.is_ok(),
                sandbox: false,
                model,
            });
        }
        Ok(ModelListView { models })
    }

    /// Presets of camera, lens and light, and categories of tone with what each is like.
    ///
    /// # Errors
    /// `presets-unreadable`.
    pub fn presets(&self) -> AppResult<(NamedPresets, BTreeMap<String, String>)> {
        let presets = Presets::builtin()?;
        let named = presets.all().into_iter().map(|(kind, presets)| {
            let pairs = presets.iter().map(|preset| (preset.name.clone(), preset.words.clone()));
            (kind.to_owned(), pairs.collect())
        });
        let own = self.config().images.categories.iter();
        let own: Vec<Category> =
            own.map(|(name, words)| Category { name: name.clone(), words: words.clone() }).collect();
        let tones = categories(&own).into_iter().map(|category| (category.name, category.words)).collect();
        Ok((named.collect(), tones))
    }
}
