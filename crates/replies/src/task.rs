//! The task of drafting replies: from posts to one request, and from an answer to drafts.

use std::collections::HashMap;
use std::sync::Arc;

use atelier_engine::{Content, Item, ItemFault, Outcome, Reply, Request, Task, TextRequest, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::filter::{self, FilterFault, Pieces};
use crate::finder::Finder;
use crate::kind::ReplyKind;
use crate::prompt::{self, PostToAnswer};
use crate::salvage;

/// Tokens for a model to think with before it answers; they count against the cap on its answer.
const THINKING_TOKENS: u64 = 4_096;
/// The cap that is assumed where a model's own is not known: the least that current models have.
const LEAST_OUTPUT_CAP: u64 = 8_192;
/// The most posts in one call: beyond it an answer takes minutes, and a lost one costs too much.
const MOST_POSTS: u64 = 32;
/// About how many tokens one draft takes with its name, and one post's answer beside its drafts.
const TOKENS_A_DRAFT: u64 = 40;
const TOKENS_A_POST: u64 = 20;

/// One draft for a post. The result of an item is a list of them, one of each kind, in rank order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drafted {
    /// Its purpose, one of those that the project lists.
    pub kind: ReplyKind,
    /// The text of the reply.
    pub text: String,
    /// The fault for which the filter rejects it, if any.
    pub fault: Option<FilterFault>,
}

/// Drafts replies for the posts of one or more projects. A lane is a project's name.
#[derive(Debug)]
pub struct DraftTask {
    projects: HashMap<Arc<str>, ProjectSettings>,
    output_cap: u64,
}

/// The settings that drafting takes from a project's finder.yml.
#[derive(Debug)]
struct ProjectSettings {
    system: String,
    /// Pieces of `system`, which no draft repeats.
    instructions: Pieces,
    kinds: Vec<ReplyKind>,
    temperature: f64,
    max_tokens: u64,
}

impl DraftTask {
    /// A task for these projects. `output_cap` is the most tokens that the model answers with; 0 where that
    /// is not known.
    pub fn new<'a>(projects: impl IntoIterator<Item = (&'a str, &'a Finder)>, output_cap: u64) -> Self {
        let projects = projects.into_iter().map(|(name, finder)| {
            let system = prompt::system(finder);
            let project = ProjectSettings {
                instructions: Pieces::of([system.as_str()]),
                system,
                kinds: finder.kinds().to_vec(),
                temperature: finder.generation.temperature,
                max_tokens: finder.generation.max_tokens,
            };
            (Arc::from(name), project)
        });
        let output_cap = if output_cap == 0 { LEAST_OUTPUT_CAP } else { output_cap };
        Self { projects: projects.collect(), output_cap }
    }

    fn project(&self, lane: &Arc<str>) -> Result<&ProjectSettings, ItemFault> {
        self.projects.get(lane).ok_or_else(|| ItemFault {
            index: 0,
            code: "no-such-project",
            message: format!("the job has no settings for the project '{lane}'"),
        })
    }
}

impl Task for DraftTask {
    fn compose(&self, items: &[Item]) -> Result<Request, ItemFault> {
        let first = items.first().ok_or_else(|| ItemFault {
            index: 0,
            code: "nothing-to-answer",
            message: "a call needs at least one post".into(),
        })?;
        let project = self.project(&first.lane)?;
        let posts = items.iter().enumerate().map(|(index, item)| post(item, index)).collect::<Result<Vec<_>, _>>()?;
        let ids: Vec<&str> = posts.iter().map(|post| post.id.as_str()).collect();
        let answer = project.max_tokens.saturating_mul(posts.len() as u64);
        Ok(Request::Text(TextRequest {
            system: Some(project.system.clone()),
            prompt: prompt::prompt(&posts),
            schema: Some(prompt::schema(&ids, &project.kinds)),
            temperature: Some(project.temperature),
            max_output_tokens: Some(answer.saturating_add(THINKING_TOKENS).min(self.output_cap)),
            images: Vec::new(),
            seed: None,
        }))
    }

    /// A post counts as answered once every kind has a text. Of several answers for a post the last whole one
    /// counts: a model that writes twice has thought better of it. Ids that were not asked for are passed over.
    fn parse(&self, reply: &Reply, items: &[Item]) -> Vec<Outcome> {
        let Content::Text(text) = &reply.content else { return Vec::new() };
        let asked: HashMap<String, (&Item, String)> = items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| post(item, index).ok().map(|post| (post.id, (item, post.text))))
            .collect();
        // What one person posted is no answer to another.
        let neighbours =
            |id: &str| Pieces::of(asked.iter().filter(|(other, _)| *other != id).map(|(_, (_, text))| text.as_str()));
        let mut outcomes: Vec<Outcome> = Vec::new();
        for object in salvage::objects_with(text, "id") {
            let Some(id) = object.get("id").and_then(salvage::id) else { continue };
            let Some((item, text)) = asked.get(&id) else { continue };
            let Ok(project) = self.project(&item.lane) else { continue };
            let Some(result) = drafts(&object, project, text, &neighbours(&id)) else { continue };
            let verdict = Verdict::Done { result };
            match outcomes.iter_mut().find(|outcome| outcome.seq == item.seq) {
                Some(outcome) => outcome.verdict = verdict,
                None => outcomes.push(Outcome { seq: item.seq, verdict }),
            }
        }
        outcomes
    }

    fn pack_limit(&self) -> usize {
        // One limit for all lanes: the project with the longest answers sets it.
        let a_post = self.projects.values().map(|project| project.max_tokens).max().unwrap_or(1).max(1);
        let posts = self.output_cap.saturating_sub(THINKING_TOKENS) / a_post;
        usize::try_from(posts.clamp(1, MOST_POSTS)).unwrap_or(1)
    }

    fn name(&self) -> &'static str {
        "replies"
    }

    fn output_tokens_per_item(&self) -> u64 {
        let kinds = self.projects.values().map(|project| project.kinds.len()).max().unwrap_or(1);
        TOKENS_A_POST + TOKENS_A_DRAFT * kinds as u64
    }
}

fn post(item: &Item, index: usize) -> Result<PostToAnswer, ItemFault> {
    serde_json::from_str(&item.payload).map_err(|error| ItemFault {
        index,
        code: "item-unreadable",
        message: format!("the post can't be read from the job: {error}"),
    })
}

/// The drafts in an element of the answer, as JSON, if it has one of each kind.
fn drafts(
    element: &salvage::JsonObject,
    project: &ProjectSettings,
    post: &str,
    neighbours: &Pieces,
) -> Option<Arc<str>> {
    let mut drafts = Vec::with_capacity(project.kinds.len());
    for kind in &project.kinds {
        let text = element.get(kind.name()).and_then(Value::as_str)?.trim();
        if text.is_empty() {
            return None;
        }
        let leaked = || {
            let neighbour = neighbours.stand_in(text, post).then_some(FilterFault::Neighbour);
            neighbour.or_else(|| project.instructions.stand_in(text, post).then_some(FilterFault::Instructions))
        };
        let fault = filter::fault(text, post).or_else(leaked);
        drafts.push(Drafted { kind: *kind, text: text.to_owned(), fault });
    }
    serde_json::to_string(&drafts).ok().map(Arc::from)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use atelier_engine::{Ending, Usage};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn finder(kinds: &[ReplyKind]) -> Finder {
        let mut finder = Finder::default();
        finder.generation.kinds = kinds.to_vec();
        finder
    }

    fn task() -> DraftTask {
        DraftTask::new([("bikes", &finder(&[ReplyKind::Funny, ReplyKind::Relate]))], 65_536)
    }

    fn items(ids: &[&str]) -> Vec<Item> {
        let item = |(seq, id): (usize, &&str)| Item {
            seq: seq as u64,
            lane: "bikes".into(),
            payload: serde_json::to_string(&PostToAnswer::new(id, "anna", "repairs", "It creaks.")).unwrap().into(),
        };
        ids.iter().enumerate().map(item).collect()
    }

    /// The drafts of each item, as `kind: text`.
    fn parsed(text: &str, ids: &[&str]) -> Vec<(u64, Vec<String>)> {
        let reply = Reply {
            content: Content::Text(text.to_owned()),
            ending: Ending::Complete,
            usage: Usage::default(),
            limits: Vec::new(),
        };
        let result = |outcome: Outcome| match outcome.verdict {
            Verdict::Done { result } => {
                let drafts: Vec<Drafted> = serde_json::from_str(&result).unwrap();
                (outcome.seq, drafts.iter().map(|draft| format!("{}: {}", draft.kind, draft.text)).collect())
            }
            other => panic!("{other:?}"),
        };
        task().parse(&reply, &items(ids)).into_iter().map(result).collect()
    }

    fn element(id: impl Into<Value>, word: &str) -> Value {
        json!({"id": id.into(), "funny": format!("{word} funny"), "relate": format!("{word} relate")})
    }

    #[test]
    fn every_post_stands_in_prompt_and_schema_by_its_own_id() {
        let Request::Text(request) = task().compose(&items(&["11", "22"])).unwrap() else { panic!() };
        assert!(request.prompt.contains(r#"{"id":"11","#) && request.prompt.contains(r#"{"id":"22","#));
        let schema = request.schema.unwrap();
        assert_eq!(schema["properties"]["replies"]["items"]["properties"]["id"]["enum"], json!(["11", "22"]));
        assert_eq!(request.max_output_tokens, Some(2 * 1_100 + 4_096));
        assert_eq!(request.temperature, Some(0.2));
    }

    #[test]
    fn composing_is_pure() {
        assert_eq!(task().compose(&items(&["1", "2"])), task().compose(&items(&["1", "2"])));
    }

    #[test]
    fn the_model_s_cap_bounds_the_pack() {
        let task = |cap| DraftTask::new([("bikes", &Finder::default())], cap);
        assert_eq!(task(65_536).pack_limit(), 32);
        assert_eq!(task(8_192).pack_limit(), 3);
        assert_eq!(task(0).pack_limit(), 3);
        assert_eq!(task(500).pack_limit(), 1);
        let Request::Text(request) = task(500).compose(&items(&["1"])).unwrap() else { panic!() };
        assert_eq!(request.max_output_tokens, Some(500));
    }

    #[test]
    fn an_item_that_can_t_be_read_is_named() {
        let mut items = items(&["1", "2"]);
        items[1].payload = "{}".into();
        let fault = task().compose(&items).unwrap_err();
        assert_eq!((fault.index, fault.code), (1, "item-unreadable"));
        items[0].lane = "unknown".into();
        assert_eq!(task().compose(&items).unwrap_err().code, "no-such-project");
    }

    #[test]
    fn a_plain_answer_gives_an_outcome_for_each_post() {
        let answer = json!({"replies": [element("1", "a"), element("2", "b")]}).to_string();
        let outcomes = parsed(&answer, &["1", "2"]);
        assert_eq!(outcomes[0], (0, vec!["funny: a funny".into(), "relate: a relate".into()]));
        assert_eq!(outcomes[1].0, 1);
    }

    #[test]
    fn order_fences_words_numbers_and_doubles_make_no_difference() {
        let doubled = element("1", "second");
        let answer = json!([element("2", "b"), element(1, "first"), doubled, element("3", "never asked for")]);
        let outcomes = parsed(&format!("Sure!\n```json\n{answer}\n```"), &["1", "2"]);
        let seqs: Vec<u64> = outcomes.iter().map(|outcome| outcome.0).collect();
        assert_eq!(seqs, [1, 0]);
        assert_eq!(outcomes[1].1[0], "funny: second funny");
    }

    #[test]
    fn the_last_whole_answer_for_a_post_counts() {
        let half = json!({"id": "1", "funny": "only this"});
        let answers = json!([element("1", "sketch"), element("1", "whole"), half]).to_string();
        let outcomes = parsed(&answers, &["1"]);
        assert_eq!(outcomes.len(), 1);
        assert_eq!(outcomes[0].1[0], "funny: whole funny");
    }

    #[test]
    fn a_post_without_all_of_its_kinds_is_asked_for_again() {
        for missing in [json!({}), json!({"relate": null}), json!({"relate": "  "}), json!({"relate": 5})] {
            let mut element = json!({"id": "1", "funny": "something"});
            element.as_object_mut().unwrap().extend(missing.as_object().unwrap().clone());
            assert_eq!(parsed(&json!([element]).to_string(), &["1"]), [], "{missing}");
        }
    }

    #[test]
    fn of_a_cut_answer_the_whole_elements_count() {
        let answer = json!({"replies": [element("1", "a"), element("2", "b")]}).to_string();
        let outcomes = parsed(&answer[..answer.len() - 5], &["1", "2"]);
        assert_eq!(outcomes.iter().map(|outcome| outcome.0).collect::<Vec<_>>(), [0]);
    }

    #[test]
    fn nonsense_gives_no_outcome() {
        for text in ["", "null", "I can't help with that.", "<html>", "[]", "{\"replies\": {}}", "[1, [2, [3"] {
            assert_eq!(parsed(text, &["1"]), [], "{text}");
        }
    }

    #[test]
    fn drafts_are_filtered_with_the_post_they_answer() {
        let items = items(&["1"]);
        let answer =
            json!([{"id": "1", "funny": "short", "relate": "Mine did that until I greased the seat post clamp."}]);
        let reply = Reply {
            content: Content::Text(answer.to_string()),
            ending: Ending::Complete,
            usage: Usage::default(),
            limits: Vec::new(),
        };
        let outcomes = task().parse(&reply, &items);
        let Verdict::Done { result } = &outcomes[0].verdict else { panic!() };
        let drafts: Vec<Drafted> = serde_json::from_str(result).unwrap();
        assert_eq!(drafts.iter().map(|draft| draft.fault).collect::<Vec<_>>(), [Some(FilterFault::TooShort), None]);
    }

    proptest! {
        #[test]
        fn any_answer_is_survived_and_nothing_is_made_up(text in r#"[\{\}\[\]",:a-z0-9 \\]{0,200}"#) {
            for (_, drafts) in parsed(&text, &["1", "2"]) {
                for draft in drafts {
                    prop_assert!(text.contains(draft.split_once(": ").unwrap().1));
                }
            }
        }
    }
}
