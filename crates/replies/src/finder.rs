//! A project's finder.yml: what it looks for, in whose voice it answers, and where it draws the lines.

mod read;

use serde::{Deserialize, Serialize};

use crate::error::RepliesError;
use crate::kind::ReplyKind;

/// The number of exemplars of a topic, and of examples of a voice, that are used: the first ones listed.
pub(crate) const EXAMPLES_USED: usize = 3;

/// A whole finder.yml, with the defaults filled in.
///
/// It is also what a job keeps of a project, so that it resumes with the settings it began with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finder {
    /// The topics that the project looks for; never empty.
    pub taxonomy: Vec<Node>,
    /// The voice that it answers in.
    pub voice: Voice,
    /// The authors, keywords and languages that it takes or leaves out.
    pub sources: Sources,
    /// The weight of each term of a score.
    pub weights: Weights,
    /// The scores from which a post is green, and yellow.
    pub thresholds: Thresholds,
    /// The rules for drafting: the section `generation` of the file.
    pub generation: DraftingRules,
}

/// One topic of the taxonomy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its name; no two nodes share one.
    pub label: String,
    /// Its subject, in a sentence; never empty.
    pub description: String,
    /// Posts that belong to it; the first three are used.
    pub exemplars: Vec<String>,
}

impl Node {
    /// The text whose vector stands for the node: its description followed by its first three exemplars.
    #[must_use]
    pub fn text(&self) -> String {
        let exemplars = self.exemplars.iter().take(EXAMPLES_USED);
        std::iter::once(&self.description).chain(exemplars).map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// The voice of the replies, from which the model's instructions are made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Voice {
    /// The speaker.
    pub persona: String,
    /// Rules that the speaker keeps to.
    pub constraints: Vec<String>,
    /// Replies that show the voice.
    pub examples: Examples,
}

/// Replies in the voice, and replies unlike it. The first three of each are used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Examples {
    /// Replies that sound right.
    pub good: Vec<String>,
    /// Replies that sound wrong.
    pub bad: Vec<String>,
}

/// The authors, keywords and languages that a project takes or leaves out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sources {
    /// Authors who are preferred, not required: their posts score higher.
    pub whitelist_handles: Vec<String>,
    /// Authors who are left out.
    pub blacklist_handles: Vec<String>,
    /// Words that leave a post out, wherever they stand in it, in capitals or not.
    pub blacklist_keywords: Vec<String>,
    /// Languages that are taken, such as `en`. None listed: all are.
    pub languages: Vec<String>,
}

/// The standing of an author with a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorStanding {
    /// On the blacklist: left out.
    Blacklisted,
    /// On the whitelist: scores higher.
    Whitelisted,
    /// On neither list.
    Neutral,
}

impl Sources {
    /// The author's standing. A leading `@` and capitals make no difference; the blacklist goes first.
    #[must_use]
    pub fn standing(&self, author: &str) -> AuthorStanding {
        let author = handle(author);
        let lists = |handles: &[String]| handles.iter().any(|listed| handle(listed) == author);
        if lists(&self.blacklist_handles) {
            AuthorStanding::Blacklisted
        } else if lists(&self.whitelist_handles) {
            AuthorStanding::Whitelisted
        } else {
            AuthorStanding::Neutral
        }
    }
}

/// A handle as it is compared.
fn handle(text: &str) -> String {
    text.trim().trim_start_matches('@').to_lowercase()
}

/// The weights of a score's terms. None is negative, and their sum is over 0 but need not be 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Weight of [`Velocity`](crate::score::Velocity).
    pub velocity: f64,
    /// Weight of [`Relevance`](crate::score::Relevance).
    pub relevance: f64,
    /// Weight of [`Openness`](crate::score::Openness).
    pub openness: f64,
    /// Weight of [`AuthorQuality`](crate::score::AuthorQuality).
    pub author_quality: f64,
}

impl Default for Weights {
    fn default() -> Self {
        // The older tool's, so that scores mean what they meant.
        Self { velocity: 0.35, relevance: 0.35, openness: 0.20, author_quality: 0.10 }
    }
}

/// The totals from which a post is green, and yellow; red below.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// The least total of a green post.
    pub green_min: f64,
    /// The least total of a yellow post; not over `green_min`.
    pub yellow_min: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        // The older tool's, made for Gemini's cosines: other embedders are calibrated onto that scale.
        Self { green_min: 0.72, yellow_min: 0.55 }
    }
}

/// The rules for drafting replies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DraftingRules {
    /// The sampling temperature, 0 to 2.
    pub temperature: f64,
    /// The most tokens that the drafts for one post may take.
    pub max_tokens: u64,
    /// The model; a bare name means one of Gemini's.
    pub model: Option<String>,
    /// The kinds to draft, in rank order.
    pub kinds: Vec<ReplyKind>,
}

impl Default for DraftingRules {
    fn default() -> Self {
        Self { temperature: 0.2, max_tokens: 1100, model: None, kinds: ReplyKind::DEFAULT.to_vec() }
    }
}

impl Finder {
    /// Reads a finder.yml.
    ///
    /// # Errors
    /// [`RepliesError::Finder`] names the key and the line; [`RepliesError::FinderTooLarge`].
    pub fn from_yaml(text: &str) -> Result<Self, RepliesError> {
        read::finder(text)
    }

    /// The kinds to draft, in rank order.
    #[must_use]
    pub fn kinds(&self) -> &[ReplyKind] {
        &self.generation.kinds
    }

    /// The model that the project asks for, with its provider: a bare name means `gemini:`.
    #[must_use]
    pub fn model(&self) -> Option<String> {
        let model = self.generation.model.as_deref()?;
        Some(if model.contains(':') || model == "sandbox" { model.to_owned() } else { format!("gemini:{model}") })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    const OLDER: &str = r#"
taxonomy:
  - label: repairs
    description: Mending things
    exemplars: ["How do I fix it?"]
  - label: parts
    description: Buying parts
    exemplars: []
voice:
  persona: A mechanic
  constraints: [be brief]
  examples:
    good: [one, two, three, four]
    bad: []
sources:
  whitelist_handles: ["@Anna"]
  blacklist_keywords: [casino]
weights: {velocity: 0.4, relevance: 0.3, openness: 0.2, author_quality: 0.1}
thresholds: {green_min: 0.7, yellow_min: 0.5}
generation: {temperature: 0.3, max_tokens: 900, model: gemini-2.5-flash}
"#;

    fn error(yaml: &str) -> (u64, String) {
        match Finder::from_yaml(yaml).unwrap_err() {
            RepliesError::Finder { line, message } => (line, message),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_file_of_the_older_tool_loads_as_it_is() {
        let finder = Finder::from_yaml(OLDER).unwrap();
        assert_eq!(finder.taxonomy.len(), 2);
        assert_eq!(finder.weights.velocity, 0.4);
        assert_eq!(finder.thresholds.yellow_min, 0.5);
        assert_eq!(finder.model().unwrap(), "gemini:gemini-2.5-flash");
        assert_eq!(finder.kinds(), ReplyKind::DEFAULT);
        assert!(finder.sources.languages.is_empty());
    }

    #[test]
    fn the_sample_file_loads() {
        let text = include_str!("../../../assets/samples/finder.yml");
        assert_eq!(Finder::from_yaml(text).unwrap().taxonomy.len(), 4);
    }

    #[test]
    fn every_section_but_the_taxonomy_has_defaults() {
        let finder = Finder::from_yaml("taxonomy: [{label: a, description: b}]\nvoice:\nsources: ~\n").unwrap();
        assert_eq!(finder.weights, Weights::default());
        assert_eq!(finder.thresholds, Thresholds::default());
        assert_eq!(finder.generation, DraftingRules::default());
        assert_eq!(finder.voice, Voice::default());
    }

    #[test]
    fn a_part_of_a_section_keeps_the_other_defaults() {
        let finder = Finder::from_yaml("taxonomy: [{label: a, description: b}]\nweights: {velocity: 1}\n").unwrap();
        assert_eq!((finder.weights.velocity, finder.weights.openness), (1.0, 0.2));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let (line, message) = error("taxonomy:\n  - label: a\n    description: b\n    examplars: []\n");
        assert_eq!(line, 4);
        assert!(message.contains("examplars") && message.contains("exemplars"), "{message}");
        let (line, message) = error("taxonomy: [{label: a, description: b}]\n\ntresholds: {}\n");
        assert_eq!(line, 3);
        assert!(message.contains("tresholds"), "{message}");
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_key_and_line() {
        let base = "taxonomy: [{label: a, description: b}]\n";
        let cases = [
            ("thresholds: {green_min: 0.5, yellow_min: 0.6}\n", 2, "yellow_min"),
            ("thresholds: {green_min: 1.5}\n", 2, "green_min"),
            ("weights: {velocity: -0.1}\n", 2, "velocity"),
            ("\nweights: {velocity: 0, relevance: 0, openness: 0, author_quality: 0}\n", 3, "weights"),
            ("weights: {velocity: .nan}\n", 2, "velocity"),
            ("generation: {temperature: 3}\n", 2, "temperature"),
            ("generation: {max_tokens: 0}\n", 2, "max_tokens"),
            ("generation: {max_tokens: -5}\n", 2, "max_tokens"),
            ("generation: {kinds: []}\n", 2, "kinds"),
            ("generation: {kinds: [funny, funny]}\n", 2, "funny"),
            ("generation: {kinds: [sarcasm]}\n", 2, "sarcasm"),
            ("voice: loud\n", 2, "voice"),
        ];
        for (section, expected, key) in cases {
            let (line, message) = error(&format!("{base}{section}"));
            assert_eq!(line, expected, "{section}: {message}");
            assert!(message.contains(key), "{section}: {message}");
        }
    }

    #[test]
    fn a_taxonomy_has_nodes_with_labels_of_their_own() {
        assert!(error("taxonomy: []\n").1.contains("taxonomy"));
        assert!(error("voice: {persona: x}\n").1.contains("taxonomy"));
        assert!(error("").1.contains("taxonomy"));
        let (line, message) = error("taxonomy:\n  - {label: a, description: b}\n  - {label: A, description: c}\n");
        assert_eq!(line, 3);
        assert!(message.contains('A'), "{message}");
        assert!(error("taxonomy: [{label: '', description: b}]").1.contains("label"));
        assert!(error("taxonomy: [{label: a, description: ' '}]").1.contains("description"));
    }

    #[test]
    fn broken_yaml_is_refused_with_its_line() {
        let (line, _) = error("taxonomy:\n  - label: a\n    description: [b\nvoice: {}\n");
        assert!(line >= 3, "{line}");
        error("\u{0}");
        error("taxonomy: [{label: a, description: b}]\ntaxonomy: [{label: c, description: d}]\n");
        error("- just\n- a list\n");
        error("%%%");
    }

    #[test]
    fn complaints_are_in_plain_words() {
        let base = "taxonomy: [{label: a, description: b}]\n";
        let cases = [
            ("weights: {velocity: fast}\n", "'weights': a number is expected here"),
            ("generation: {max_tokens: lots}\n", "'generation': a whole number is expected here"),
            ("sources: {languages: en}\n", "'sources': a list such as [a, b] is expected here"),
            ("voice: loud\n", "'voice': keys with values are expected here"),
            ("voice: {persona: [a]}\n", "'voice': a text is expected here"),
            ("taxonomy: []\n", "the key 'taxonomy' stands here a second time"),
        ];
        for (section, expected) in cases {
            assert_eq!(error(&format!("{base}{section}")), (2, expected.to_owned()), "{section}");
        }
    }

    #[test]
    fn a_bomb_of_aliases_is_refused() {
        let mut yaml = "x0: &x0 [a,a,a,a,a,a,a,a,a,a]\n".to_owned();
        for level in 1..10 {
            let below = vec![format!("*x{}", level - 1); 10].join(",");
            yaml += &format!("x{level}: &x{level} [{below}]\n");
        }
        error(&yaml);
        let nested = format!("taxonomy: {}", "[".repeat(100_000));
        assert!(Finder::from_yaml(&nested).is_err());
    }

    #[test]
    fn a_huge_file_is_refused() {
        let yaml = "#".repeat(2_000_000);
        assert_eq!(Finder::from_yaml(&yaml).unwrap_err().code(), "finder-too-large");
    }

    #[test]
    fn handles_are_compared_without_at_sign_and_capitals() {
        let sources = Sources {
            whitelist_handles: vec!["@Anna".into(), "both".into()],
            blacklist_handles: vec!["Bot".into(), "both".into()],
            ..Sources::default()
        };
        assert_eq!(sources.standing("anna"), AuthorStanding::Whitelisted);
        assert_eq!(sources.standing("@BOT"), AuthorStanding::Blacklisted);
        assert_eq!(sources.standing("both"), AuthorStanding::Blacklisted);
        assert_eq!(sources.standing("ann"), AuthorStanding::Neutral);
    }

    #[test]
    fn the_text_of_a_node_is_its_description_and_its_first_three_exemplars() {
        let node = Node {
            label: "a".into(),
            description: "about a".into(),
            exemplars: ["1", "2", "3", "4"].map(String::from).to_vec(),
        };
        assert_eq!(node.text(), "about a\n1\n2\n3");
    }

    #[test]
    fn a_finder_survives_a_job_s_settings() {
        let finder = Finder::from_yaml(OLDER).unwrap();
        let json = serde_json::to_value(&finder).unwrap();
        assert_eq!(serde_json::from_value::<Finder>(json).unwrap(), finder);
    }
}
