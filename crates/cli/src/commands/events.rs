//! `atelier events`.

use atelier_app::AppResult;
use atelier_app::views::{ChangeView, EventView};

use crate::context::Context;
use crate::exit::Exit;
use crate::money::count;
use crate::signals;

/// Prints changes as they come, until it is stopped.
pub(super) async fn run(context: &Context, after: Option<u64>) -> AppResult<Exit> {
    let (stop, signalled) = signals::listen(None)?;
    let mut events = context.app.events(after).await?;
    loop {
        tokio::select! {
            event = events.next() => {
                let event = event?;
                if !context.out.line(&event, || describe(&event))? {
                    return Ok(Exit::Success);
                }
            }
            () = stop.clone().wait() => return Ok(signalled.exit().unwrap_or(Exit::INTERRUPTED)),
        }
    }
}

fn describe(event: &EventView) -> String {
    let what = match &event.change {
        ChangeView::Job { id, job: Some(job) } => {
            format!("job {id}: {}, {} of {} done", job.state, job.done, count(job.items, "item"))
        }
        ChangeView::Job { id, job: None } => format!("job {id} is gone"),
        ChangeView::Items { job, items } => {
            let done = items.iter().filter(|item| item.status == "done").count();
            format!("job {job}: {} ended, {done} done", count(items.len() as u64, "item"))
        }
        ChangeView::Image { id, image: Some(image) } => format!("image {id}: {}", image.state),
        ChangeView::Image { id, image: None } => format!("image {id} is gone"),
        ChangeView::Draft { id, draft: Some(draft) } => format!("draft {id}: {}", draft.status),
        ChangeView::Draft { id, draft: None } => format!("draft {id} is gone"),
        ChangeView::Library { id, image: Some(image) } => format!("image {id} of the library: {}", image.filename),
        ChangeView::Library { id, image: None } => format!("image {id} of the library is gone"),
        ChangeView::Quota { pool } => format!("limits of {}", pool.pool),
    };
    format!("{}: {what}", event.number)
}
