//! Prices.

use atelier_providers::{ModelPrices, UsualLimits};
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

/// What models cost.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PriceListView {
    /// The day of which these are the prices, UTC.
    pub day: String,
    /// A row for each price of each model.
    pub prices: Vec<PriceRowView>,
}

/// What a model costs from a day on, for calls of a size. Dollars.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PriceRowView {
    /// The model, as a user calls it.
    pub model: String,
    /// The first day of this price; `None` if it has always held.
    pub from: Option<String>,
    /// For calls with more tokens in than this.
    pub above_input_tokens: u64,
    /// A million tokens in.
    pub input: f64,
    /// A million tokens in that were read from a cache.
    pub cached_input: Option<f64>,
    /// A million tokens of pictures in.
    pub image_input: Option<f64>,
    /// A million tokens out.
    pub output: f64,
    /// A million tokens of pictures out.
    pub image_output: Option<f64>,
    /// An image at most, where its tokens are not reported.
    pub image: Option<f64>,
    /// The most tokens of a prompt.
    pub max_input_tokens: Option<u64>,
    /// The most tokens of an answer.
    pub max_output_tokens: u64,
    /// Whether the price is old, or not from the provider itself.
    pub second_hand: bool,
    /// Limits that somebody wrote down: to be shown, never kept to.
    pub usual_limits: UsualLimits,
}

impl PriceRowView {
    pub(crate) fn rows(model: &ModelPrices) -> Vec<Self> {
        let row = |(from, above): (Date, u64)| {
            let price = model.price(from, above.saturating_add(1))?;
            let dollars = |usd: Option<atelier_engine::Usd>| usd.map(atelier_engine::Usd::as_dollars);
            Some(Self {
                model: format!("{}:{}", model.provider, model.name),
                from: (from != Date::MIN).then(|| from.to_string()),
                above_input_tokens: above,
                input: price.input.as_dollars(),
                cached_input: dollars(price.cached_input),
                image_input: dollars(price.image_input),
                output: price.output.as_dollars(),
                image_output: dollars(price.image_output),
                image: dollars(Some(price.image).filter(|image| *image != atelier_engine::Usd::ZERO)),
                max_input_tokens: model.max_input_tokens,
                max_output_tokens: model.max_output_tokens,
                second_hand: model.second_hand,
                usual_limits: model.usual_limits,
            })
        };
        model.tiers().filter_map(row).collect()
    }
}

/// What came of importing a price table.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PricesImportView {
    /// Models that it has a price of.
    pub models: usize,
}
