//! Prices of models: a dated table that is data, built in and replaceable.

use std::collections::BTreeMap;

use atelier_engine::{Price, Usd};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::error::ProviderError;
use crate::model_ref::{ModelRef, Provider};

mod community;
mod given;

pub use given::PriceOverride;

const BUILTIN: &str = include_str!("../../../assets/prices.toml");
const BUILTIN_NAME: &str = "assets/prices.toml";

/// The most that the sandbox answers with; it costs nothing, whatever this is.
const SANDBOX_OUTPUT_CAP: u64 = 65_536;

/// Prices of models, by provider and name.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceTable {
    as_of: Option<Date>,
    batch_factor: f64,
    models: BTreeMap<(Provider, String), ModelPrices>,
}

/// One model's prices and the sizes of its prompts and answers.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelPrices {
    /// The provider whose model it is.
    pub provider: Provider,
    /// The model's name on the provider's wire.
    pub name: String,
    /// The most tokens of a prompt, if known.
    pub max_input_tokens: Option<u64>,
    /// The most tokens that the model answers with, thoughts included.
    pub max_output_tokens: u64,
    /// `true` if the prices are old, or not from the provider itself.
    pub second_hand: bool,
    /// Requests and tokens a minute that somebody wrote down for it: to be shown, never kept to.
    pub usual_limits: UsualLimits,
    /// The prices by from-date, then by the input tokens above which they hold.
    rows: BTreeMap<(Date, u64), PriceRow>,
}

/// Limits that a price table has beside a model. They differ by account, so they are hints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UsualLimits {
    /// Requests a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpm: Option<u64>,
    /// Tokens a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpm: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
struct PriceRow {
    input: Usd,
    cached_input: Option<Usd>,
    image_input: Option<Usd>,
    output: Usd,
    image_output: Option<Usd>,
    images: BTreeMap<String, Usd>,
}

impl PriceTable {
    /// The table that the program was built with.
    ///
    /// # Errors
    /// [`ProviderError::BadPrices`] if the program was built with a broken table.
    pub fn builtin() -> Result<Self, ProviderError> {
        Self { as_of: None, batch_factor: 1.0, models: BTreeMap::new() }.with_file(BUILTIN_NAME, BUILTIN)
    }

    /// This table with what `text`, a file called `name`, says: one of the form of the built-in one, or the JSON in
    /// which litellm keeps the prices of all models. A model that it names is replaced whole, the others stay.
    ///
    /// # Errors
    /// [`ProviderError::BadPrices`] with the line, for anything that the form does not have.
    pub fn with_file(self, name: &str, text: &str) -> Result<Self, ProviderError> {
        self.with(name, File::read(name, text)?)
    }

    /// The models of a file that [`PriceTable::with_file`] takes, in the form in which a table is read the quickest:
    /// JSON of the built-in one's fields. With it comes how many models it has.
    ///
    /// # Errors
    /// [`ProviderError::BadPrices`].
    pub fn compact(name: &str, text: &str) -> Result<(String, usize), ProviderError> {
        let bad = |reason: String| ProviderError::BadPrices { name: name.to_owned(), reason };
        let file = File::read(name, text)?;
        let models = file.model.len();
        let compact = serde_json::to_string(&file).map_err(|error| bad(error.to_string()))?;
        Self { as_of: None, batch_factor: 1.0, models: BTreeMap::new() }.with(name, file)?;
        Ok((compact, models))
    }

    fn with(mut self, name: &str, file: File) -> Result<Self, ProviderError> {
        let bad = |reason: String| ProviderError::BadPrices { name: name.to_owned(), reason };
        if let Some(factor) = file.batch_factor {
            if !(factor.is_finite() && (0.0..=1.0).contains(&factor)) {
                return Err(bad(format!("batch_factor is {factor}, which is not from 0 to 1")));
            }
            self.batch_factor = factor;
        }
        self.as_of = file.as_of.or(self.as_of);
        let mut named = BTreeMap::new();
        for entry in file.model {
            let title = format!("{}:{}", entry.provider, entry.name);
            let model = entry.check().map_err(|reason| bad(format!("{title}: {reason}")))?;
            if named.insert((model.provider, model.name.clone()), model).is_some() {
                return Err(bad(format!("{title} is there twice")));
            }
        }
        self.models.append(&mut named);
        Ok(self)
    }

    /// The day on which the prices were read.
    pub const fn as_of(&self) -> Option<Date> {
        self.as_of
    }

    /// The share of these prices that a batch call costs, from 0 to 1.
    pub const fn batch_factor(&self) -> f64 {
        self.batch_factor
    }

    /// Every model of the table, in order.
    pub fn models(&self) -> impl Iterator<Item = &ModelPrices> {
        self.models.values()
    }

    /// The entry of a model; `None` if the table has none. `sandbox:NAME` is looked up as the model that it
    /// stands in for.
    pub fn model(&self, model: &ModelRef) -> Option<&ModelPrices> {
        self.models.get(&(model.wire(), model.name().to_owned()))
    }

    /// The price of a call on `date` with a prompt of `input_tokens`. `None` means that it is unknown, which is not
    /// zero. The sandbox costs nothing, unless it stands in for a model by name: then it is priced as that one.
    pub fn price(&self, model: &ModelRef, date: Date, input_tokens: u64) -> Option<Price> {
        match self.model(model) {
            Some(prices) => prices.price(date, input_tokens),
            None if model.is_nameless() => Some(Price { output_cap: SANDBOX_OUTPUT_CAP, ..Price::default() }),
            None => None,
        }
    }
}

impl ModelPrices {
    /// The price on `date` for a call with so many input tokens; `None` before the first from-date. An image
    /// is taken at its dearest size in the table.
    pub fn price(&self, date: Date, input_tokens: u64) -> Option<Price> {
        let row = self.row(date, input_tokens)?;
        let image = row.images.values().copied().max().unwrap_or_default();
        Some(Price {
            input: row.input,
            cached_input: row.cached_input,
            image_input: row.image_input,
            output: row.output,
            image_output: row.image_output,
            image,
            output_cap: self.max_output_tokens,
        })
    }

    /// From which day on, and above how many input tokens, each of its prices holds: in that order.
    pub fn tiers(&self) -> impl Iterator<Item = (Date, u64)> {
        self.rows.keys().copied()
    }

    /// The price of an image of this size (`1K`, `2K`, `4K`) on `date`; `None` if it is unknown.
    pub fn image(&self, date: Date, size: &str) -> Option<Usd> {
        self.row(date, 0)?.images.get(size).copied()
    }

    fn row(&self, date: Date, input_tokens: u64) -> Option<&PriceRow> {
        let from = self.rows.keys().rev().map(|(from, _)| *from).find(|from| *from <= date)?;
        // A boundary belongs to the tier below it: 200,000 tokens are not over 200k.
        self.rows.range((from, 0)..=(from, input_tokens.saturating_sub(1))).next_back().map(|(_, row)| row)
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    as_of: Option<Date>,
    batch_factor: Option<f64>,
    model: Vec<ModelEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelEntry {
    provider: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_input_tokens: Option<u64>,
    max_output_tokens: u64,
    #[serde(default)]
    second_hand: bool,
    #[serde(default)]
    usual_limits: UsualLimits,
    prices: Vec<PriceEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Date>,
    #[serde(default)]
    above_input_tokens: u64,
    input: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cached_input: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_input: Option<f64>,
    #[serde(default)]
    output: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_output: Option<f64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    images: BTreeMap<String, f64>,
}

impl File {
    fn read(name: &str, text: &str) -> Result<Self, ProviderError> {
        let read = if text.trim_start().starts_with('{') {
            community::read(text)
        } else {
            toml::from_str(text).map_err(|error| located(&error, text))
        };
        read.map_err(|reason| ProviderError::BadPrices { name: name.to_owned(), reason })
    }
}

impl ModelEntry {
    /// Whether its name can be one and its prices are amounts.
    fn is_sound(&self) -> bool {
        Provider::by_name(&self.provider).is_some_and(|provider| ModelRef::new(provider, &self.name).is_ok())
            && self.prices.iter().all(|price| price.check().is_ok())
    }

    fn check(self) -> Result<ModelPrices, String> {
        let provider = Provider::by_name(&self.provider).ok_or("there is no such provider")?;
        let model = ModelRef::new(provider, &self.name).map_err(|error| error.to_string())?;
        if model.is_sandbox() {
            return Err("the sandbox has no price: sandbox:NAME is priced as gemini:NAME".to_owned());
        }
        let mut rows = BTreeMap::new();
        for entry in self.prices {
            let key = (entry.from.unwrap_or(Date::MIN), entry.above_input_tokens);
            if rows.insert(key, entry.check()?).is_some() {
                return Err("two prices hold for the same day and the same input tokens".to_owned());
            }
        }
        if rows.is_empty() {
            return Err("it has no prices".to_owned());
        }
        if let Some((from, _)) = rows.keys().find(|(from, _)| !rows.contains_key(&(*from, 0))) {
            return Err(format!("there is a price above so many input tokens from {from}, and none below"));
        }
        Ok(ModelPrices {
            provider,
            name: self.name,
            max_input_tokens: self.max_input_tokens,
            max_output_tokens: self.max_output_tokens,
            second_hand: self.second_hand,
            usual_limits: self.usual_limits,
            rows,
        })
    }
}

impl PriceEntry {
    fn check(&self) -> Result<PriceRow, String> {
        let usd = |dollars: f64| {
            let nanos = Usd::from_dollars(dollars);
            nanos.ok_or_else(|| format!("{dollars} is not a price in dollars"))
        };
        let images = self.images.iter().map(|(size, dollars)| Ok((size.clone(), usd(*dollars)?)));
        let maybe = |dollars: Option<f64>| dollars.map(usd).transpose();
        Ok(PriceRow {
            input: usd(self.input)?,
            cached_input: maybe(self.cached_input)?,
            image_input: maybe(self.image_input)?,
            output: usd(self.output)?,
            image_output: maybe(self.image_output)?,
            images: images.collect::<Result<_, String>>()?,
        })
    }
}

fn located(error: &toml::de::Error, text: &str) -> String {
    let message = error.message();
    match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!("line {}: {message}", before.matches('\n').count() + 1),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use atelier_engine::Usage;
    use jiff::civil::date;

    use super::*;

    fn model(text: &str) -> ModelRef {
        text.parse().unwrap()
    }

    fn usd(dollars: f64) -> Usd {
        Usd::from_dollars(dollars).unwrap()
    }

    fn refused(text: &str) -> String {
        PriceTable::builtin().unwrap().with_file("mine.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn every_model_of_the_built_in_table_has_a_price_today_and_a_million_tokens_cost_it() {
        let table = PriceTable::builtin().unwrap();
        assert_eq!(table.as_of(), Some(date(2026, 11, 28)));
        assert_eq!(table.batch_factor(), 0.5);
        let day = date(2026, 11, 21);
        for (name, input, output, image, second_hand) in [
            ("gemini-3.8-flash", 0.75, 3.75, 0.0, false),
            ("gemini-3.5-flash", 1.50, 9.00, 0.0, false),
            ("gemini-3.5-flash-lite", 0.30, 2.50, 0.0, false),
            ("gemini-2.5-flash", 0.30, 2.50, 0.0, true),
            ("gemini-2.5-flash-lite", 0.10, 0.40, 0.0, true),
            ("gemini-3.1-pro-preview", 2.00, 12.00, 0.0, false),
            ("gemini-2.5-flash-image", 0.30, 0.0, 0.039, true),
            ("gemini-3.1-flash-image", 0.50, 0.0, 0.067, true),
            ("gemini-3-pro-image", 2.00, 0.0, 0.24, true),
            ("gemini-embedding-001", 0.15, 0.0, 0.0, false),
            ("gemini-embedding-2", 0.20, 0.0, 0.0, false),
        ] {
            let prices = table.model(&model(name)).unwrap();
            let price = prices.price(day, 1000).unwrap();
            assert_eq!((price.input, price.output, price.image), (usd(input), usd(output), usd(image)), "{name}");
            assert_eq!(prices.second_hand, second_hand, "{name}");
        }
    }

    #[test]
    fn what_comes_from_a_cache_and_what_is_a_picture_is_priced_as_such() {
        let (table, day) = (PriceTable::builtin().unwrap(), date(2026, 11, 28));
        let cost = |name: &str, usage: &Usage| table.price(&model(name), day, 0).unwrap().of(usage);
        let tokens = Usage::of_tokens(Some(1_000_000), Some(1_000_000));
        assert_eq!(cost("openai:gpt-5-mini", &tokens), usd(2.25));
        let cached = Usage { cached_tokens: Some(1_000_000), ..tokens };
        assert_eq!(cost("openai:gpt-5-mini", &cached), usd(2.025));
        let picture =
            Usage { image_output_tokens: Some(1_120), images: Some(1), ..Usage::of_tokens(Some(0), Some(1_120)) };
        assert_eq!(cost("openai:gpt-image-2", &picture), usd(0.0336));
        assert_eq!(cost("gemini-3.1-flash-image", &picture), usd(0.0672));
        let unsaid = Usage { images: Some(1), ..Usage::of_tokens(Some(0), Some(0)) };
        assert_eq!(cost("gemini-3.1-flash-image", &unsaid), usd(0.067));
    }

    #[test]
    fn a_price_with_a_from_date_holds_from_that_day() {
        let table = PriceTable::builtin().unwrap();
        let input = |day| table.price(&model("gemini-3.8-flash"), day, 0).unwrap().input;
        assert_eq!(input(date(2026, 12, 31)), usd(0.75));
        assert_eq!(input(date(2027, 1, 1)), usd(1.50));
    }

    #[test]
    fn a_long_prompt_costs_the_higher_rate() {
        let (table, pro, day) = (PriceTable::builtin().unwrap(), model("gemini-3.1-pro-preview"), date(2026, 11, 21));
        let input = |input_tokens| table.price(&pro, day, input_tokens).unwrap().input;
        assert_eq!((input(0), input(200_000), input(200_001)), (usd(2.0), usd(2.0), usd(4.0)));
        assert_eq!(table.price(&pro, day, u64::MAX).unwrap().output, usd(18.0));
    }

    #[test]
    fn an_images_price_goes_by_its_size() {
        let (table, day) = (PriceTable::builtin().unwrap(), date(2026, 11, 21));
        let pro = table.model(&model("gemini-3-pro-image")).unwrap();
        assert_eq!((pro.image(day, "2K"), pro.image(day, "4K")), (Some(usd(0.134)), Some(usd(0.24))));
        assert_eq!(pro.image(day, "8K"), None);
    }

    #[test]
    fn an_unknown_model_has_no_price_and_the_sandbox_costs_nothing_or_as_its_model() {
        let (table, day) = (PriceTable::builtin().unwrap(), date(2026, 11, 21));
        assert_eq!(table.price(&model("gemini:nobody-knows"), day, 0), None);
        assert_eq!(table.price(&model("sandbox"), day, 0).unwrap().input, Usd::ZERO);
        assert_eq!(table.price(&model("sandbox:fast"), day, 0), None);
        assert_eq!(table.price(&model("sandbox:gemini-2.5-flash"), day, 0).unwrap().output, usd(2.50));
        assert_eq!(table.price(&model("openai:gemini-2.5-flash"), day, 0), None);
        assert_eq!(table.price(&model("sandbox:openai"), day, 0).unwrap().output, Usd::ZERO);
    }

    #[test]
    fn a_file_of_the_users_adds_and_replaces_models() {
        let file = r#"
            [[model]]
            provider = "gemini"
            name = "gemini-2.5-flash"
            max_output_tokens = 100
            prices = [{ from = "2026-06-01", input = 1, output = 2.5 }]
        "#;
        let built_in = PriceTable::builtin().unwrap().models().count();
        let table = PriceTable::builtin().unwrap().with_file("mine.toml", file).unwrap();
        let price = |day| table.price(&model("gemini-2.5-flash"), day, 0);
        let expected = Price { input: usd(1.0), output: usd(2.5), output_cap: 100, ..Price::default() };
        assert_eq!(price(date(2026, 6, 1)), Some(expected));
        assert_eq!(price(date(2026, 5, 31)), None);
        assert_eq!((table.models().count(), table.batch_factor()), (built_in, 0.5));
    }

    #[test]
    fn a_file_that_is_wrong_says_what_and_where() {
        let entry = |provider: &str, prices: &str| {
            format!("[[model]]\nprovider = '{provider}'\nname = 'm'\nmax_output_tokens = 1\nprices = {prices}\n")
        };
        for (text, why) in [
            ("\nbatch_factro = 1".to_owned(), "line 2: unknown field `batch_factro`"),
            ("batch_factor = 2.0".to_owned(), "not from 0 to 1"),
            ("as_of = 'soon'".to_owned(), "line 1"),
            (entry("gemini", "[{ input = 1, outptu = 1 }]"), "unknown field `outptu`"),
            (entry("gemini", "[{ input = -1 }]"), "gemini:m: -1 is not a price"),
            (entry("gemini", "[{ input = nan }]"), "NaN is not a price"),
            (entry("gemini", "[]"), "it has no prices"),
            (entry("gemini", "[{ input = 1 }, { input = 2 }]"), "two prices"),
            (entry("gemini", "[{ input = 1, above_input_tokens = 5 }]"), "none below"),
            (entry("openia", "[{ input = 1 }]"), "no such provider"),
            (entry("sandbox", "[{ input = 1 }]"), "priced as gemini:NAME"),
            (entry("gemini", "[{ input = 1 }]").repeat(2), "there twice"),
            ("[[model".to_owned(), "line 1"),
        ] {
            let error = refused(&text);
            assert!(error.starts_with("the price table mine.toml can't be used: ") && error.contains(why), "{error}");
        }
    }
}
