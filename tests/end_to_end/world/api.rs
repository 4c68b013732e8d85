//! The management API, asked with one blocking connection per request.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use super::World;
use super::plan::{TOKEN, VIEWER_TOKEN};

const TIMEOUT: Duration = Duration::from_secs(10);

/// What a listener answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl World {
    /// Asks the management listener as administrator.
    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path)
            .unwrap_or_else(|| panic!("no answer to GET {path}"))
    }

    /// Orders something from the management listener as administrator.
    pub fn post(&self, path: &str) -> Answer {
        self.ask("POST", path)
            .unwrap_or_else(|| panic!("no answer to POST {path}"))
    }

    /// Sets something at the management listener as administrator.
    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, body, &[])
    }

    /// Changes something at the management listener as administrator.
    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, body, &[])
    }

    /// Changes something that was read with this tag.
    pub fn patch_if(&self, path: &str, body: &Value, etag: &str) -> Answer {
        self.send("PATCH", path, body, &[("If-Match", etag)])
    }

    /// Sends a body to the management listener as administrator, with further headers.
    pub fn send(&self, method: &str, path: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let bearer = bearer(TOKEN);
        let mut all = vec![
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/json"),
        ];
        all.extend(headers);
        ask(self.management(), method, path, &all, body.to_string().as_bytes())
            .unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    /// The three lights and the counts.
    pub fn status(&self) -> Value {
        self.get("/api/v1/status").json()
    }

    /// One user by the name at the PBX; null when there is none.
    pub fn user(&self, h323: &str) -> Value {
        let answer = self.get(&format!("/api/v1/users/{h323}"));
        if answer.status == 200 {
            answer.json()
        } else {
            Value::Null
        }
    }

    /// What every actor says of itself.
    pub fn overview(&self) -> Value {
        self.get("/api/v1/overview").json()
    }

    /// The supervision tree, as the actors by name; see `INTERFACE` for the shape of an actor.
    pub fn actors(&self) -> Vec<Value> {
        self.get("/api/v1/actors").json()["items"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    /// Asks the management listener; `None` when it does not answer.
    pub fn ask(&self, method: &str, path: &str) -> Option<Answer> {
        ask(
            self.management(),
            method,
            path,
            &[("Authorization", &bearer(TOKEN))],
            b"",
        )
    }

    /// Asks the management listener as viewer.
    pub fn ask_as_viewer(&self, method: &str, path: &str) -> Option<Answer> {
        ask(
            self.management(),
            method,
            path,
            &[("Authorization", &bearer(VIEWER_TOKEN))],
            b"",
        )
    }

    /// Asks the management listener with other headers than an administrator's.
    pub fn ask_with(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        ask(self.management(), method, path, headers, b"")
            .unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    /// Asks the public listener, with headers and a body.
    pub fn ask_public(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Option<Answer> {
        ask(self.public(), method, path, headers, body)
    }
}

pub(super) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Sends one request; `None` when the connection fails or what comes back is no HTTP.
pub fn ask(host: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(host).ok()?;
    stream.set_read_timeout(Some(TIMEOUT)).ok()?;
    stream.set_write_timeout(Some(TIMEOUT)).ok()?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).ok()?;
    // a server that refuses a body early closes its side, and its answer is still to be read
    stream.write_all(body).ok();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).ok();
    parse(&received)
}

fn parse(received: &[u8]) -> Option<Answer> {
    let end = received.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&received[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let chunked = headers
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = &received[end + 4..];
    let body = if chunked { joined(body)? } else { body.to_vec() };
    Some(Answer {
        status,
        headers,
        body,
    })
}

/// Joins the chunks of a body.
fn joined(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).ok()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(line + 2..line + 2 + size)?);
        rest = rest.get(line + 4 + size..)?;
    }
}
