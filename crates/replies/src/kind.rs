//! The kinds of reply that are drafted.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The purpose of a reply. A post gets one draft of each kind that its project lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyKind {
    /// Adds something useful to know.
    AddValue,
    /// Asks something that the author would like to answer.
    AskQuestion,
    /// Makes the reader smile.
    Funny,
    /// Disagrees, kindly and with a reason.
    Debate,
    /// Shares an experience of the same sort.
    Relate,
    /// Gives the author's point back, seen from another side.
    MirrorReframe,
}

impl ReplyKind {
    /// Every kind that a project may list.
    pub const ALL: [Self; 6] =
        [Self::AddValue, Self::AskQuestion, Self::Funny, Self::Debate, Self::Relate, Self::MirrorReframe];

    /// The kinds that are drafted where a project lists none, in rank order.
    pub const DEFAULT: [Self; 5] = [Self::AddValue, Self::AskQuestion, Self::Funny, Self::Debate, Self::Relate];

    /// Its name in finder.yml, in answers and in exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddValue => "add_value",
            Self::AskQuestion => "ask_question",
            Self::Funny => "funny",
            Self::Debate => "debate",
            Self::Relate => "relate",
            Self::MirrorReframe => "mirror_reframe",
        }
    }

    /// The model's instruction for it: what such a reply does.
    #[must_use]
    pub const fn instruction(self) -> &'static str {
        match self {
            Self::AddValue => "adds one concrete fact, tip or detail that the author can use",
            Self::AskQuestion => "asks one specific question that shows the post was read and is easy to answer",
            Self::Funny => "makes a light, kind joke about the matter, never about the person",
            Self::Debate => "disagrees politely with one point and gives the reason",
            Self::Relate => "shares a short experience of the same sort, without turning the talk to oneself",
            Self::MirrorReframe => "gives the author's point back in other words and shows it from another side",
        }
    }
}

impl fmt::Display for ReplyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ReplyKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.name() == text.trim()).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("'{text}' is not a kind of reply; there are {names}")
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_written_the_same_everywhere() {
        for kind in ReplyKind::ALL {
            assert_eq!(kind.name().parse::<ReplyKind>().unwrap(), kind);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }

    #[test]
    fn an_unknown_kind_is_refused_with_the_known_ones() {
        let error = "sarcasm".parse::<ReplyKind>().unwrap_err();
        assert!(
            error.contains("sarcasm") && error.contains("add_value") && error.contains("mirror_reframe"),
            "{error}"
        );
    }
}
