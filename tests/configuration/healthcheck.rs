//! The health check of the container.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::program::run;

/// Runs the health check against a listener that gives this answer; returns the exit code, what it said, and the request.
fn against(answer: &'static str) -> (i32, String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut part = [0; 1024];
        while !request.ends_with(b"\r\n\r\n") {
            let length = stream.read(&mut part).unwrap();
            assert_ne!(length, 0, "the request is not complete");
            request.extend_from_slice(&part[..length]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(request).unwrap()
    });
    let folder = tempfile::tempdir().unwrap();
    let listen = format!("0.0.0.0:{port}");
    let answer = run(
        folder.path(),
        &["healthcheck"],
        &[("CONNECTOR__MANAGEMENT__LISTEN", &listen)],
    );
    (answer.code, answer.stderr, server.join().unwrap())
}

#[test]
fn a_ready_instance_is_healthy() {
    let (code, said, request) =
        against("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    assert_eq!((code, said.as_str()), (0, ""));
    assert!(request.starts_with("GET /readyz HTTP/1.1\r\n"), "{request}");
}

#[test]
fn an_instance_that_is_not_ready_says_what_is_missing() {
    let body = r#"{"missing":["not_connected"]}"#;
    assert_eq!(body.len(), 29);
    let (code, said, _) = against(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 29\r\nConnection: close\r\n\r\n{\"missing\":[\"not_connected\"]}",
    );
    assert_eq!(code, 1);
    assert!(said.contains("503") && said.contains("not_connected"), "{said}");
}

#[test]
fn a_standby_says_that_it_stands_by_and_that_this_is_normal() {
    let (code, said, _) = against(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 23\r\nConnection: close\r\n\r\n{\"missing\":[\"standby\"]}",
    );
    assert_eq!(code, 1);
    assert!(
        said.contains("standing by (503)") && said.contains("That is normal"),
        "{said}"
    );
}

#[test]
fn an_instance_that_does_not_answer_is_unhealthy() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let folder = tempfile::tempdir().unwrap();
    let listen = format!("127.0.0.1:{port}");
    let answer = run(
        folder.path(),
        &["healthcheck"],
        &[("CONNECTOR__MANAGEMENT__LISTEN", &listen)],
    );
    assert_eq!(answer.code, 1);
    assert!(answer.stderr.contains("no answer from"), "{}", answer.stderr);
}
