//! How an answer ended, by the name that its provider gives to that.

use atelier_engine::{Ending, Fault, FaultKind};

use crate::wire::name;

/// The meaning of such a name, as far as an answer is judged by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    /// The model ended where it meant to.
    Complete,
    /// It came to the cap on output tokens.
    Cap,
    /// The provider refused the content.
    Refused,
    /// It broke off: what there is of it is not whole.
    Broken,
    /// No verdict: what came is judged by itself.
    Open,
}

/// The reason that stands for a stream which stops without giving one.
pub(crate) const BROKEN_OFF: &str = "broken_off";

/// Every reason of the documents of both wires, and those of servers that speak them, in lower case. One that is not
/// here is [`Finish::Open`].
pub(crate) const REASONS: [(&str, Finish); 45] = [
    ("stop", Finish::Complete),
    ("tool_calls", Finish::Complete),
    ("function_call", Finish::Complete),
    ("tool_use", Finish::Complete),
    ("end_turn", Finish::Complete),
    ("stop_sequence", Finish::Complete),
    ("eos", Finish::Complete),
    ("eos_token", Finish::Complete),
    ("complete", Finish::Complete),
    ("completed", Finish::Complete),
    ("length", Finish::Cap),
    ("max_tokens", Finish::Cap),
    ("max_output_tokens", Finish::Cap),
    ("model_length", Finish::Cap),
    ("content_filter", Finish::Refused),
    ("safety", Finish::Refused),
    ("recitation", Finish::Refused),
    ("blocklist", Finish::Refused),
    ("prohibited_content", Finish::Refused),
    ("spii", Finish::Refused),
    ("image_safety", Finish::Refused),
    ("image_prohibited_content", Finish::Refused),
    ("image_recitation", Finish::Refused),
    ("refusal", Finish::Refused),
    ("error", Finish::Broken),
    ("server_error", Finish::Broken),
    ("internal_error", Finish::Broken),
    ("network_error", Finish::Broken),
    ("model_error", Finish::Broken),
    ("timeout", Finish::Broken),
    ("abort", Finish::Broken),
    ("aborted", Finish::Broken),
    ("cancelled", Finish::Broken),
    ("canceled", Finish::Broken),
    ("interrupted", Finish::Broken),
    ("failed", Finish::Broken),
    (BROKEN_OFF, Finish::Broken),
    ("finish_reason_unspecified", Finish::Open),
    ("no_image", Finish::Open),
    ("image_other", Finish::Open),
    ("language", Finish::Open),
    ("other", Finish::Open),
    ("malformed_function_call", Finish::Open),
    ("unexpected_tool_call", Finish::Open),
    ("too_many_tool_calls", Finish::Open),
];

/// What a reason means; none at all is [`Finish::Open`].
pub(crate) fn finish(reason: Option<&str>) -> Finish {
    let Some(reason) = reason else { return Finish::Open };
    match REASONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(reason)) {
        Some((_, finish)) => *finish,
        None => {
            tracing::warn!(finish_reason = %name(reason), "an answer ended for a reason that is not known here");
            Finish::Open
        }
    }
}

/// How an answer ends that has content, `text` being what of it is text, or why it is not whole.
///
/// # Errors
/// A fault that is worth asking again: the provider said that it broke off, or gave no reason that is known for a text
/// that stops in the middle.
pub(crate) fn ending(reason: Option<&str>, text: &str) -> Result<Ending, Fault> {
    match (finish(reason), reason) {
        (Finish::Complete, _) | (Finish::Open, None) => Ok(Ending::Complete),
        (Finish::Cap, _) => Ok(Ending::Cut),
        (Finish::Refused, _) => Ok(Ending::Filtered),
        (Finish::Open, Some(_)) if !stops_half_way(text) => Ok(Ending::Complete),
        (_, Some(BROKEN_OFF)) => Err(Fault::new(FaultKind::Unreadable, "the answer stops half-way")),
        (_, reason) => {
            let message = format!("the answer is not whole: it ended with '{}'", name(reason.unwrap_or_default()));
            Err(Fault::new(FaultKind::Unreadable, message))
        }
    }
}

/// The fault of an answer that has no content.
pub(crate) fn without_content(reason: Option<&str>) -> Fault {
    let said = || name(reason.unwrap_or_default());
    match finish(reason) {
        Finish::Refused => Fault::new(FaultKind::Refused, format!("the provider refused the answer ({})", said())),
        Finish::Cap => Fault::new(
            FaultKind::Empty,
            "the answer came to the cap on output tokens before any text: thinking used it up; raise the cap",
        ),
        Finish::Broken => Fault::new(FaultKind::Unreadable, format!("the answer broke off ({})", said())),
        Finish::Complete | Finish::Open => {
            let because = if reason.is_some() { format!(" ({})", said()) } else { String::new() };
            Fault::new(FaultKind::Empty, format!("the provider answered without content{because}"))
        }
    }
}

/// Answers of so few words end as they like.
const FEW_WORDS: usize = 3;

/// Whether a text ends in the middle of a word or a sentence, as far as its last character tells.
fn stops_half_way(text: &str) -> bool {
    if text.split_whitespace().take(FEW_WORDS + 1).count() <= FEW_WORDS {
        return false;
    }
    text.trim_end().chars().last().is_some_and(|last| last.is_alphanumeric() || ",;:-(['\u{201c}".contains(last))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_that_is_none_is_not_whole() {
        for reason in ["error", "ERROR", "abort", BROKEN_OFF] {
            assert_eq!(ending(Some(reason), "All of it.").unwrap_err().kind, FaultKind::Unreadable, "{reason}");
        }
        for (text, whole) in [("Three birds: sparrow, ro", false), ("Three birds.", true), ("{\"a\": 1}", true)] {
            assert_eq!(ending(Some("something_new"), text).is_ok(), whole, "{text}");
            assert_eq!(ending(Some("OTHER"), text).is_ok(), whole, "{text}");
            assert_eq!(ending(None, text), Ok(Ending::Complete), "nothing is said of it: {text}");
        }
    }
}
