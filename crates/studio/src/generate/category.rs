//! Categories of tone, and which of them fits a prompt.

use std::sync::Arc;

use atelier_embed::TextEmbedder;
use atelier_engine::{Content, Item, ItemFault, Outcome, Reply, Request, Task, TextRequest, Verdict};
use serde::{Deserialize, Serialize};

use super::plan::CategoryChoice;
use crate::error::{StudioError, StudioResult};
use crate::library::asked_of;

/// A category of tone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Its name, which is also the category of library images that belong to it.
    pub name: String,
    /// What it is like: compared with prompts, and searched for.
    pub words: String,
}

/// Those that are there without any configuration.
const BUILTIN: [(&str, &str); 4] = [
    ("natural", "natural light, film look, soft muted colours, fine grain, quiet everyday scenes, documentary"),
    ("vivid", "vivid saturated colours, bright, playful, colourful, fresh, product and food, summer"),
    ("cinematic", "cinematic, strong contrast, dramatic light, dark mood, night, storm, evening, tension"),
    ("beauty", "beauty, portrait, face and skin, soft flattering studio light, fashion, elegance"),
];

/// The categories that there are: the user's own in the place of those of the same name, and behind them.
#[must_use]
pub fn categories(own: &[Category]) -> Vec<Category> {
    let builtin = BUILTIN.iter().filter(|(name, _)| !own.iter().any(|category| category.name == *name));
    let builtin = builtin.map(|(name, words)| Category { name: (*name).to_owned(), words: (*words).to_owned() });
    builtin.chain(own.iter().cloned()).collect()
}

/// The category that the user named.
pub(super) fn named(categories: &[Category], name: &str) -> StudioResult<CategoryChoice> {
    match categories.iter().find(|category| category.name.eq_ignore_ascii_case(name)) {
        Some(category) => Ok(CategoryChoice { name: category.name.clone(), by: "user".into() }),
        None => Err(StudioError::NoSuchPreset {
            kind: "category",
            name: name.to_owned(),
            known: categories.iter().map(|category| category.name.as_str()).collect::<Vec<_>>().join(", "),
        }),
    }
}

/// The category whose words mean most nearly what the prompt does.
pub(super) async fn nearest(
    categories: &[Category],
    prompt: &str,
    text: Arc<dyn TextEmbedder>,
) -> StudioResult<Option<CategoryChoice>> {
    // Of what a category is like, the two that are nearest count: no picture is like all of it.
    let phrases: Vec<(usize, String)> = categories
        .iter()
        .enumerate()
        .flat_map(|(place, category)| {
            let phrases = category.words.split(',').map(str::trim).filter(|phrase| !phrase.is_empty());
            phrases.map(move |phrase| (place, phrase.to_owned()))
        })
        .collect();
    let mut texts: Vec<String> = phrases.iter().map(|(_, phrase)| phrase.clone()).collect();
    texts.push(prompt.to_owned());
    let mut vectors = asked_of(text.batch(), move || text.embed(&texts)).await??;
    let Some(asked) = vectors.pop() else { return Ok(None) };
    let mut cosines: Vec<Vec<f32>> = vec![Vec::new(); categories.len()];
    for ((place, _), vector) in phrases.iter().zip(&vectors) {
        cosines[*place].push(vector.cosine(&asked)?);
    }
    let near = |mut cosines: Vec<f32>| {
        cosines.sort_unstable_by(|a, b| b.total_cmp(a));
        cosines.iter().take(2).sum::<f32>() / 2.0
    };
    let ranked = categories.iter().zip(cosines.into_iter().map(near));
    let best = ranked.max_by(|(_, a), (_, b)| a.total_cmp(b));
    Ok(best.map(|(category, _)| CategoryChoice { name: category.name.clone(), by: "words".into() }))
}

/// Asks a model which category a prompt is of. The one item's payload is the prompt, as a JSON string.
#[derive(Clone, Debug)]
pub struct ClassifyTask {
    /// The categories to choose from.
    pub categories: Vec<Category>,
}

#[derive(Deserialize)]
struct Answer {
    category: String,
}

impl Task for ClassifyTask {
    fn compose(&self, items: &[Item]) -> Result<Request, ItemFault> {
        let fault = |message: String| ItemFault { index: 0, code: "item-unreadable", message };
        let item = items.first().ok_or_else(|| fault("there is no prompt".into()))?;
        let prompt: String = serde_json::from_str(&item.payload).map_err(|error| fault(error.to_string()))?;
        let list: String =
            self.categories.iter().map(|category| format!("- {}: {}\n", category.name, category.words)).collect();
        let names: Vec<&str> = self.categories.iter().map(|category| category.name.as_str()).collect();
        Ok(Request::Text(TextRequest {
            system: Some(format!(
                "You choose the tone of a picture. Answer with the one category whose colour and light suit it best.\n{list}"
            )),
            prompt,
            schema: Some(serde_json::json!({
                "type": "object",
                "properties": { "category": { "type": "string", "enum": names } },
                "required": ["category"],
                "additionalProperties": false,
            })),
            temperature: Some(0.0),
            max_output_tokens: Some(1024),
            images: Vec::new(),
            seed: None,
        }))
    }

    fn parse(&self, reply: &Reply, items: &[Item]) -> Vec<Outcome> {
        let Content::Text(text) = &reply.content else { return Vec::new() };
        // Models wrap JSON in fences and words.
        let json = text.find('{').zip(text.rfind('}')).and_then(|(from, until)| text.get(from..=until));
        let answer: Option<Answer> = json.and_then(|json| serde_json::from_str(json).ok());
        let known = answer.filter(|answer| self.categories.iter().any(|category| category.name == answer.category));
        let outcome = |(item, answer): (&Item, Answer)| {
            let result = serde_json::to_string(&answer.category).ok()?;
            Some(Outcome { seq: item.seq, verdict: Verdict::Done { result: result.into() } })
        };
        items.first().zip(known).and_then(outcome).into_iter().collect()
    }

    fn name(&self) -> &'static str {
        "classification"
    }

    fn output_tokens_per_item(&self) -> u64 {
        20
    }
}

impl ClassifyTask {
    /// The choice that an answer holds.
    #[must_use]
    pub fn choice(result: &str) -> Option<CategoryChoice> {
        Some(CategoryChoice { name: serde_json::from_str(result).ok()?, by: "model".into() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use atelier_engine::{Ending, Usage};

    use super::*;

    fn answered(text: &str) -> Option<CategoryChoice> {
        let items = [Item { seq: 0, lane: "a".into(), payload: "\"a storm\"".into() }];
        let (ending, usage) = (Ending::Complete, Usage::default());
        let reply = Reply { content: Content::Text(text.into()), ending, usage, limits: Vec::new() };
        let outcomes = ClassifyTask { categories: categories(&[]) }.parse(&reply, &items);
        let Verdict::Done { result } = outcomes.first()?.verdict.clone() else { panic!() };
        ClassifyTask::choice(&result)
    }

    #[test]
    fn an_answer_that_is_none_of_the_categories_is_no_answer() {
        assert_eq!(answered("{\"category\": \"cinematic\"}").unwrap().name, "cinematic");
        assert_eq!(answered("Here:\n```json\n{\"category\": \"vivid\"}\n```").unwrap().name, "vivid");
        for wrong in ["{\"category\": \"gloomy\"}", "cinematic", "}{", ""] {
            assert_eq!(answered(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn own_categories_come_behind_and_in_the_place_of_those_of_the_same_name() {
        let own = |name: &str| Category { name: name.into(), words: "mine".into() };
        let all = categories(&[own("vivid"), own("noir")]);
        assert_eq!(all.iter().filter(|category| category.name == "vivid").count(), 1);
        assert_eq!(all.len(), 5);
        assert!(all.iter().find(|category| category.name == "vivid").unwrap().words == "mine");
        assert_eq!(named(&all, "Noir").unwrap().name, "noir");
        assert!(named(&all, "gloomy").unwrap_err().to_string().contains("cinematic"));
    }
}
