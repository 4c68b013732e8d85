//! The innovaphone AppWebsocket protocol, without any socket.
