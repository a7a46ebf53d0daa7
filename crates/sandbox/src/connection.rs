//! The last stretch of an answer: the body, which can stop half-way, and the connection, which knows
//! what was really written and can be reset.
//!
//! A body hands its [`Delivery`] to the connection, which forgets it once hyper has flushed, and revokes it if it
//! is dropped before: only an answer that was written whole counts.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::provider::AdmittedCall;
use crate::stats::Delivery;

/// The state that the bodies of a connection's answers share with the connection itself.
#[derive(Debug, Default)]
pub(crate) struct ConnectionState {
    /// Answers handed to the connection and perhaps not yet written.
    unwritten: Mutex<Vec<Delivery>>,
    reset: AtomicBool,
}

impl ConnectionState {
    /// Has the connection reset as it closes, instead of ended in order.
    pub(crate) fn reset(&self) {
        self.reset.store(true, Relaxed);
    }

    fn hand_over(&self, delivery: Delivery) {
        delivery.record();
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).push(delivery);
    }

    fn take_unwritten(&self) -> Vec<Delivery> {
        std::mem::take(&mut *self.unwritten.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) struct AnswerBody {
    bytes: Option<Bytes>,
    /// The bytes that are announced to the client.
    length: u64,
    /// The progress of a body that is to stop half-way.
    half: Half,
    delivery: Option<(Delivery, Arc<ConnectionState>)>,
    /// The call is over when its answer is written, which is when this is dropped.
    _call: Option<AdmittedCall>,
}

#[derive(Debug, PartialEq, Eq)]
enum Half {
    No,
    /// The half is yet to be written.
    Ahead,
    /// The half is with the connection, which gets one turn to write it.
    Written,
    Over,
}

impl AnswerBody {
    /// A body that sends all of `bytes`, and hands over `delivery` as it does.
    pub(crate) fn whole(
        bytes: Bytes,
        call: Option<AdmittedCall>,
        delivery: Option<(Delivery, Arc<ConnectionState>)>,
    ) -> Self {
        Self { length: bytes.len() as u64, bytes: Some(bytes), half: Half::No, delivery, _call: call }
    }

    /// A body that announces all of `bytes`, sends half, and has the connection closed.
    pub(crate) fn cut(bytes: &Bytes, call: Option<AdmittedCall>) -> Self {
        let half = bytes.slice(..bytes.len() / 2);
        let length = bytes.len() as u64;
        Self { length, bytes: Some(half), half: Half::Ahead, delivery: None, _call: call }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.half {
            Half::No => {
                if let Some((delivery, state)) = self.delivery.take() {
                    state.hand_over(delivery);
                }
                Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
            }
            Half::Ahead => {
                self.half = Half::Written;
                Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
            }
            Half::Written => {
                // An error at once would throw away what hyper has not flushed.
                self.half = Half::Over;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Half::Over => Poll::Ready(Some(Err(io::ErrorKind::BrokenPipe.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.half == Half::No && self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

/// A connection that settles what it has written.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TokioIo<TcpStream>,
    state: Arc<ConnectionState>,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, state: Arc<ConnectionState>) -> Self {
        Self { stream: TokioIo::new(stream), state }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for delivery in self.state.take_unwritten() {
            delivery.revoke();
        }
        if self.state.reset.load(Relaxed) {
            // To close a socket that lingers for no time at all is to reset it. Should it fail, the
            // client sees an orderly end before any answer, which is a fault as well.
            let _ = socket2::SockRef::from(self.stream.inner()).set_linger(Some(Duration::ZERO));
        }
    }
}

impl Read for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl Write for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    /// hyper flushes when all that it had buffered has been written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            drop(self.state.take_unwritten());
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::stats::Recorder;
    use http_body_util::BodyExt as _;
    use tokio::net::TcpListener;
    use tokio::time::Instant;

    struct HandedOver {
        recorder: Arc<Recorder>,
        state: Arc<ConnectionState>,
        connection: Connection,
    }

    /// A connection that was handed an answer with one item, and has not written it.
    async fn handed_over() -> HandedOver {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let recorder = Arc::new(Recorder::new(Instant::now()));
        let state = Arc::new(ConnectionState::default());
        let connection = Connection::new(stream, Arc::clone(&state));
        let delivery = Delivery { recorder: Arc::clone(&recorder), items: vec![7], input_tokens: 1, output_tokens: 1 };
        let body = AnswerBody::whole(Bytes::from_static(b"{}"), None, Some((delivery, Arc::clone(&state))));
        assert_eq!(recorder.stats(Instant::now()).items_answered, 0);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "{}");
        HandedOver { recorder, state, connection }
    }

    #[tokio::test]
    async fn an_answer_whose_connection_breaks_before_it_is_written_does_not_count() {
        let handed = handed_over().await;
        assert_eq!(handed.recorder.stats(Instant::now()).items_answered, 1);
        drop(handed.connection);
        assert_eq!(handed.recorder.stats(Instant::now()).items_answered, 0);
    }

    #[tokio::test]
    async fn an_answer_that_was_written_counts_whatever_becomes_of_the_connection() {
        let mut handed = handed_over().await;
        std::future::poll_fn(|context| Pin::new(&mut handed.connection).poll_flush(context)).await.unwrap();
        handed.state.reset();
        drop(handed.connection);
        assert_eq!(handed.recorder.stats(Instant::now()).items_answered, 1);
    }

    #[tokio::test]
    async fn a_cut_body_announces_the_whole_gives_half_and_fails() {
        let mut body = AnswerBody::cut(&Bytes::from_static(b"0123456789"), None);
        assert_eq!(body.size_hint().exact(), Some(10));
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "01234");
        assert!(body.frame().await.unwrap().is_err());
    }
}
