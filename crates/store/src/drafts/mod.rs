//! Answers to posts: drafts and their life.

mod life;
mod read;
mod records;
mod save;

pub use self::records::{AnswerStatus, Draft, DraftFilter, DraftRow, DraftStatus, NewDraft, PostAnswer, RejectedBy};
