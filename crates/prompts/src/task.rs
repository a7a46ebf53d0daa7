//! PromptTask as a task: each line as it is, or several in one call where that was asked for.

use atelier_engine::{
    Content, Ending, Item, ItemFault, Outcome, RawRequest, Reply, Request, Task, TextRequest, Usage, Verdict,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::input::{Known, Prompt, PromptLine};

/// The result of a line, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PromptAnswer {
    pub(crate) id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// The provider's own body, for a line in its own form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<Value>,
    /// Whether the answer ends where the model meant it to.
    pub(crate) complete: bool,
    /// What the call used; of a call with several lines, an even share.
    pub(crate) usage: Usage,
}

/// Answers lines of a file.
#[derive(Clone, Debug)]
pub struct PromptTask {
    /// The model's name on the wire. It goes before one that a line names.
    pub model: String,
    /// How many lines may share a call: 1, unless the user allows more.
    pub pack_limit: usize,
    /// What stands beside a prompt whose line does not say it.
    pub defaults: PromptDefaults,
}

/// What is asked for with every prompt of a file whose line says nothing else.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PromptDefaults {
    /// Standing instructions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Randomness, 0 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The most tokens to answer with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u64>,
}

impl PromptDefaults {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn beside(&self, prompt: Prompt) -> Prompt {
        Prompt {
            system: prompt.system.or_else(|| self.system.clone()),
            temperature: prompt.temperature.or(self.temperature),
            max_output_tokens: prompt.max_output_tokens.or(self.max_output_tokens),
            ..prompt
        }
    }
}

impl Task for PromptTask {
    fn compose(&self, items: &[Item]) -> Result<Request, ItemFault> {
        let line = |(index, item)| {
            let line = line(index, item)?;
            let prompt = line.prompt.map(|prompt| self.defaults.beside(prompt));
            Ok(PromptLine { prompt, ..line })
        };
        let lines: Vec<PromptLine> = items.iter().enumerate().map(line).collect::<Result<_, _>>()?;
        match <[PromptLine; 1]>::try_from(lines) {
            Ok([PromptLine { raw: Some(mut body), .. }]) => {
                if let Some(model) = body.get_mut("model") {
                    *model = Value::String(self.model.clone());
                }
                Ok(Request::Raw(RawRequest { body }))
            }
            Ok([PromptLine { prompt, .. }]) => Ok(Request::Text(single(prompt.unwrap_or_default()))),
            Err(lines) => packed(&lines),
        }
    }

    fn parse(&self, reply: &Reply, items: &[Item]) -> Vec<Outcome> {
        let complete = reply.ending == Ending::Complete;
        if let [item] = items {
            let Some(id) = id(item) else { return Vec::new() };
            let (text, body) = match &reply.content {
                Content::Text(text) => (Some(text.clone()), None),
                Content::Raw(body) => (None, Some(body.clone())),
                Content::Vectors(_) | Content::Image(_) => return Vec::new(),
            };
            return done(item, &PromptAnswer { id, text, body, complete, usage: reply.usage }).into_iter().collect();
        }
        let Content::Text(text) = &reply.content else { return Vec::new() };
        let answers: Vec<PackedAnswer> =
            serde_json::from_str::<PackedAnswers>(text).map(|packed| packed.answers).unwrap_or_default();
        let share = |total: Option<u64>| total.map(|total| total / items.len() as u64);
        let usage = Usage {
            cached_tokens: share(reply.usage.cached_tokens),
            ..Usage::of_tokens(share(reply.usage.input_tokens), share(reply.usage.output_tokens))
        };
        items
            .iter()
            .filter_map(|item| {
                let id = id(item)?;
                let answer = answers.iter().find(|answer| answer.id == id)?;
                done(item, &PromptAnswer { id, text: Some(answer.answer.clone()), body: None, complete, usage })
            })
            .collect()
    }

    fn pack_limit(&self) -> usize {
        self.pack_limit
    }

    fn name(&self) -> &'static str {
        "prompts"
    }
}

#[derive(Deserialize)]
struct PackedAnswers {
    answers: Vec<PackedAnswer>,
}

#[derive(Deserialize)]
struct PackedAnswer {
    id: String,
    answer: String,
}

fn line(index: usize, item: &Item) -> Result<PromptLine, ItemFault> {
    serde_json::from_str(&item.payload).map_err(|error| ItemFault {
        index,
        code: "item-unreadable",
        message: format!("the line can't be read from the job: {error}"),
    })
}

/// What the item's answer is known by.
fn id(item: &Item) -> Option<String> {
    serde_json::from_str::<Known<'_>>(&item.payload).ok().map(|known| known.id.into_owned())
}

fn done(item: &Item, answer: &PromptAnswer) -> Option<Outcome> {
    let result = serde_json::to_string(answer).ok()?;
    Some(Outcome { seq: item.seq, verdict: Verdict::Done { result: result.into() } })
}

fn single(prompt: Prompt) -> TextRequest {
    TextRequest {
        system: prompt.system,
        prompt: prompt.prompt,
        schema: prompt.schema,
        temperature: prompt.temperature,
        max_output_tokens: prompt.max_output_tokens,
        images: Vec::new(),
        seed: None,
    }
}

/// Several prompts in one: each is named by its id, and answered under it.
fn packed(lines: &[PromptLine]) -> Result<Request, ItemFault> {
    let mut prompt =
        String::from("Answer each of these prompts by itself, as if it were the only one. Each is one line of JSON.\n");
    let mut cap: Option<u64> = Some(0);
    for (index, line) in lines.iter().enumerate() {
        let Some(ask) = &line.prompt else {
            let message = "a line in a provider's own form can't share a call".to_owned();
            return Err(ItemFault { index, code: "not-packable", message });
        };
        cap = cap.zip(ask.max_output_tokens).map(|(sum, more)| sum + more);
        prompt.push_str(&json!({ "id": line.id, "system": ask.system, "prompt": ask.prompt }).to_string());
        prompt.push('\n');
    }
    let ids: Vec<&str> = lines.iter().map(|line| line.id.as_str()).collect();
    let answer = json!({
        "type": "object",
        "properties": { "id": { "type": "string", "enum": ids }, "answer": { "type": "string" } },
        "required": ["id", "answer"],
    });
    let answers = json!({ "type": "array", "items": answer, "minItems": ids.len(), "maxItems": ids.len() });
    Ok(Request::Text(TextRequest {
        prompt,
        schema: Some(json!({ "type": "object", "properties": { "answers": answers }, "required": ["answers"] })),
        max_output_tokens: cap,
        ..TextRequest::default()
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn items(ids: &[&str]) -> Vec<Item> {
        let payload = |id: &&str| json!({ "id": id, "prompt": { "prompt": "why?" } }).to_string();
        (0..).zip(ids).map(|(seq, id)| Item { seq, lane: "run".into(), payload: payload(id).into() }).collect()
    }

    fn task(pack_limit: usize) -> PromptTask {
        PromptTask { model: "m".into(), pack_limit, defaults: PromptDefaults::default() }
    }

    #[test]
    fn what_is_asked_of_all_stands_beside_each_prompt_whose_line_says_nothing_else() {
        let defaults =
            PromptDefaults { system: Some("Be brief.".into()), temperature: Some(0.2), max_output_tokens: Some(50) };
        let task = PromptTask { defaults, ..task(1) };
        let asked = |payload: serde_json::Value| {
            let item = Item { seq: 0, lane: "run".into(), payload: payload.to_string().into() };
            let Request::Text(text) = task.compose(&[item]).unwrap() else { panic!("it asks for text") };
            (text.system, text.temperature, text.max_output_tokens)
        };
        let plain = asked(json!({ "id": "a", "prompt": { "prompt": "why?" } }));
        assert_eq!(plain, (Some("Be brief.".into()), Some(0.2), Some(50)));
        let own = json!({ "prompt": "why?", "system": "Be long.", "temperature": 1.0, "max_output_tokens": 900 });
        assert_eq!(asked(json!({ "id": "a", "prompt": own })), (Some("Be long.".into()), Some(1.0), Some(900)));
    }

    fn reply(text: &str) -> Reply {
        let usage = Usage::of_tokens(Some(10), Some(20));
        Reply { content: Content::Text(text.into()), ending: Ending::Complete, usage, limits: Vec::new() }
    }

    #[test]
    fn one_line_is_sent_as_it_is() {
        let Request::Text(request) = task(1).compose(&items(&["a"])).unwrap() else { panic!() };
        assert_eq!((request.prompt.as_str(), request.schema), ("why?", None));
    }

    #[test]
    fn of_a_packed_answer_what_is_there_is_kept() {
        let text = r#"{"answers":[{"id":"b","answer":"so"},{"id":"x","answer":"?"}]}"#;
        let outcomes = task(8).parse(&reply(text), &items(&["a", "b"]));
        assert_eq!(outcomes.iter().map(|outcome| outcome.seq).collect::<Vec<_>>(), [1]);
        assert!(task(8).parse(&reply("sorry"), &items(&["a", "b"])).is_empty());
    }
}
