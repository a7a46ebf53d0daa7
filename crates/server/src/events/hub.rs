//! One reader of the changes for all who listen: a change is read and written as JSON once, however many they are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use atelier_app::views::{ChangeView, EventView};
use atelier_app::{App, AppResult};
use tokio::sync::broadcast;

/// Changes are gathered for so long before they are passed on: of a row that changes ten times in it, the last is enough.
const GATHER: Duration = Duration::from_millis(40);
/// So many changes may wait for somebody who reads slowly; then they read from the store again.
const BEHIND: usize = 1024;
/// Streams of one user.
const STREAMS: usize = 12;

/// A change, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// Its number.
    pub(crate) number: u64,
    /// Who may hear of it.
    pub(crate) to: Audience,
    /// The row, as JSON.
    pub(crate) json: Arc<str>,
    /// What it is about.
    pub(crate) topic: &'static str,
}

/// Who may hear of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Everybody who may look at the library.
    Everybody,
    /// Whoever owns it, and administrators.
    OwnerAndAdmins(String),
    /// Whoever owns it.
    Owner(String),
    /// Whoever sees the project.
    Project(String),
    /// Whoever owns the job.
    Job(String),
}

pub(crate) struct Hub {
    app: App,
    sender: broadcast::Sender<Told>,
    /// Whether somebody reads.
    reading: Arc<Mutex<bool>>,
    /// Streams by user.
    streams: Arc<Mutex<HashMap<String, usize>>>,
}

/// A stream that counts among its user's for as long as it lasts.
pub(crate) struct Seat {
    user: String,
    streams: Arc<Mutex<HashMap<String, usize>>>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = streams.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                streams.remove(&self.user);
            }
        }
    }
}

impl Hub {
    pub(crate) fn new(app: App) -> Self {
        Self { app, sender: broadcast::Sender::new(BEHIND), reading: Arc::default(), streams: Arc::default() }
    }

    /// A place for another stream of this user, if they have not too many.
    pub(crate) fn seat(&self, user: &str) -> Option<Seat> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let count = streams.entry(user.to_owned()).or_default();
        if *count >= STREAMS {
            return None;
        }
        *count += 1;
        Some(Seat { user: user.to_owned(), streams: Arc::clone(&self.streams) })
    }

    /// How many listen.
    pub(crate) fn listeners(&self) -> usize {
        self.sender.receiver_count()
    }

    /// What changes from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Told> {
        let receiver = self.sender.subscribe();
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut *reading, true) {
            tokio::spawn(read(self.app.clone(), self.sender.clone(), Arc::clone(&self.reading)));
        }
        receiver
    }
}

/// Reads changes and passes them on, for as long as somebody listens.
async fn read(app: App, sender: broadcast::Sender<Told>, reading: Arc<Mutex<bool>>) {
    let mut events = match app.events(None).await {
        Ok(events) => events,
        Err(error) => {
            tracing::warn!(code = error.code(), "changes can't be followed: {}", error.message());
            *reading.lock().unwrap_or_else(PoisonError::into_inner) = false;
            return;
        }
    };
    loop {
        {
            let mut reading = reading.lock().unwrap_or_else(PoisonError::into_inner);
            if sender.receiver_count() == 0 {
                *reading = false;
                return;
            }
        }
        match tokio::time::timeout(Duration::from_secs(1), events.next_many(GATHER)).await {
            Ok(Ok(changes)) => {
                for told in changes.into_iter().filter_map(|change| told(&change)) {
                    // Nobody listening is no error: they have just gone.
                    let _ = sender.send(told);
                }
            }
            Ok(Err(error)) => {
                tracing::warn!(code = error.code(), "changes can't be read: {}", error.message());
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(_) => {}
        }
    }
}

/// A change as it is sent; nothing if there is nothing to say.
pub(crate) fn told(event: &EventView) -> Option<Told> {
    let (topic, to) = match &event.change {
        ChangeView::Job { job, .. } => ("job", Audience::OwnerAndAdmins(job.as_ref()?.owner.clone())),
        ChangeView::Items { job, .. } => ("items", Audience::Job(job.clone())),
        ChangeView::Image { image, .. } => {
            // One that is gone is nobody's: it says an id and no more.
            let to = image.as_ref().map_or(Audience::Everybody, |image| Audience::Owner(image.owner.clone()));
            ("image", to)
        }
        ChangeView::Draft { draft, .. } => {
            let to = draft.as_ref().map_or(Audience::Everybody, |draft| Audience::Project(draft.project.clone()));
            ("draft", to)
        }
        ChangeView::Quota { .. } => ("quota", Audience::Everybody),
        ChangeView::Library { .. } => ("library", Audience::Everybody),
    };
    let json = serde_json::to_string(event).ok()?;
    Some(Told { number: event.number, to, json: json.into(), topic })
}

/// Whether somebody may hear of a change. `app` is in their hands.
pub(crate) async fn may_hear(app: &App, is_admin: bool, to: &Audience) -> AppResult<bool> {
    let store = app.store()?;
    Ok(match to {
        Audience::Everybody => true,
        Audience::OwnerAndAdmins(owner) => is_admin || owner == app.owner(),
        Audience::Owner(owner) => owner == app.owner(),
        Audience::Project(project) => store.project(project).await?.is_some(),
        Audience::Job(job) => store.job(job).await?.is_some(),
    })
}
