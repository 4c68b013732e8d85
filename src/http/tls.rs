//! HTTPS when the connector itself terminates TLS.
//!
//! awc brings HTTP/2 into the binary, and a TLS listener made by actix-web would then offer it, on a version of h2 with
//! a known flaw. So the listener is built below actix-web, where ALPN is ours: HTTP/1.1 and nothing else.

use std::net::TcpListener;
use std::sync::Arc;

use actix_http::HttpService;
use actix_service::{IntoServiceFactory, map_config};
use actix_web::App;
use actix_web::dev::{AppConfig, Server};
use actix_web::middleware::from_fn;
use actix_web::web::ServiceConfig;
use anyhow::{Context as _, bail};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::access_log;
use crate::config::Tls;

/// How many may be served at a time.
#[derive(Clone, Copy, Debug)]
pub struct Capacity {
    /// Threads.
    pub workers: usize,
    /// Connections that one thread holds open at most.
    pub connections: usize,
}

/// Serves on a socket with the given certificate; `routes` registers what is served.
///
/// # Errors
/// Files that are no certificate and key.
pub fn serve(
    socket: TcpListener,
    files: &Tls,
    capacity: Capacity,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> anyhow::Result<Server> {
    let config = server_config(files)?;
    socket.set_nonblocking(true)?;
    let server = actix_server::Server::build()
        .workers(capacity.workers)
        .max_concurrent_connections(capacity.connections)
        .shutdown_timeout(1)
        .disable_signals()
        .listen("public", socket, move || {
            let routes = routes.clone();
            let app = App::new()
                .wrap(from_fn(access_log::record))
                .configure(move |config| routes(config));
            HttpService::build()
                .h1(map_config(app.into_factory(), |()| AppConfig::default()))
                .rustls_0_23(config.clone())
        })?;
    Ok(server.run())
}

fn server_config(files: &Tls) -> anyhow::Result<ServerConfig> {
    let certificate = files.certificate.display();
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.certificate)
        .with_context(|| format!("public.tls_certificate: {certificate} cannot be read"))?
        .collect::<Result<_, _>>()
        .with_context(|| format!("public.tls_certificate: {certificate} is no PEM file"))?;
    if chain.is_empty() {
        bail!("public.tls_certificate: {certificate} holds no certificate (-----BEGIN CERTIFICATE-----)");
    }
    let key = PrivateKeyDer::from_pem_file(&files.private_key).with_context(|| {
        format!(
            "public.tls_private_key: {} holds no unencrypted private key in PEM",
            files.private_key.display()
        )
    })?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("public.tls_certificate and public.tls_private_key do not belong together")?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
