//! A server that sends the bytes it is given and knows no format but the frame of HTTP/1.1.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;

/// A test that waits longer than this is stuck.
const STUCK: Duration = Duration::from_secs(60);

/// The server's reaction to a request, once it has read it.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Sends these bytes and keeps the connection.
    Answer(Vec<u8>),
    /// Sends these bytes and closes the connection.
    AnswerAndClose(Vec<u8>),
    /// Sends these bytes and resets the connection.
    AnswerAndReset(Vec<u8>),
    /// Sends nothing and keeps the connection.
    Hang,
}

/// An event on the server's side of a connection.
#[derive(Clone, Debug)]
pub(crate) enum ServerEvent {
    Connected,
    Request(Received),
    /// The client closed the connection on which the server hangs.
    Gone,
}

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    /// Such as `POST /path HTTP/1.1`.
    pub(crate) line: String,
    /// Names, in lower case, and values.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

pub(crate) struct Server {
    pub(crate) base: String,
    events: mpsc::Receiver<ServerEvent>,
}

impl Server {
    /// Serves one act a request, in order, and closes the connection once there are no more.
    pub(crate) async fn start(acts: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (seen, events) = mpsc::channel(1024);
        let acts: Acts = Arc::new(Mutex::new(acts.into_iter().collect()));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                seen.send(ServerEvent::Connected).await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&acts), seen.clone()));
            }
        });
        Self { base, events }
    }

    /// The next event, once it has happened.
    pub(crate) async fn event(&mut self) -> ServerEvent {
        within(self.events.recv()).await.unwrap()
    }

    /// The next request, once it has come.
    pub(crate) async fn request(&mut self) -> Received {
        loop {
            if let ServerEvent::Request(request) = self.event().await {
                return request;
            }
        }
    }

    /// The numbers of connections and requests that came, apart from those that were taken before.
    pub(crate) fn counts(&mut self) -> (usize, usize) {
        let (mut connections, mut requests) = (0, 0);
        while let Ok(event) = self.events.try_recv() {
            match event {
                ServerEvent::Connected => connections += 1,
                ServerEvent::Request(_) => requests += 1,
                ServerEvent::Gone => {}
            }
        }
        (connections, requests)
    }
}

/// An address where nobody listens, and nobody will for as long as the socket is held.
pub(crate) fn nobody() -> (String, TcpSocket) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    (format!("http://{}", socket.local_addr().unwrap()), socket)
}

/// The bytes of a whole answer.
pub(crate) fn http(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status} Status\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes()
}

/// As [`http`], with a content type of JSON.
pub(crate) fn json(status: u16, body: &str) -> Vec<u8> {
    http(status, &[("content-type", "application/json; charset=UTF-8")], body)
}

/// Fails a test that is stuck, instead of hanging.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(STUCK, future).await.expect("the test is stuck")
}

type Acts = Arc<Mutex<VecDeque<Act>>>;

async fn serve(mut stream: TcpStream, acts: Acts, seen: mpsc::Sender<ServerEvent>) {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await {
        seen.send(ServerEvent::Request(request)).await.unwrap();
        let act = acts.lock().unwrap().pop_front();
        match act {
            Some(Act::Answer(bytes)) => stream.write_all(&bytes).await.unwrap(),
            Some(Act::AnswerAndClose(bytes)) => {
                stream.write_all(&bytes).await.unwrap();
                return;
            }
            Some(Act::AnswerAndReset(bytes)) => {
                stream.write_all(&bytes).await.unwrap();
                stream.set_zero_linger().unwrap();
                return;
            }
            Some(Act::Hang) => {
                let _ = stream.read(&mut [0; 1]).await;
                seen.send(ServerEvent::Gone).await.unwrap();
                return;
            }
            None => return,
        }
    }
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Received> {
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer[..head_end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut request = Received { line, headers, body: Vec::new() };
    let length: usize = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    let end = head_end + 4 + length;
    while buffer.len() < end {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    request.body = buffer[head_end + 4..end].to_vec();
    buffer.drain(..end);
    Some(request)
}
