//! What changes, as it changes, with the new row: from any change's number on, and across restarts.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use atelier_engine::PoolId;
use atelier_store::{Change, Changed, Store};

use crate::app::App;
use crate::error::AppResult;
use crate::pools::configured;
use crate::views::{ChangeView, EventView, GeneratedImageView, ItemView, PoolView};

/// Changes are read so many at a time.
const PAGE: usize = 256;
/// Changes that are given together at most.
const MOST_TOGETHER: usize = 4_096;

/// A watcher's place in the log of changes.
pub struct Events {
    app: App,
    store: Store,
    after: u64,
    read: VecDeque<Change>,
}

impl App {
    /// The changes after the one of this number, or from now on: jobs, items, images, drafts and quotas, by this process
    /// and by others of the same store.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn events(&self, after: Option<u64>) -> AppResult<Events> {
        let store = self.store()?;
        let after = match after {
            Some(after) => after,
            None => store.last_change().await?,
        };
        Ok(Events { app: self.clone(), store, after, read: VecDeque::new() })
    }
}

impl Events {
    /// Waits for the next change: one of this process comes at once, one of another within a tenth of a second. None is
    /// left out, none comes twice, and they come in order. The row is as it is by now: where it changed again meanwhile,
    /// that is another change, which comes later.
    ///
    /// # Errors
    /// `changes-forgotten` if what came next is not kept any more; what the store reports. The place stays: whoever asks
    /// again goes on from there.
    pub async fn next(&mut self) -> AppResult<EventView> {
        loop {
            if let Some(change) = self.read.front() {
                let view = self.view(change).await?;
                let number = change.number;
                self.after = number;
                self.read.pop_front();
                return Ok(EventView { number, change: view });
            }
            self.read.extend(self.store.next_changes(self.after, PAGE).await?);
        }
    }

    /// Waits for the next changes and gives them together, in their order; those that come within `gather` of the first
    /// are among them. Of a row that changed several times the last change is given: it has the row as it is. Items of a job
    /// are given once each.
    ///
    /// # Errors
    /// As [`Events::next`].
    pub async fn next_many(&mut self, gather: Duration) -> AppResult<Vec<EventView>> {
        if self.read.is_empty() {
            self.read.extend(self.store.next_changes(self.after, PAGE).await?);
            if !gather.is_zero() {
                tokio::time::sleep(gather).await;
                while let Some(last) = self.read.back().map(|change| change.number) {
                    let more = self.store.changes(last, PAGE).await?;
                    let whole = more.len() == PAGE;
                    self.read.extend(more);
                    if !whole || self.read.len() > MOST_TOGETHER {
                        break;
                    }
                }
            }
        }
        let changes: Vec<Change> = self.read.iter().cloned().collect();
        let last = latest(changes);
        let mut views = Vec::with_capacity(last.len());
        for change in &last {
            views.push(EventView { number: change.number, change: self.view(change).await? });
        }
        self.after = self.read.back().map_or(self.after, |change| change.number);
        self.read.clear();
        Ok(views)
    }

    /// The number of the last change that was told of: to go on from after a restart.
    #[must_use]
    pub const fn after(&self) -> u64 {
        self.after
    }

    async fn view(&self, change: &Change) -> AppResult<ChangeView> {
        let (app, store) = (&self.app, &self.store);
        Ok(match &change.what {
            Changed::Job(id) => {
                let job = match store.job(id).await? {
                    Some(job) => Some(Box::new(app.job_view(&job).await?)),
                    None => None,
                };
                ChangeView::Job { id: id.clone(), job }
            }
            Changed::Items { job, seqs } => {
                let ended = store.outcomes_at(job, seqs).await?;
                let open = seqs.iter().filter(|seq| ended.iter().all(|one| one.seq != **seq));
                let mut items: Vec<ItemView> = open.map(|seq| ItemView::open(*seq)).collect();
                items.extend(ended.iter().map(ItemView::ended));
                ChangeView::Items { job: job.clone(), items }
            }
            Changed::Image(id) => {
                let image: Option<GeneratedImageView> = app.generated_image(id).await?;
                ChangeView::Image { id: id.clone(), image: image.map(Box::new) }
            }
            Changed::Draft(id) => {
                let draft = store.draft(id).await?;
                ChangeView::Draft { id: id.clone(), draft: draft.map(|row| Box::new(row.into())) }
            }
            Changed::Library(id) => {
                let image = store.image(id).await?;
                ChangeView::Library { id: id.clone(), image: image.as_ref().map(|image| Box::new(image.into())) }
            }
            Changed::Quota(pool) => ChangeView::Quota { pool: self.pool(&pool.as_str().into()).await? },
        })
    }

    async fn pool(&self, pool: &PoolId) -> AppResult<PoolView> {
        let limits = configured(&self.app)?.remove(pool).unwrap_or_default();
        self.app.pool_view(pool, &limits).await
    }
}

/// Of each row the last change, in their order. Items of a job stand together at the last.
fn latest(changes: Vec<Change>) -> Vec<Change> {
    let mut places: HashMap<(u8, String), usize> = HashMap::new();
    let mut kept: Vec<Option<Change>> = Vec::with_capacity(changes.len());
    for mut change in changes {
        let key = match &change.what {
            Changed::Job(id) => (0, id.clone()),
            Changed::Items { job, .. } => (1, job.clone()),
            Changed::Image(id) => (2, id.clone()),
            Changed::Draft(id) => (3, id.clone()),
            Changed::Quota(pool) => (4, pool.clone()),
            Changed::Library(id) => (5, id.clone()),
        };
        let earlier = places.insert(key, kept.len()).and_then(|place| kept.get_mut(place)?.take());
        if let (Some(Change { what: Changed::Items { seqs: before, .. }, .. }), Changed::Items { seqs, .. }) =
            (earlier, &mut change.what)
        {
            seqs.extend(before);
            seqs.sort_unstable();
            seqs.dedup();
        }
        kept.push(Some(change));
    }
    kept.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_row_the_last_change_is_given_and_items_stand_together() {
        let items =
            |number, seqs: &[u64]| Change { number, what: Changed::Items { job: "j".into(), seqs: seqs.to_vec() } };
        let job = |number| Change { number, what: Changed::Job("j".into()) };
        let changes = vec![job(1), items(2, &[0, 1]), job(3), items(4, &[1, 2])];
        assert_eq!(latest(changes), [job(3), items(4, &[0, 1, 2])]);
    }
}
