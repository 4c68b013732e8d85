//! What becomes of connections on a line that is cut, frozen and mended.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use m365_simulator::line::{Line, State};

/// Long enough for what passes to have passed.
const A_MOMENT: Duration = Duration::from_millis(300);

/// A line to a server that sends everything back.
fn echo() -> Line {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let line = Line::to(server.local_addr().unwrap()).unwrap();
    std::thread::spawn(move || {
        for connection in server.incoming() {
            let mut connection = connection.unwrap();
            std::thread::spawn(move || {
                let mut copy = connection.try_clone().unwrap();
                std::io::copy(&mut copy, &mut connection).ok()
            });
        }
    });
    line
}

fn dial(line: &Line) -> TcpStream {
    let stream = TcpStream::connect(line.address()).unwrap();
    stream.set_read_timeout(Some(A_MOMENT)).unwrap();
    stream
}

/// What comes back for some bytes within a moment; `None` when the connection is gone.
fn said(stream: &mut TcpStream, bytes: &[u8]) -> Option<Vec<u8>> {
    stream.write_all(bytes).ok()?;
    let mut buffer = [0; 64];
    match stream.read(&mut buffer) {
        Ok(0) => None,
        Ok(read) => Some(buffer[..read].to_vec()),
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Some(Vec::new()),
        Err(_gone) => None,
    }
}

#[test]
fn an_open_line_passes_everything_on() {
    let line = echo();
    assert_eq!(said(&mut dial(&line), b"hello"), Some(b"hello".to_vec()));
    assert_eq!(line.connections(), 1);
}

#[test]
fn a_closed_line_cuts_what_there_is_and_what_comes() {
    let line = echo();
    let mut before = dial(&line);
    said(&mut before, b"hello");
    line.set(State::Closed);
    std::thread::sleep(A_MOMENT);
    assert_eq!(said(&mut before, b"hello"), None);
    assert_eq!(said(&mut dial(&line), b"hello"), None);
    line.set(State::Open);
    assert_eq!(said(&mut dial(&line), b"hello"), Some(b"hello".to_vec()));
}

#[test]
fn a_frozen_line_keeps_everything_and_passes_it_on_later() {
    let line = echo();
    let mut before = dial(&line);
    said(&mut before, b"hello");
    line.set(State::Frozen);
    assert_eq!(said(&mut before, b"one"), Some(Vec::new()));
    let mut meanwhile = dial(&line);
    assert_eq!(said(&mut meanwhile, b"two"), Some(Vec::new()));
    line.set(State::Open);
    assert_eq!(said(&mut before, b""), Some(b"one".to_vec()));
    assert_eq!(said(&mut meanwhile, b""), Some(b"two".to_vec()));
}

#[test]
fn a_swallowing_line_never_answers_on_these_connections_again() {
    let line = echo();
    let mut before = dial(&line);
    said(&mut before, b"hello");
    line.set(State::Swallowing);
    let mut meanwhile = dial(&line);
    assert_eq!(said(&mut before, b"one"), Some(Vec::new()));
    assert_eq!(said(&mut meanwhile, b"two"), Some(Vec::new()));
    line.set(State::Open);
    assert_eq!(said(&mut before, b"three"), Some(Vec::new()));
    assert_eq!(said(&mut meanwhile, b"four"), Some(Vec::new()));
    assert_eq!(said(&mut dial(&line), b"hello"), Some(b"hello".to_vec()));
}

#[test]
fn a_breaking_line_cuts_in_the_middle_of_an_answer() {
    let line = echo();
    line.set(State::Breaking(3));
    let mut stream = dial(&line);
    assert_eq!(said(&mut stream, b"hello"), Some(b"hel".to_vec()));
    assert_eq!(said(&mut stream, b""), None);
}
