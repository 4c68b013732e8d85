//! The digest by which a login proves the App object's password (pbx.md 1.3).

use aws_lc_rs::digest::{Context, SHA256};
use subtle::ConstantTimeEq;

use m365_presence::secret::Secret;

/// What a login claims to be; every part is hashed as it was received, a missing one as the empty text.
pub(crate) struct Claim<'a> {
    pub(crate) app: &'a str,
    pub(crate) domain: &'a str,
    pub(crate) sip: &'a str,
    pub(crate) guid: &'a str,
    pub(crate) dn: &'a str,
    /// The member `info` exactly as it stood in the message; written anew it would hash differently.
    pub(crate) info: Option<&'a str>,
}

impl Claim<'_> {
    /// Tells, in a time that does not depend on the digest, whether it proves this claim.
    pub(crate) fn is_proven_by(&self, digest: &str, challenge: &str, password: &Secret) -> bool {
        let expected = self.digest(challenge, password);
        let received = digest.to_ascii_lowercase();
        expected.as_bytes().ct_eq(received.as_bytes()).into()
    }

    /// Returns the digest, in lower-case hexadecimal digits.
    pub(crate) fn digest(&self, challenge: &str, password: &Secret) -> String {
        let always = [self.app, self.domain, self.sip, self.guid, self.dn];
        let mut context = Context::new(&SHA256);
        for part in always.into_iter().chain(self.info).chain([challenge]) {
            context.update(part.as_bytes());
            context.update(b":");
        }
        context.update(password.expose().as_bytes());
        let hash = context.finish();
        hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
