//! The PBX's own websocket, `/PBX0/APPS/websocket`, at which an App or a script logs in as the App object (reference 1.5).
//!
//! Beside it the PBX's client is served, in which people open Apps.
//!
//! No PbxInfo comes here, and a login on behalf of a user has fewer APIs. Everything else is the same dialogue.

use std::{
    io::{Error, ErrorKind, Result},
    net::SocketAddr,
    sync::mpsc::channel,
    thread::{Builder, JoinHandle},
};

use actix_http::ws::{Frame as WireFrame, Message as WireMessage, ProtocolError};
use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    web::{Data, Payload, get},
};
use actix_ws::{MessageStream, Session};
use futures_util::{StreamExt, sink::unfold};

use super::{
    client,
    conversation::{Conversation, Ended, LARGEST_MESSAGE, say_farewell},
    dialogue::Origin,
    handle::Pbx,
    self_signed::SelfSigned,
    site::Site,
};

const PATH: &str = "/PBX0/APPS/websocket";

/// A listening PBX; it stops listening when this is dropped.
pub struct Endpoint {
    scheme: &'static str,
    address: SocketAddr,
    server: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Pbx {
    /// Lets the PBX accept connections on loopback, at a port of the system's choice, without TLS.
    ///
    /// # Errors
    /// The system refused a socket or a thread.
    pub fn listen(&self) -> Result<Endpoint> {
        self.listen_at("127.0.0.1:0", None)
    }

    /// Lets the PBX accept connections at an address, with a certificate that it has made itself.
    ///
    /// # Errors
    /// The system refused the socket or a thread, or the certificate cannot be used.
    pub fn listen_at(&self, address: &str, certificate: Option<&SelfSigned>) -> Result<Endpoint> {
        let site = self.site().clone();
        let (tell, told) = channel();
        let scheme = if certificate.is_some() { "wss" } else { "ws" };
        let tls = certificate.map(SelfSigned::server_config).transpose()?;
        let address = address.to_owned();
        let serve = move || {
            actix_rt::System::new().block_on(async move {
                let site = Data::new(site);
                let server = HttpServer::new(move || {
                    App::new()
                        .app_data(site.clone())
                        .route(PATH, get().to(accept))
                        .configure(client::routes)
                })
                .workers(1)
                .disable_signals();
                let server = match tls {
                    Some(tls) => server.bind_rustls_0_23(address, tls),
                    None => server.bind(address),
                };
                let server = match server {
                    Ok(server) => server,
                    Err(error) => {
                        tell.send(Err(error)).ok();
                        return;
                    }
                };
                let address = server
                    .addrs()
                    .first()
                    .copied()
                    .ok_or_else(|| Error::from(ErrorKind::AddrNotAvailable));
                let server = server.run();
                tell.send(address.map(|address| (address, server.handle()))).ok();
                if let Err(error) = server.await {
                    log::warn!(error:% = error; "pbx endpoint ended");
                }
            });
        };
        let thread = Builder::new().name(format!("pbx-{}", self.name())).spawn(serve)?;
        let (address, server) = told.recv().map_err(|_| Error::from(ErrorKind::BrokenPipe))??;
        Ok(Endpoint {
            scheme,
            address,
            server,
            thread: Some(thread),
        })
    }
}

impl Endpoint {
    /// Returns the address of the websocket.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}{PATH}", self.scheme, self.address)
    }

    /// Returns the address of the PBX's client.
    #[must_use]
    pub fn client_url(&self) -> String {
        let scheme = if self.scheme == "wss" { "https" } else { "http" };
        format!("{scheme}://{}/PBX0/APPCLIENT/appclient.htm", self.address)
    }

    /// Returns the address and port on which it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        // The order is given by the call; its future only waits for the end, and so does the thread.
        drop(self.server.stop(false));
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a websocket outlives the function that answers its handshake"
)]
async fn accept(request: HttpRequest, body: Payload, site: Data<Site>) -> actix_web::Result<HttpResponse> {
    let (response, session, messages) = actix_ws::handle(&request, body)?;
    let site = site.as_ref().clone();
    actix_web::rt::spawn(converse(site, session, messages.max_frame_size(LARGEST_MESSAGE)));
    Ok(response)
}

async fn converse(site: Site, session: Session, messages: MessageStream) {
    let connected = site
        .estate
        .with(|domain| domain.connected(site.exchange, Origin::Accepted));
    let Some((connection, outgoing)) = connected else {
        return;
    };
    let mut sink = Box::pin(unfold(session, |mut session, message: WireMessage| async move {
        let sent = match message {
            WireMessage::Text(text) => session.text(text).await,
            WireMessage::Continuation(part) => session.continuation(part).await,
            WireMessage::Pong(payload) => session.pong(&payload).await,
            WireMessage::Close(reason) => session.clone().close(reason).await,
            WireMessage::Binary(_) | WireMessage::Ping(_) | WireMessage::Nop => Ok(()),
        };
        sent.map(|()| session)
            .map_err(|_| ProtocolError::Io(ErrorKind::BrokenPipe.into()))
    }));
    let mut stream = messages.map(|message| message.map(frame));
    let conversation = Conversation::new(site.clone(), connection);
    let ended = conversation.run(outgoing, &mut sink, &mut stream).await;
    site.estate
        .with(|domain| domain.disconnected(site.exchange, connection));
    if let Ended::Closing = ended {
        say_farewell(&mut sink, &mut stream).await;
    }
}

fn frame(message: WireMessage) -> WireFrame {
    match message {
        WireMessage::Text(text) => WireFrame::Text(text.into_bytes()),
        WireMessage::Binary(bytes) => WireFrame::Binary(bytes),
        WireMessage::Continuation(part) => WireFrame::Continuation(part),
        WireMessage::Ping(payload) => WireFrame::Ping(payload),
        WireMessage::Pong(payload) => WireFrame::Pong(payload),
        WireMessage::Close(reason) => WireFrame::Close(reason),
        WireMessage::Nop => WireFrame::Pong(Default::default()),
    }
}
