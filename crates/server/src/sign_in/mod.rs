//! Who asks, and what they may.

mod access;
mod attempts;
mod cookies;
mod oidc;

pub(crate) use access::{Access, Caller, guard};
pub(crate) use attempts::Attempts;
pub(crate) use cookies::{binding_of, clearing, session_of, setting, setting_binding};
pub(crate) use oidc::Oidc;
