//! A websocket by hand, for what no decent client would send.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A websocket to `/pbx` that says nothing by itself.
pub struct Socket(TcpStream);

/// Kinds of frames.
pub const CONTINUATION: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;

impl Socket {
    /// Opens a websocket; `None` when it is not accepted.
    pub fn open(host: &str) -> Option<Self> {
        Self::open_at(host, "/pbx")
    }

    /// Opens a websocket at another path.
    pub fn open_at(host: &str, path: &str) -> Option<Self> {
        let mut stream = TcpStream::connect(host).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(40))).ok()?;
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).ok()?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).ok()?;
            answer.push(byte[0]);
        }
        answer.starts_with(b"HTTP/1.1 101 ").then_some(Self(stream))
    }

    /// Sends one frame, masked with zeros; a closed connection is no matter.
    pub fn send(&mut self, kind: u8, last: bool, payload: &[u8]) {
        let mut frame = vec![if last { 0x80 | kind } else { kind }];
        match payload.len() {
            length @ 0..=125 => frame.push(0x80 | length as u8),
            length @ 126..=65_535 => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&(length as u16).to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(payload);
        self.0.write_all(&frame).ok();
    }

    /// Sends a text in one frame.
    pub fn text(&mut self, text: &str) {
        self.send(TEXT, true, text.as_bytes());
    }

    /// Sends bytes that are no frame.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).ok();
    }

    /// Reads until something that was said contains a text; false when the connection ends before.
    pub fn hears(&mut self, wanted: &str) -> bool {
        let mut heard = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match self.0.read(&mut buffer) {
                Ok(0) | Err(_) => return false,
                Ok(count) => heard.extend_from_slice(&buffer[..count]),
            }
            if String::from_utf8_lossy(&heard).contains(wanted) {
                return true;
            }
        }
    }

    /// Waits for the end of the connection; false when it stays open.
    pub fn is_closed(&mut self) -> bool {
        let mut buffer = [0; 4096];
        loop {
            match self.0.read(&mut buffer) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
            }
        }
    }
}
