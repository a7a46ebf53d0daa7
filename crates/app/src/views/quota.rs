//! Limits as they stand.

use atelier_engine::{LimitKind, LimitUse, Usd};
use serde::Serialize;
use utoipa::ToSchema;

/// All pools.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QuotaView {
    /// The pools, by name; an account's name ends in `/`.
    pub pools: Vec<PoolView>,
}

/// A pool, or what the pools of an account share.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PoolView {
    /// Its name.
    pub pool: String,
    /// Its limits.
    pub limits: Vec<LimitView>,
    /// Whether an administrator has set them, in the place of what the configuration says.
    pub is_set: bool,
    /// How many seconds ago its latest calls left, within the longest of its sliding windows; 500 at most.
    pub recent: Vec<f64>,
}

/// A number of what a limit counts: calls, tokens or images, or dollars.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum LimitAmount {
    /// So many.
    Count(u64),
    /// So many dollars.
    Dollars(f64),
}

impl LimitAmount {
    /// The number itself.
    #[must_use]
    pub const fn as_number(self) -> f64 {
        match self {
            Self::Count(count) => count as f64,
            Self::Dollars(dollars) => dollars,
        }
    }
}

/// A limit as it stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LimitView {
    /// As it is written: `requests=15/60s`.
    pub limit: String,
    /// What it counts.
    pub kind: &'static str,
    /// How much it allows.
    pub amount: LimitAmount,
    /// How much of it is used.
    pub used: LimitAmount,
    /// When a refusal taught it, if it was learnt.
    pub learnt_at: Option<String>,
    /// When more fits again, if it is used up.
    pub frees_at: Option<String>,
    /// The same, to be put in words.
    #[serde(skip)]
    pub raw: LimitUse,
}

impl LimitView {
    pub(crate) fn new(used: LimitUse) -> Self {
        let dollars = |nanos: u64| Usd::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX)).as_dollars();
        let amount = |amount: u64| match used.limit.kind {
            LimitKind::Usd => LimitAmount::Dollars(dollars(amount)),
            _ => LimitAmount::Count(amount),
        };
        Self {
            limit: used.limit.to_string(),
            kind: used.limit.kind.name(),
            amount: amount(used.limit.amount),
            used: amount(used.used),
            learnt_at: used.learnt.map(|at| at.to_string()),
            frees_at: used.frees_at.map(|at| at.to_string()),
            raw: used,
        }
    }
}
