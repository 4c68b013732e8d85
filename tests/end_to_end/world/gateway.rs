//! What stands before several instances, as nginx with `proxy_next_upstream http_503` does: whoever answers 503, or
//! nothing at all, is passed over for the next one.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A stopped instance accepts and never answers.
const PATIENCE: Duration = Duration::from_secs(3);

/// Forwards what comes to one address, as long as the process lives.
#[derive(Clone)]
pub struct Gateway {
    instances: Arc<Mutex<Vec<String>>>,
}

impl Gateway {
    /// Listens.
    pub fn at(address: &str) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let gateway = Self {
            instances: Arc::default(),
        };
        let accepted = gateway.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let gateway = accepted.clone();
                std::thread::spawn(move || gateway.forward(client));
            }
        });
        gateway
    }

    /// Adds an instance.
    pub fn add(&self, address: &str) {
        self.instances.lock().unwrap().push(address.to_owned());
    }

    fn forward(&self, mut client: TcpStream) -> Option<()> {
        let request = request(&mut client)?;
        let instances = self.instances.lock().unwrap().clone();
        let mut refusal =
            b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec();
        for instance in instances {
            let Some((server, begun)) = ask(&instance, &request) else {
                continue;
            };
            if !begun.starts_with(b"HTTP/1.1 503") {
                client.write_all(&begun).ok()?;
                let (from, to) = (client.try_clone().ok()?, server.try_clone().ok()?);
                std::thread::spawn(move || splice(from, to));
                splice(server, client);
                return Some(());
            }
            refusal = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                .to_vec();
        }
        client.write_all(&refusal).ok()
    }
}

/// Sends a request, and reads how the answer begins.
fn ask(instance: &str, request: &[u8]) -> Option<(TcpStream, Vec<u8>)> {
    let mut server = TcpStream::connect(instance).ok()?;
    server.write_all(request).ok()?;
    server.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut begun = vec![0; 16 * 1024];
    let mut length = 0;
    while length < b"HTTP/1.1 200".len() {
        let read = server.read(&mut begun[length..]).ok().filter(|read| *read > 0)?;
        length += read;
    }
    server.set_read_timeout(None).ok()?;
    begun.truncate(length);
    Some((server, begun))
}

/// Reads one request with its body.
fn request(client: &mut TcpStream) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let read = client.read(&mut buffer).ok().filter(|read| *read > 0)?;
        text.extend_from_slice(&buffer[..read]);
        if let Some(end) = text.windows(4).position(|window| window == b"\r\n\r\n")
            && text.len() >= end + 4 + announced(&text[..end])
        {
            return Some(text);
        }
    }
}

fn announced(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    length.and_then(|length| length.trim().parse().ok()).unwrap_or(0)
}

fn splice(mut from: TcpStream, mut to: TcpStream) {
    std::io::copy(&mut from, &mut to).ok();
    from.shutdown(Shutdown::Both).ok();
    to.shutdown(Shutdown::Both).ok();
}
