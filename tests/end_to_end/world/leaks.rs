//! Nothing secret may ever stand in the log, nor anywhere else.

use super::World;
use super::plan::{ACCOUNT_PASSWORD, APP_PASSWORD, CLIENT_SECRET, TOKEN, VIEWER_TOKEN};

impl World {
    /// Fails when a text holds anything secret of this world: of the configuration, of Microsoft, or of a PBX.
    pub fn assert_nothing_secret_in(&self, log: &str) {
        for secret in [CLIENT_SECRET, ACCOUNT_PASSWORD, APP_PASSWORD, TOKEN, VIEWER_TOKEN] {
            assert!(!log.contains(secret), "a secret of the configuration is told");
        }
        assert!(!log.contains("eyJ"), "something like a token is told");
        for subscription in self.cloud().subscriptions() {
            if let Some(state) = subscription.client_state {
                assert!(!log.contains(&state), "a client state is told");
            }
        }
        for pbx in &self.pbxs {
            for login in pbx.journal().select(|frame| frame.mt() == "AppLogin") {
                let digest = login.text("digest");
                assert!(digest.is_empty() || !log.contains(digest), "a digest is told");
            }
        }
    }
}
