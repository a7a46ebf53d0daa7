//! `atelier sandbox` as a process of its own: a provider that outlives the program.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::world::until;

/// A sandbox that serves until it is dropped.
pub(crate) struct Provider {
    child: Child,
    url: String,
    _dir: TempDir,
}

impl Provider {
    /// Starts one with these flags, which are split at spaces.
    pub(crate) fn start(flags: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let port_file = dir.path().join("url");
        let mut command = Command::new(env!("CARGO_BIN_EXE_atelier"));
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.args(["sandbox", "--addr", "127.0.0.1:0", "--port-file"]).arg(&port_file);
        command.args(flags.split_whitespace());
        let child = command.spawn().unwrap();
        let mut provider = Self { child, url: String::new(), _dir: dir };
        provider.url = until("the sandbox's port", || {
            assert!(provider.child.try_wait().unwrap().is_none(), "the sandbox did not start: {flags}");
            std::fs::read_to_string(&port_file).ok()
        });
        provider
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// `GET /stats`.
    pub(crate) fn stats(&self) -> Value {
        let address = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET /stats HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        serde_json::from_str(body).unwrap()
    }

    /// One of the counts in [`Provider::stats`].
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.stats()[name].as_u64().unwrap_or_else(|| panic!("no count of {name}"))
    }

    /// Waits until a count has reached this.
    pub(crate) fn until(&self, name: &str, at_least: u64) {
        until(&format!("{at_least} {name}"), || (self.count(name) >= at_least).then_some(()));
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
