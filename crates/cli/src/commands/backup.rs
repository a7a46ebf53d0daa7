//! `atelier backup`.

use std::path::Path;

use atelier_app::AppResult;
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;

pub(super) async fn run(context: &Context, file: &Path) -> AppResult<Exit> {
    context.app.store()?.backup(file).await?;
    let shown = file.display().to_string();
    context.out.result(&json!({ "backup": shown }), || format!("the database is copied to {shown}"))?;
    Ok(Exit::Success)
}
