//! The two listeners: their sockets, which last, and the servers on them, which change when a standby becomes active.

use std::net::{SocketAddr, TcpListener};

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer};
use anyhow::Context as _;

use crate::config::{Settings, Tls};
use crate::http::{access_log, tls};

/// Threads of the public listener.
const PUBLIC_WORKERS: usize = 2;

/// Threads of the management listener.
const MANAGEMENT_WORKERS: usize = 1;

/// Requests that are under way have this many seconds when a server ends.
const LAST_REQUESTS: u64 = 1;

/// Connections that one thread of the public listener holds open at most.
const PUBLIC_CONNECTIONS: usize = 4_096;

/// Where the two listeners are.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// What Microsoft and the PBXs reach.
    pub public: SocketAddr,
    /// What administrators reach.
    pub management: SocketAddr,
}

/// The sockets, bound. Whoever connects while no server runs on them waits for the next one.
pub struct Sockets {
    public: TcpListener,
    management: TcpListener,
    tls: Option<Tls>,
    addresses: Addresses,
}

/// Servers on the sockets, until they are stopped.
pub struct Servers([ServerHandle; 2]);

impl Sockets {
    /// Binds both.
    ///
    /// # Errors
    /// An address that cannot be listened on.
    pub fn bind(settings: &Settings) -> anyhow::Result<Self> {
        let public = bound("public.listen", settings.public.listen)?;
        let management = bound("management.listen", settings.management.listen)?;
        let addresses = Addresses {
            public: public.local_addr()?,
            management: management.local_addr()?,
        };
        log::info!(
            "listening for microsoft and the pbxs on {}, for administrators on {}",
            addresses.public,
            addresses.management
        );
        Ok(Self {
            public,
            management,
            tls: settings.public.tls.clone(),
            addresses,
        })
    }

    /// Where they are.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Serves on both, beside everything else.
    ///
    /// # Errors
    /// A certificate that cannot be used.
    pub fn serve<P, M>(&self, public: P, management: M) -> anyhow::Result<Servers>
    where
        P: Fn(&mut ServiceConfig) + Clone + Send + 'static,
        M: Fn(&mut ServiceConfig) + Clone + Send + 'static,
    {
        let public = self.public(public)?;
        let management = HttpServer::new(move || {
            App::new()
                .wrap(Compress::default())
                .wrap(from_fn(access_log::record))
                .configure(management.clone())
        })
        .on_connect(access_log::record_connection)
        .workers(MANAGEMENT_WORKERS)
        .shutdown_timeout(LAST_REQUESTS)
        .disable_signals()
        .listen(self.management.try_clone()?)?
        .run();
        let servers = Servers([public.handle(), management.handle()]);
        serve_beside(public);
        serve_beside(management);
        Ok(servers)
    }

    fn public<P>(&self, routes: P) -> anyhow::Result<Server>
    where
        P: Fn(&mut ServiceConfig) + Clone + Send + 'static,
    {
        let socket = self.public.try_clone()?;
        if let Some(files) = &self.tls {
            let capacity = tls::Capacity {
                workers: PUBLIC_WORKERS,
                connections: PUBLIC_CONNECTIONS,
            };
            return tls::serve(socket, files, capacity, routes);
        }
        let server = HttpServer::new(move || {
            App::new()
                .wrap(from_fn(access_log::record))
                .configure(routes.clone())
        });
        Ok(server
            .on_connect(access_log::record_connection)
            .workers(PUBLIC_WORKERS)
            .max_connections(PUBLIC_CONNECTIONS)
            .shutdown_timeout(LAST_REQUESTS)
            .disable_signals()
            .listen(socket)?
            .run())
    }
}

impl Servers {
    /// Ends them; requests that are under way get a second.
    pub async fn stop(&self) {
        for handle in &self.0 {
            handle.stop(true).await;
        }
    }
}

fn bound(key: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).with_context(|| {
        format!(
            "{key}: cannot listen on {address}; another program may use that port: choose another one, or end that program"
        )
    })
}

/// Lets a server run beside the tree: it stays up whatever happens there.
fn serve_beside(server: Server) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the server belongs to the process and is ended through its handle"
    )]
    actix_web::rt::spawn(server);
}
