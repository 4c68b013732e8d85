//! The two hosts as HTTP servers: takes requests apart, writes answers, and breaks connections where a fault says so.

use std::{net::TcpListener, pin::Pin, sync::Arc, time::Duration};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::Server,
    http::{StatusCode, header::DATE},
    web,
};
use awc::Client;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use url::form_urlencoded;
use uuid::Uuid;

use super::{
    answer::{Answer, Body, Call, Ending},
    clock::http_date,
    cloud::Cloud,
    graph, login,
};

/// The largest request body, in bytes.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// Which host a listener plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Login,
    Graph,
}

/// Serves one host on a listener.
pub(super) fn serve(
    cloud: &Arc<Cloud>,
    host: Host,
    listener: TcpListener,
    workers: usize,
) -> std::io::Result<Server> {
    let cloud = Arc::clone(cloud);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::PayloadConfig::new(LARGEST_BODY))
            .app_data(web::Data::from(Arc::clone(&cloud)))
            .app_data(web::Data::new(client()))
            .app_data(web::Data::new(host))
            .default_service(web::to(answer))
    });
    Ok(server
        .workers(workers)
        .disable_signals()
        .shutdown_timeout(1)
        .listen(listener)?
        .run())
}

/// Ends servers at once: their ports are free again when this returns.
pub(super) async fn end(servers: [Server; 2]) {
    for server in servers {
        let stopped = server.handle().stop(false);
        let (ended, ()) = tokio::join!(server, stopped);
        if let Err(error) = ended {
            log::warn!(error:% = error; "a simulated host did not end in order");
        }
    }
}

/// Returns a client for calls to notification URLs; it follows no redirects.
pub(super) fn client() -> Client {
    Client::builder()
        .disable_redirects()
        .timeout(Duration::from_secs(15))
        .finish()
}

async fn answer(
    request: HttpRequest,
    body: web::Bytes,
    cloud: web::Data<Cloud>,
    client: web::Data<Client>,
    host: web::Data<Host>,
) -> HttpResponse {
    let call = Call {
        method: request.method().clone(),
        path: request.path().to_owned(),
        query: form_urlencoded::parse(request.query_string().as_bytes())
            .into_owned()
            .collect(),
        headers: request.headers().clone(),
        body,
        request_id: Uuid::new_v4(),
    };
    let answer = match **host {
        Host::Login => login::answer(&cloud, &call).await,
        Host::Graph => graph::answer(&cloud, &client, &call).await,
    };
    let date = http_date(cloud.now() + answer.date_shift);
    response(answer, date, **host)
}

fn response(answer: Answer, date: String, host: Host) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut builder = HttpResponse::build(status);
    builder.insert_header((DATE, date));
    for (name, value) in answer.headers {
        builder.append_header((name, value));
    }
    if host == Host::Login {
        for cookie in [
            "fpc=simulated; path=/; secure; HttpOnly",
            "x-ms-gateway-slice=estsfd; path=/; secure; HttpOnly",
            "stsservicecookie=estsfd; path=/; secure; HttpOnly",
        ] {
            builder.append_header(("Set-Cookie", cookie));
        }
    }
    let json = match host {
        Host::Login => "application/json; charset=utf-8",
        Host::Graph => {
            "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
        }
    };
    let (kind, text) = match answer.body {
        Body::Empty => (None, String::new()),
        Body::Json(value) => (Some(json), value.to_string()),
        Body::Text(kind, text) => (Some(kind), text),
    };
    if let Some(kind) = kind {
        builder.content_type(kind);
    }
    match answer.ending {
        Ending::Whole => builder.body(text),
        Ending::Closed => builder.streaming(broken(Bytes::new())),
        Ending::Truncated => {
            let half = text.len() / 2;
            let whole = Bytes::from(text);
            let promised = u64::try_from(whole.len()).unwrap_or(u64::MAX).max(1);
            builder
                .no_chunking(promised)
                .streaming(broken(whole.slice(..half)))
        }
    }
}

/// A body that breaks off after some bytes, and before the head of the answer is sent when there are none.
fn broken(start: Bytes) -> Pin<Box<dyn Stream<Item = Result<Bytes, std::io::Error>>>> {
    let cut = || Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
    if start.is_empty() {
        return Box::pin(stream::once(async move { cut() }));
    }
    let end = stream::once(async move {
        // What was written so far must leave the machine before the connection breaks.
        tokio::time::sleep(Duration::from_millis(50)).await;
        cut()
    });
    Box::pin(stream::once(async move { Ok(start) }).chain(end))
}
