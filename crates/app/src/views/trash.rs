//! What was deleted.

use atelier_store::{TRASH_KEEPS, Trashed};
use serde::Serialize;
use utoipa::ToSchema;

/// Something that was deleted and can be had back.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TrashedView {
    /// The id of the deletion.
    pub id: String,
    /// What it is: `image`, `collection`, `made-image`, `posts` or `project`.
    pub kind: &'static str,
    /// What it is called: an id, or a name.
    pub name: String,
    /// By what a person knows it.
    pub label: String,
    /// Who owned it.
    pub owner: String,
    /// How many things of its kind.
    pub items: u64,
    /// When it was deleted.
    pub deleted_at: String,
    /// When it goes for good.
    pub until: String,
}

impl From<Trashed> for TrashedView {
    fn from(trashed: Trashed) -> Self {
        Self {
            id: trashed.id,
            kind: trashed.kind.name(),
            name: trashed.name,
            label: trashed.label,
            owner: trashed.owner,
            items: trashed.items,
            deleted_at: trashed.deleted_at.to_string(),
            until: trashed.deleted_at.after(TRASH_KEEPS).to_string(),
        }
    }
}

/// A page of the trash.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TrashListView {
    /// The latest first.
    pub trash: Vec<TrashedView>,
    /// After which place the next page begins.
    pub next: Option<String>,
}
