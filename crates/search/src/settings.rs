//! Settings of an index: its spaces, weights and cut-offs.

use std::fmt;
use std::num::NonZeroUsize;

use atelier_embed::EmbedderId;
use serde::{Deserialize, Serialize};

/// A space of vectors: only vectors of the same space are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Space {
    /// Meaning of an image's words.
    Text,
    /// Meaning of its look: comparable with the vector of a query in words.
    Look,
    /// Appearance: comparable with that of another image only.
    Appearance,
}

impl Space {
    /// All of them, in the order in which results list them.
    pub const ALL: [Self; 3] = [Self::Text, Self::Look, Self::Appearance];

    /// Its name, as in JSON.
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

    /// True if sixteen bits a number are kept, to score the best by, and not eight alone. Appearance has many
    /// dimensions, so eight bits of each are enough to find what looks alike.
    pub(crate) const fn fine(self) -> bool {
        !matches!(self, Self::Appearance)
    }
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Embedder and dimensions of a space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpaceSettings {
    /// The embedder that made them. With another, the index is rebuilt.
    pub embedder: EmbedderId,
    /// Numbers in each vector: from 1 to [`MAX_DIMENSIONS`](Self::MAX_DIMENSIONS).
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
    /// Settings of [`Space::Text`]; none if the index has no such space.
    pub text: Option<SpaceSettings>,
    /// Settings of [`Space::Look`].
    pub look: Option<SpaceSettings>,
    /// Settings of [`Space::Appearance`].
    pub appearance: Option<SpaceSettings>,
}

impl Spaces {
    /// The settings of one space, if the index has it.
    #[must_use]
    pub fn get(&self, space: Space) -> Option<&SpaceSettings> {
        match space {
            Space::Text => self.text.as_ref(),
            Space::Look => self.look.as_ref(),
            Space::Appearance => self.appearance.as_ref(),
        }
    }
}

/// The number of times that a word in each field counts (BM25F: the weights apply to the count of a word,
/// before it saturates). With other weights the index is rebuilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FieldWeights {
    /// Weight of the caption.
    pub caption: u8,
    /// Weight of each tag.
    pub tags: u8,
    /// Weight of the category.
    pub category: u8,
    /// Weight of the file's name.
    pub filename: u8,
    /// Weight of each attribute's value.
    pub attributes: u8,
}

impl Default for FieldWeights {
    fn default() -> Self {
        Self { caption: 2, tags: 3, category: 2, filename: 1, attributes: 2 }
    }
}

/// The weight of each stage in the fusion of ranks: its share is `weight * evidence / (60 + rank)` (reciprocal
/// rank fusion, Cormack, Clarke and Büttcher, SIGIR 2009), where the evidence rises from a tenth at the stage's
/// cut-off to 1 for all words, a cosine that is certain ([`Certainties`]), or the very colour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FusionWeights {
    /// Weight of the lexical stage.
    pub lexical: f32,
    /// Weight of the space of text.
    pub text: f32,
    /// Of what the look means; its default by the studio's `examples/fusion.rs`.
    pub look: f32,
    /// Weight of the space of appearance.
    pub appearance: f32,
    /// Weight of colour.
    pub color: f32,
}

impl Default for FusionWeights {
    fn default() -> Self {
        Self { lexical: 1.0, text: 1.0, look: 0.5, appearance: 1.0, color: 1.0 }
    }
}

/// The score that an image must reach in a stage to count as found by it. An image that no stage finds is not
/// shown: "nothing matches" is an answer.
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
    /// Cosine in the space of text below which what an image's words mean speaks against the other stages. It is a hit
    /// of theirs then only from the two numbers below on: a lone word of several (a school globe, for "school bus"), or
    /// a look somewhat like it, is not enough.
    pub doubted: f32,
    /// The same as `lexical`, where the meaning speaks against it.
    pub lexical_in_doubt: f32,
    /// The same as `look`, where the meaning speaks against it.
    pub look_in_doubt: f32,
    /// Cosine in the space of appearance.
    pub appearance: f32,
    /// Greatest distance in CIELAB (CIE76) of a colour; 2.3 is a just noticeable difference.
    pub color: f32,
}

impl Default for CutOffs {
    fn default() -> Self {
        Self {
            lexical: 0.5,
            text: 0.49,
            look: 0.56,
            doubted: 0.45,
            lexical_in_doubt: 0.8,
            look_in_doubt: 0.7,
            appearance: 0.30,
            color: 25.0,
        }
    }
}

impl CutOffs {
    /// None at all: whatever a stage ranks is shown.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            lexical: 0.0,
            text: -1.0,
            look: -1.0,
            doubted: -1.0,
            lexical_in_doubt: 0.0,
            look_in_doubt: -1.0,
            appearance: -1.0,
            color: 1000.0,
        }
    }
}

/// The cosine from which on a stage's evidence is 1; see [`FusionWeights`]. The best cosines of one model are
/// near 1 and those of another near a half, and evidence has to mean the same in both.
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
    /// The spaces of vectors.
    pub spaces: Spaces,
    /// Weights of an image's fields in the lexical stage.
    pub fields: FieldWeights,
    /// Weights of the stages in the fusion.
    pub fusion: FusionWeights,
    /// Scores below which an image does not count as found.
    pub cut_offs: CutOffs,
    /// Cosines from which on evidence is 1.
    pub certainties: Certainties,
    /// The fewest vectors that pass the filters to compare in each space. If there are no more, the search is
    /// exact; beyond, they come from the lists nearest to the query.
    pub scanned: usize,
    /// The fewest hits of each stage that are fused; a larger limit raises it.
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

/// The settings that an index on disk was built with: with any others it is rebuilt.
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
