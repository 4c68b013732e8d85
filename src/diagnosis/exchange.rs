//! One request to the public address, the way Microsoft sends it, with a close look at how it gets there.
//!
//! Each step of the way is told apart: name, connection, certificate, answer. A client library would hide which of them
//! has failed, and with which certificate.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use m365_graph::Certificate;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

/// Each step may take this long; Microsoft itself waits ten seconds for a validation (graph.md 3.3).
const PATIENCE: Duration = Duration::from_secs(10);

/// More of an answer is not read.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Headers of an answer that are read.
const MOST_HEADERS: usize = 64;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) location: String,
    pub(super) body: String,
}

/// Where the way has ended.
#[derive(Debug)]
pub(super) enum Lost {
    /// The name leads nowhere.
    Name(io::Error),
    /// Nobody answers there.
    Connection(io::Error),
    /// The certificate is not accepted, or TLS fails otherwise.
    Tls(io::Error),
    /// What came back is no answer.
    Answer(String),
}

/// How far the way leads.
#[derive(Debug)]
pub(super) struct Look {
    /// The addresses of the name.
    pub(super) addresses: Vec<String>,
    /// The certificate that was shown, on https.
    pub(super) certificate: Option<Certificate>,
    /// What came back at the end.
    pub(super) answer: Result<Answer, Lost>,
}

/// Posts an empty text, as Microsoft does to validate an address.
pub(super) async fn post(url: &Url) -> Look {
    let mut look = Look {
        addresses: Vec::new(),
        certificate: None,
        answer: Err(Lost::Answer("nothing was sent".to_owned())),
    };
    look.answer = travel(url, &mut look.addresses, &mut look.certificate).await;
    look
}

async fn travel(
    url: &Url,
    addresses: &mut Vec<String>,
    certificate: &mut Option<Certificate>,
) -> Result<Answer, Lost> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let found = within(tokio::net::lookup_host((bare.clone(), port)))
        .await
        .map_err(Lost::Name)?;
    let found: Vec<_> = found.collect();
    addresses.extend(found.iter().map(|address| address.ip().to_string()));
    let stream = within(TcpStream::connect(found.as_slice()))
        .await
        .map_err(Lost::Connection)?;
    if url.scheme() != "https" {
        return speak(stream, url).await;
    }
    let unusable = |error: String| Lost::Tls(io::Error::other(error));
    let config = m365_graph::client_config().map_err(|error| unusable(error.to_string()))?;
    let name = ServerName::try_from(bare).map_err(|error| unusable(error.to_string()))?;
    let connector = tokio_rustls::TlsConnector::from(Arc::clone(&config));
    let stream = within(connector.connect(name, stream)).await.map_err(Lost::Tls)?;
    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    *certificate = shown.and_then(|shown| Certificate::from_der(shown));
    speak(stream, url).await
}

async fn speak(mut stream: impl AsyncRead + AsyncWrite + Unpin, url: &Url) -> Result<Answer, Lost> {
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
        None => url.host_str().unwrap_or_default().to_owned(),
    };
    let request = format!(
        "POST {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: m365-connector-doctor\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let mut received = Vec::new();
    let conversation = async {
        stream.write_all(request.as_bytes()).await?;
        // some servers close without a farewell: what has come until then counts
        let read = (&mut stream)
            .take(LONGEST_ANSWER)
            .read_to_end(&mut received)
            .await;
        if received.is_empty() {
            read.map(drop)
        } else {
            Ok(())
        }
    };
    within(conversation)
        .await
        .map_err(|error| Lost::Answer(error.to_string()))?;
    parse(&received).ok_or_else(|| Lost::Answer("what came back is no HTTP".to_owned()))
}

/// Reads an answer; a chunked body is joined.
fn parse(received: &[u8]) -> Option<Answer> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(end) = head.parse(received).ok()? else {
        return None;
    };
    let header = |name: &str| {
        let found = head
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name));
        found
            .map(|header| String::from_utf8_lossy(header.value).into_owned())
            .unwrap_or_default()
    };
    let body = received.get(end..).unwrap_or_default();
    let body = if header("transfer-encoding").eq_ignore_ascii_case("chunked") {
        joined(body)
    } else {
        body.to_vec()
    };
    Some(Answer {
        status: head.code?,
        content_type: header("content-type"),
        location: header("location"),
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

fn joined(mut rest: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Ok(httparse::Status::Complete((begin, length))) = httparse::parse_chunk_size(rest) {
        let Some(chunk) = usize::try_from(length)
            .ok()
            .and_then(|length| rest.get(begin..begin.checked_add(length)?))
        else {
            break;
        };
        if chunk.is_empty() {
            break;
        }
        whole.extend_from_slice(chunk);
        rest = rest.get(begin + chunk.len()..).unwrap_or_default();
        rest = rest.strip_prefix(b"\r\n").unwrap_or(rest);
    }
    whole
}

async fn within<T>(step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match tokio::time::timeout(PATIENCE, step).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("nothing within {PATIENCE:?}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_in_one_piece_or_in_chunks() {
        let expected = Answer {
            status: 200,
            content_type: "text/plain".to_owned(),
            location: String::new(),
            body: "a b:c".to_owned(),
        };
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\na b:c",
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na b\r\n2\r\n:c\r\n0\r\n\r\n",
        ] {
            assert_eq!(parse(text.as_bytes()), Some(expected.clone()));
        }
        assert_eq!(parse(b"SSH-2.0-OpenSSH\r\n"), None);
    }
}
