//! Wire clients for the providers, and what their models cost.
//!
//! A client here is thin: it writes a neutral [`Request`](atelier_engine::Request) in its provider's format,
//! makes one exchange, and reads the answer or the fault from what came back. It never retries, waits or
//! guesses at limits: the engine does that for all providers alike, and knows what the other calls are doing.
//!
//! ```
//! use atelier_providers::{ApiKey, BaseUrl, Gemini, HttpClient};
//!
//! # fn main() -> Result<(), atelier_providers::ProviderError> {
//! let http = HttpClient::new()?;
//! let endpoint = BaseUrl::parse("http://127.0.0.1:8080")?;
//! let gemini = Gemini::new(&http, &endpoint, &ApiKey::new("a key")?, "gemini-2.5-flash")?;
//! # let _ = gemini;
//! # Ok(())
//! # }
//! ```
//!
//! To add a provider: write a module beside [`Gemini`]'s and [`OpenAi`]'s that implements
//! [`Model`](atelier_engine::Model), map every error in its documents to a
//! [`FaultKind`](atelier_engine::FaultKind), add it to [`Provider`], and join the conformance suite in
//! `tests/conformance` with literal fixtures of its wire.
#![forbid(unsafe_code)]
#![allow(
    clippy::result_large_err,
    reason = "a Fault says much, and beside the exchange that it ends its size is nothing"
)]

mod abilities;
mod drawn;
mod error;
mod error_body;
mod finish;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzz;
mod gemini;
mod http;
mod lenient;
mod listing;
mod local;
mod model_name;
mod model_ref;
mod openai;
mod prices;
mod secret;
mod thoughts;
mod transport;
mod wire;

pub use abilities::{Abilities, abilities};
pub use error::ProviderError;
pub use gemini::{DAY_ZONE as GEMINI_DAY_ZONE, Gemini, GeminiSettings};
pub use http::{BaseUrl, HttpClient};
pub use model_ref::{ModelRef, Provider};
pub use openai::{DAY_ZONE as OPENAI_DAY_ZONE, OpenAi, OpenAiSettings, Quirks};
pub use prices::{ModelPrices, PriceOverride, PriceTable, UsualLimits};
pub use secret::ApiKey;
