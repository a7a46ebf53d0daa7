//! How an answer ended, by the name that its provider gives to that.

use atelier_engine::{Ending, Fault, FaultKind};
use serde_json::Value;

use crate::error_body::ErrorBody;
use crate::lenient;
use crate::secret::clean;
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
    Unknown,
}

/// The reason that stands for a stream which stops without giving one.
pub(crate) const BROKEN_OFF: &str = "broken_off";

/// Every reason of the documents of both wires, and those of servers that speak them, in lower case. One that is not
/// here is [`Finish::Unknown`].
pub(crate) const REASONS: [(&str, Finish); 50] = [
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
    ("model_context_window_exceeded", Finish::Cap),
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
    ("sensitive", Finish::Refused),
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
    ("incomplete", Finish::Broken),
    ("insufficient_system_resource", Finish::Broken),
    ("user_cancel", Finish::Broken),
    (BROKEN_OFF, Finish::Broken),
    ("finish_reason_unspecified", Finish::Unknown),
    ("no_image", Finish::Unknown),
    ("image_other", Finish::Unknown),
    ("language", Finish::Unknown),
    ("other", Finish::Unknown),
    ("malformed_function_call", Finish::Unknown),
    ("unexpected_tool_call", Finish::Unknown),
    ("too_many_tool_calls", Finish::Unknown),
];

/// What a reason means; none at all is [`Finish::Unknown`].
pub(crate) fn finish(reason: Option<&str>) -> Finish {
    let Some(reason) = reason else { return Finish::Unknown };
    match REASONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(reason)) {
        Some((_, finish)) => *finish,
        None => {
            tracing::warn!(finish_reason = %name(reason), "an answer ended for a reason that is not known here");
            Finish::Unknown
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
        (Finish::Complete, _) | (Finish::Unknown, None) => Ok(Ending::Complete),
        (Finish::Cap, _) => Ok(Ending::Cut),
        (Finish::Refused, _) => Ok(Ending::Filtered),
        (Finish::Unknown, Some(_)) if !stops_half_way(text) => Ok(Ending::Complete),
        (_, Some(BROKEN_OFF)) => Err(Fault::new(FaultKind::Unreadable, "the answer stops half-way")),
        (_, reason) => {
            let message = format!("the answer is not whole: it ended with '{}'", name(reason.unwrap_or_default()));
            Err(Fault::new(FaultKind::Unreadable, message))
        }
    }
}

/// The fault of an answer beside which an error stands that broke it off.
pub(crate) fn cut_by(error: &Value) -> Fault {
    let reason = clean(&ErrorBody::in_value(error.clone()).reason());
    let because = if reason.is_empty() { "an error stands beside it".to_owned() } else { reason };
    Fault::new(FaultKind::Unreadable, format!("the answer is not whole: {because}"))
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
        Finish::Complete | Finish::Unknown => {
            let because = if reason.is_some() { format!(" ({})", said()) } else { String::new() };
            Fault::new(FaultKind::Empty, format!("the provider answered without content{because}"))
        }
    }
}

/// Answers of so few words end as they like.
const FEW_WORDS: usize = 3;
/// Letters of a word in scripts that put no spaces between words (from the radicals of Chinese on), about.
const LETTERS: usize = 2;
const FIRST_DENSE: char = '\u{2e80}';

/// Whether a text ends in the middle of a word or a sentence, or is JSON that is not whole, as far as can be seen.
fn stops_half_way(text: &str) -> bool {
    let text = text.trim();
    if ["{", "[{", "[\""].iter().any(|begin| text.starts_with(begin)) {
        return lenient::value(text).is_none();
    }
    let dense = text.chars().filter(|c| *c >= FIRST_DENSE && c.is_alphabetic()).count();
    if text.split_whitespace().count() + dense / LETTERS <= FEW_WORDS {
        return false;
    }
    text.chars().last().is_some_and(|last| last.is_alphanumeric() || ",;:-(['\u{201c}、，：；「（".contains(last))
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
        for (text, whole) in [
            ("Three birds: sparrow, ro", false),
            ("Three birds.", true),
            ("三只鸟：麻雀、知更", false),
            ("麻雀", true),
            ("{\"a\": 1}", true),
            ("{\"answers\":[{\"answer\":\"yes.\"}", false),
        ] {
            assert_eq!(ending(Some("something_new"), text).is_ok(), whole, "{text}");
            assert_eq!(ending(Some("OTHER"), text).is_ok(), whole, "{text}");
            assert_eq!(ending(None, text), Ok(Ending::Complete), "nothing is said of it: {text}");
        }
    }
}
