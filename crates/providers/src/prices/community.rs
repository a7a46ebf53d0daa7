//! The form in which litellm's community keeps the prices of all models, and in which users of such tools have them: an
//! object of models, with dollars for one token.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{File, ModelEntry, PriceEntry, UsualLimits};

/// The key under which that file explains itself.
const EXAMPLE: &str = "sample_spec";
/// The kinds of models that can be asked for something here.
const MODES: [&str; 5] = ["chat", "completion", "embedding", "image_generation", "responses"];
/// The most that a model answers with of which that is not said.
const OUTPUT_CAP: u64 = 65_536;
/// The size under which the price of one image stands: that file knows no others.
const SIZE: &str = "1K";

/// A model of that file, as far as it is used here. A number that is none counts as not said.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    litellm_provider: Value,
    mode: Value,
    input_cost_per_token: Value,
    output_cost_per_token: Value,
    cache_read_input_token_cost: Value,
    input_cost_per_image_token: Value,
    output_cost_per_image: Value,
    output_cost_per_image_token: Value,
    input_cost_per_token_above_200k_tokens: Value,
    output_cost_per_token_above_200k_tokens: Value,
    cache_read_input_token_cost_above_200k_tokens: Value,
    max_input_tokens: Value,
    max_output_tokens: Value,
    max_tokens: Value,
    rpm: Value,
    tpm: Value,
}

/// The models of such a file that have a price, or of one in the form of the built-in table written as JSON.
pub(super) fn read(text: &str) -> Result<File, String> {
    let entries: Map<String, Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if entries.get("model").is_some_and(Value::is_array) {
        return serde_json::from_str(text).map_err(|error| error.to_string());
    }
    let mut models = BTreeMap::new();
    for (key, value) in entries {
        let Ok(entry) = serde_json::from_value::<Entry>(value) else { continue };
        if key == EXAMPLE || !MODES.contains(&entry.mode.as_str().unwrap_or("chat")) {
            continue;
        }
        let (provider, name, rank) = named(&key, entry.litellm_provider.as_str().unwrap_or_default());
        let Some(model) = entry.model(provider, name) else { continue };
        // The provider's own name of a model goes before another's for the same.
        let place = models.entry((provider, name.to_owned())).or_insert((u8::MAX, None));
        if rank < place.0 {
            *place = (rank, Some(model));
        }
    }
    if models.is_empty() {
        return Err("it has no model with a price, neither as [[model]] nor as an object by model".to_owned());
    }
    // One that makes no sense is as good as none; the others are not lost over it.
    let model = models.into_values().filter_map(|(_, model)| model.filter(ModelEntry::is_sound)).collect();
    Ok(File { as_of: None, batch_factor: None, model })
}

/// Whose a model is and what it is called there, and how far the key is from its own name.
fn named<'a>(key: &'a str, provider: &str) -> (&'static str, &'a str, u8) {
    match key.split_once('/') {
        Some(("gemini", name)) => ("gemini", name, 0),
        Some(("openai" | "openrouter", name)) => ("openai", name, 1),
        None if provider.starts_with("vertex_ai") && key.starts_with("gemini") => ("gemini", key, 1),
        // Another provider's is called by whoever speaks OpenAI's wire for it, under the whole of its name.
        _ => ("openai", key, 0),
    }
}

impl Entry {
    fn model(&self, provider: &str, name: &str) -> Option<ModelEntry> {
        let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok());
        let count = |value: &Value| number(value).filter(|count| (1.0..1e15).contains(count)).map(|count| count as u64);
        // To the billionth of a dollar for a million, which is finer than any price.
        let million = |value: &Value| number(value).map(|dollars| (dollars * 1e15).round() / 1e9);
        let input = million(&self.input_cost_per_token);
        let image = number(&self.output_cost_per_image);
        let output = million(&self.output_cost_per_token);
        let answers = input.is_some()
            && matches!(self.mode.as_str().unwrap_or_default(), "" | "chat" | "completion" | "responses");
        if (input.is_none() && image.is_none()) || (answers && output.is_none() && image.is_none()) {
            return None;
        }
        let entry = |above_input_tokens, input, output, cached_input| PriceEntry {
            from: None,
            above_input_tokens,
            input,
            cached_input,
            image_input: million(&self.input_cost_per_image_token),
            output,
            image_output: million(&self.output_cost_per_image_token),
            images: image.map(|image| (SIZE.to_owned(), image)).into_iter().collect(),
        };
        let (input, output) = (input.unwrap_or_default(), output.unwrap_or_default());
        let cached = million(&self.cache_read_input_token_cost);
        let mut prices = vec![entry(0, input, output, cached)];
        if let Some(above) = million(&self.input_cost_per_token_above_200k_tokens) {
            let output = million(&self.output_cost_per_token_above_200k_tokens).unwrap_or(output);
            let cached = million(&self.cache_read_input_token_cost_above_200k_tokens).or(cached);
            prices.push(entry(200_000, above, output, cached));
        }
        let cap = count(&self.max_output_tokens).or_else(|| count(&self.max_tokens)).unwrap_or(OUTPUT_CAP);
        Some(ModelEntry {
            provider: provider.to_owned(),
            name: name.to_owned(),
            max_input_tokens: count(&self.max_input_tokens),
            max_output_tokens: if self.mode == "embedding" { 0 } else { cap },
            second_hand: true,
            usual_limits: UsualLimits { rpm: count(&self.rpm), tpm: count(&self.tpm) },
            prices,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use atelier_engine::Usd;
    use jiff::civil::date;

    use crate::prices::PriceTable;

    const FILE: &str = r#"{
        "sample_spec": {"mode": "chat", "input_cost_per_token": 0.0, "max_tokens": "LEGACY parameter"},
        "gpt-new": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2.5e-07,
            "output_cost_per_token": 2e-06, "cache_read_input_token_cost": 2.5e-08, "max_output_tokens": 128000,
            "rpm": 500, "tpm": 200000, "supports_vision": true},
        "openrouter/gpt-new": {"litellm_provider": "openrouter", "mode": "chat", "input_cost_per_token": 1},
        "gemini/gemini-new": {"litellm_provider": "gemini", "mode": "chat", "input_cost_per_token": 2e-06,
            "output_cost_per_token": 1.2e-05, "input_cost_per_token_above_200k_tokens": 4e-06, "max_tokens": "65536"},
        "gemini-new": {"litellm_provider": "vertex_ai-language-models", "input_cost_per_token": 9e-06},
        "openrouter/somebody/big": {"litellm_provider": "openrouter", "mode": "chat", "input_cost_per_token": 1e-06,
            "output_cost_per_token": 0},
        "half": {"mode": "chat", "input_cost_per_token": 1e-06},
        "my model": {"mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
        "negative": {"mode": "chat", "input_cost_per_token": -1, "output_cost_per_token": 1e-06},
        "gpt-drawn": {"litellm_provider": "openai", "mode": "image_generation", "input_cost_per_token": 5e-06,
            "input_cost_per_image_token": 8e-06, "output_cost_per_image_token": 3e-05},
        "whisper": {"litellm_provider": "openai", "mode": "audio_transcription", "input_cost_per_second": 0.0001},
        "odd": {"mode": "chat", "input_cost_per_token": [1]}
    }"#;

    #[test]
    fn the_prices_of_all_models_as_litellm_has_them_are_read() {
        let before = PriceTable::builtin().unwrap().models().count();
        let table = PriceTable::builtin().unwrap().with_file("prices.json", FILE).unwrap();
        assert_eq!(table.models().count(), before + 4);
        let price = |name: &str, tokens| table.price(&name.parse().unwrap(), date(2026, 11, 28), tokens).unwrap();
        let usd = |dollars| Usd::from_dollars(dollars).unwrap();
        let new = price("openai:gpt-new", 0);
        assert_eq!((new.input, new.cached_input, new.output), (usd(0.25), Some(usd(0.025)), usd(2.0)));
        assert_eq!(new.output_cap, 128_000);
        assert_eq!((price("gemini-new", 0).input, price("gemini-new", 200_001).input), (usd(2.0), usd(4.0)));
        assert_eq!(price("openai:somebody/big", 0).input, usd(1.0));
        let drawn = price("openai:gpt-drawn", 0);
        assert_eq!((drawn.image_input, drawn.image_output), (Some(usd(8.0)), Some(usd(30.0))));
        let limits = table.model(&"openai:gpt-new".parse().unwrap()).unwrap().usual_limits;
        assert_eq!((limits.rpm, limits.tpm), (Some(500), Some(200_000)));
        assert!(PriceTable::builtin().unwrap().with_file("prices.json", "{\"a\": 1}").is_err());
    }

    #[test]
    fn a_table_is_the_same_after_it_was_made_compact() {
        let (compact, models) = PriceTable::compact("prices.json", FILE).unwrap();
        assert_eq!(models, 4);
        let table = |text: &str| PriceTable::builtin().unwrap().with_file("prices.json", text).unwrap();
        assert_eq!(table(&compact), table(FILE));
    }
}
