//! A stream of changes to one browser or program: server-sent events, numbered by the store's changes.

use std::convert::Infallible;
use std::time::Duration;

use atelier_app::accounts::{Role, Scope};
use atelier_app::{AppError, AppResult, code};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use tokio::sync::{broadcast, mpsc};

use super::hub::{Told, may_hear, told};
use crate::http::Answer;
use crate::sign_in::Caller;
use crate::state::Server;

/// A line that says nothing keeps proxies from giving the connection up.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How often it is asked whether whoever listens still may.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Whoever does not read for so long is cut off, and comes again with the last number they have.
const PATIENCE: Duration = Duration::from_secs(20);
/// Events that wait for the connection.
const WAITING: usize = 64;

/// Streams what the caller may see from a change on, or from now on.
pub(crate) fn stream(server: &Server, caller: Caller, after: Option<u64>) -> Answer<Response> {
    let Some(seat) = server.hub.seat(&caller.principal.user.id) else {
        let message = "you listen in too many places at once";
        return Err(AppError::new(code!("too-many-streams"), message).hint("close a window, or end a program").into());
    };
    let (sender, receiver) = mpsc::channel(WAITING);
    let live = server.hub.listen();
    let server = server.clone();
    tokio::spawn(async move {
        let _seat = seat;
        let mut listener = Listener { server, caller, sender, last: after };
        if let Err(error) = listener.run(live).await {
            tracing::debug!(code = error.code(), "a stream of events ended: {}", error.message());
        }
    });
    let events = Sse::new(received(receiver)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    // A proxy that gathers what it passes on would hold events back.
    Ok(([("x-accel-buffering", "no"), ("cache-control", "no-store, no-transform")], events).into_response())
}

fn received(receiver: mpsc::Receiver<Event>) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(receiver, |mut receiver| async move { receiver.recv().await.map(|event| (Ok(event), receiver)) })
}

struct Listener {
    server: Server,
    caller: Caller,
    sender: mpsc::Sender<Event>,
    /// The number of the last change that was considered.
    last: Option<u64>,
}

/// Why a stream goes on no more.
enum End {
    /// Whoever listens has gone, reads too slowly, or may not any more.
    Over,
}

impl Listener {
    async fn run(&mut self, mut live: broadcast::Receiver<Told>) -> AppResult<()> {
        let mut last = match self.last {
            Some(after) => after,
            None => self.server.app.store()?.last_change().await?,
        };
        // Where it stands, so that whoever has read everything before knows from where to go on.
        let begin = Event::default().event("begin").id(last.to_string()).data(format!("{{\"number\":{last}}}"));
        if self.give(begin).await.is_err() || self.catch_up(&mut last).await?.is_err() {
            return Ok(());
        }
        let mut asked = tokio::time::interval(ASK_AGAIN);
        let stop = self.server.stop.clone();
        loop {
            tokio::select! {
                heard = live.recv() => match heard {
                    Ok(told) if told.number <= last => {}
                    Ok(told) => {
                        last = told.number;
                        if self.tell(told).await?.is_err() {
                            return Ok(());
                        }
                    }
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        if self.catch_up(&mut last).await?.is_err() {
                            return Ok(());
                        }
                    }
                    Err(broadcast::error::RecvError::Closed) => return Ok(()),
                },
                _ = asked.tick() => {
                    if !self.still_may().await? {
                        return Ok(());
                    }
                }
                () = stop.clone().wait() => return Ok(()),
                () = self.sender.closed() => return Ok(()),
            }
        }
    }

    /// Reads from the store what came before the hub was listened to.
    async fn catch_up(&self, last: &mut u64) -> AppResult<Result<(), End>> {
        let until = self.server.app.store()?.last_change().await?;
        let mut events = self.server.app.events(Some(*last)).await?;
        while *last < until {
            match events.next_many(Duration::ZERO).await {
                Ok(changes) => {
                    for event in changes {
                        *last = event.number;
                        if let Some(told) = told(&event)
                            && self.tell(told).await?.is_err()
                        {
                            return Ok(Err(End::Over));
                        }
                    }
                }
                Err(error) if error.code() == "changes-forgotten" => {
                    // Too long ago: everything is to be read anew, and followed from here.
                    *last = until;
                    let reset = Event::default().event("reset").id(until.to_string());
                    return Ok(self.give(reset.data(format!("{{\"number\":{until}}}"))).await);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Ok(()))
    }

    async fn tell(&self, told: Told) -> AppResult<Result<(), End>> {
        let is_admin = self.caller.principal.user.role == Role::Admin && self.caller.principal.may(Scope::Admin);
        if !may_hear(&self.caller.app, is_admin, &told.to).await? {
            return Ok(Ok(()));
        }
        let event = Event::default().event(told.topic).id(told.number.to_string()).data(&*told.json);
        Ok(self.give(event).await)
    }

    async fn give(&self, event: Event) -> Result<(), End> {
        match tokio::time::timeout(PATIENCE, self.sender.send(event)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Over),
        }
    }

    /// Whether whoever listens has not signed out, lost the token, or been shown the door since.
    async fn still_may(&self) -> AppResult<bool> {
        let found = self.server.app.principal(&self.caller.secret).await?;
        let role = self.caller.principal.user.role;
        Ok(found.is_some_and(|principal| principal.may(Scope::Read) && principal.user.role == role))
    }
}
