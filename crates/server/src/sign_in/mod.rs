//! Who asks, and what they may.

mod access;
mod attempts;
mod cookies;

pub(crate) use access::{Access, Caller, guard};
pub(crate) use attempts::Attempts;
pub(crate) use cookies::{clearing, session_of, setting};
