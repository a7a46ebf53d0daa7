//! What is chosen: the spaces, the weights, the cut-offs.

use std::fmt;
use std::num::NonZeroUsize;

use atelier_embed::EmbedderId;
use serde::{Deserialize, Serialize};

/// A space of vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Space {
    /// What an image's words mean.
    Text,
    /// What its look means, in words: comparable with the vector of a query.
    Look,
    /// How it looks: image to image only.
    Appearance,
}

impl Space {
    /// All of them, in the order in which results list them.
    pub const ALL: [Self; 3] = [Self::Text, Self::Look, Self::Appearance];

    /// Its name, as it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Look => "look",
            Self::Appearance => "appearance",
        }
    }

    /// Its place in arrays of one entry a space.
    pub(crate) const fn place(self) -> usize {
        self as usize
    }

    /// Whether sixteen bits a number are kept, to score the best by, or eight alone. Appearance has many
    /// numbers, of which eight bits are enough to find what looks alike.
    pub(crate) const fn fine(self) -> bool {
        !matches!(self, Self::Appearance)
    }
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whose vectors a space holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpaceSettings {
    /// Which embedder made them. With another, the index is built anew.
    pub embedder: EmbedderId,
    /// How many numbers each has: from 1 to [`MAX_DIMENSIONS`](Self::MAX_DIMENSIONS).
    pub dimensions: usize,
}

impl SpaceSettings {
    /// The longest vectors that can be kept. Beyond, a sum of products might not fit into 32 bits.
    pub const MAX_DIMENSIONS: usize = 4096;
}

/// The spaces that the index holds; images may have a vector in each, in some or in none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spaces {
    /// What the words of an image mean.
    pub text: Option<SpaceSettings>,
    /// What its look means.
    pub look: Option<SpaceSettings>,
    /// How it looks.
    pub appearance: Option<SpaceSettings>,
}

impl Spaces {
    /// The settings of one.
    #[must_use]
    pub fn get(&self, space: Space) -> Option<&SpaceSettings> {
        match space {
            Space::Text => self.text.as_ref(),
            Space::Look => self.look.as_ref(),
            Space::Appearance => self.appearance.as_ref(),
        }
    }
}

/// How many times a word counts that stands in this field (BM25F: the weights apply to the count of a word,
/// before it saturates). With other weights the index is built anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FieldWeights {
    /// The caption's.
    pub caption: u8,
    /// Each tag's.
    pub tags: u8,
    /// The category's.
    pub category: u8,
    /// The file name's.
    pub filename: u8,
    /// Each attribute's value's.
    pub attributes: u8,
}

impl Default for FieldWeights {
    fn default() -> Self {
        Self { caption: 2, tags: 3, category: 2, filename: 1, attributes: 2 }
    }
}

/// How much each stage counts where ranks are fused: its share is `weight * evidence / (60 + rank)` (reciprocal
/// rank fusion, Cormack, Clarke and Büttcher, SIGIR 2009), where the evidence rises from a tenth at the stage's
/// cut-off to 1 for all words, a cosine that is certain ([`Certainties`]), or the very colour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FusionWeights {
    /// Of words.
    pub lexical: f32,
    /// Of what words mean.
    pub text: f32,
    /// Of what the look means; its default by the studio's `examples/fusion.rs`.
    pub look: f32,
    /// Of how it looks.
    pub appearance: f32,
    /// Of colour.
    pub color: f32,
}

impl Default for FusionWeights {
    fn default() -> Self {
        Self { lexical: 1.0, text: 1.0, look: 0.5, appearance: 1.0, color: 1.0 }
    }
}

/// What a stage must find for a hit to count. A hit that no stage vouches for is not shown: "nothing
/// matches" is an answer.
///
/// They belong to the embedders: [`evaluate::cut_off`](crate::evaluate::cut_off) fits one from judged and
/// from absent queries. The defaults are those of the local text embedder, fitted on one half of a library
/// made from templates (`examples/quality.rs`); on the other half they silence 95 of 100 absent queries and
/// hide every answer of 3 of 100 others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CutOffs {
    /// Share of the query's informative words that an image has, from 0 to 1, each word weighted by its
    /// inverse document frequency.
    pub lexical: f32,
    /// Cosine, uncalibrated, in the space of text.
    pub text: f32,
    /// Cosine in the space of look.
    pub look: f32,
    /// Cosine in the space of appearance.
    pub appearance: f32,
    /// Greatest distance in CIELAB (CIE76) of a colour; 2.3 is a just noticeable difference.
    pub color: f32,
}

impl Default for CutOffs {
    fn default() -> Self {
        Self { lexical: 0.5, text: 0.49, look: 0.56, appearance: 0.30, color: 25.0 }
    }
}

/// The cosine from which on a stage is as sure of an image as it can be; see [`FusionWeights`]. Cosines of one
/// model end at 1 and those of another at a half, and evidence is to mean the same of both.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Certainties {
    /// In the space of text.
    pub text: f32,
    /// In the space of look.
    pub look: f32,
    /// In the space of appearance.
    pub appearance: f32,
}

impl Default for Certainties {
    fn default() -> Self {
        Self { text: 1.0, look: 1.0, appearance: 1.0 }
    }
}

impl Certainties {
    pub(crate) const fn get(&self, space: Space) -> f32 {
        match space {
            Space::Text => self.text,
            Space::Look => self.look,
            Space::Appearance => self.appearance,
        }
    }
}

/// All settings of an index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IndexSettings {
    /// The spaces.
    pub spaces: Spaces,
    /// What a word counts in each field.
    pub fields: FieldWeights,
    /// What each stage counts.
    pub fusion: FusionWeights,
    /// Below what nothing is shown.
    pub cut_offs: CutOffs,
    /// From where on a stage is certain.
    pub certainties: Certainties,
    /// How many vectors that the filters left are compared in each space at least: where there are no more,
    /// the search is exact; beyond, it takes them from the lists nearest to the query.
    pub scanned: usize,
    /// How many hits of each stage are fused at least; a larger limit raises it.
    pub depth: usize,
    /// Processor cores that a search or a merge may use.
    pub threads: NonZeroUsize,
}

impl Default for IndexSettings {
    fn default() -> Self {
        Self {
            spaces: Spaces::default(),
            fields: FieldWeights::default(),
            fusion: FusionWeights::default(),
            cut_offs: CutOffs::default(),
            certainties: Certainties::default(),
            scanned: 100_000,
            depth: 200,
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        }
    }
}

/// What an index on disk was built with: with anything else it is built anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BuiltWith {
    /// Form of the files and of the tokenising. Raised with either.
    pub(crate) version: u32,
    pub(crate) spaces: Spaces,
    pub(crate) fields: FieldWeights,
}

impl BuiltWith {
    const VERSION: u32 = 1;
}

impl IndexSettings {
    pub(crate) fn built_with(&self) -> BuiltWith {
        BuiltWith { version: BuiltWith::VERSION, spaces: self.spaces.clone(), fields: self.fields }
    }
}
