//! The models that a key opens: the one call that costs nothing, by which a key is tried.

use atelier_engine::{Fault, FaultKind};
use serde_json::Value;

use crate::http::HttpAnswer;

/// Where the list of models is, below the address of the API.
pub(crate) const PATH: &str = "/models";

/// The names in a list of models, which is under `list`, each under `name`.
pub(crate) fn names(answer: &HttpAnswer, list: &str, name: &str) -> Result<Vec<String>, Fault> {
    let read: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let listed = read.as_ref().and_then(|read| read.get(list)?.as_array());
    let listed = listed.ok_or_else(|| Fault::new(FaultKind::Unreadable, "the answer is no list of models"))?;
    Ok(listed.iter().filter_map(|model| model.get(name)?.as_str().map(str::to_owned)).collect())
}
