//! PBXs that are dialled, at an address of their own and with a certificate that they have made themselves.

use std::cell::RefCell;

use m365_simulator::pbx::{Endpoint, Pbx, SelfSigned};
use toml::Table;

use super::ports;

/// A PBX's own endpoint.
pub struct Listening {
    pbx: Pbx,
    address: String,
    certificate: RefCell<SelfSigned>,
    endpoint: RefCell<Option<Endpoint>>,
}

/// Such a certificate seldom bears the name by which the PBX is reached.
fn certificate() -> SelfSigned {
    SelfSigned::new(&["pbx-0090334f0000"]).unwrap()
}

impl Listening {
    pub(super) fn new(pbx: &Pbx) -> Self {
        let listening = Self {
            pbx: pbx.clone(),
            address: ports::free(),
            certificate: certificate().into(),
            endpoint: RefCell::default(),
        };
        listening.open();
        listening
    }

    pub(super) fn name(&self) -> &str {
        self.pbx.name()
    }

    /// What the configuration of a connector that dials this PBX says.
    pub(super) fn section(&self) -> Table {
        Table::from_iter([
            ("host".to_owned(), self.address.as_str().into()),
            ("object".to_owned(), "m365".into()),
            ("certificate".to_owned(), self.fingerprint().into()),
        ])
    }

    /// The fingerprint of the present certificate.
    pub fn fingerprint(&self) -> String {
        self.certificate.borrow().fingerprint()
    }

    /// The present certificate.
    pub fn pem(&self) -> String {
        self.certificate.borrow().pem().to_owned()
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Nobody listens there any more; connections are closed.
    pub fn shut(&self) {
        self.endpoint.replace(None);
    }

    /// Listens again.
    pub fn open(&self) {
        let endpoint = self
            .pbx
            .listen_at(&self.address, Some(&self.certificate.borrow()));
        self.endpoint.replace(Some(endpoint.unwrap()));
    }

    /// Shows another certificate from the next connection on.
    pub fn renew_certificate(&self) {
        self.shut();
        self.certificate.replace(certificate());
        self.open();
    }
}
