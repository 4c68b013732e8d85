//! Nothing secret may ever stand in the log.

use super::World;
use super::plan::{ACCOUNT_PASSWORD, APP_PASSWORD, CLIENT_SECRET, TOKEN, VIEWER_TOKEN};

impl World {
    pub(super) fn assert_nothing_secret_in(&self, log: &str) {
        for secret in [CLIENT_SECRET, ACCOUNT_PASSWORD, APP_PASSWORD, TOKEN, VIEWER_TOKEN] {
            assert!(
                !log.contains(secret),
                "a secret of the configuration stands in the log"
            );
        }
        assert!(!log.contains("eyJ"), "something like a token stands in the log");
        for subscription in self.cloud().subscriptions() {
            if let Some(state) = subscription.client_state {
                assert!(!log.contains(&state), "a client state stands in the log");
            }
        }
        for pbx in &self.pbxs {
            for login in pbx.journal().select(|frame| frame.mt() == "AppLogin") {
                let digest = login.text("digest");
                assert!(
                    digest.is_empty() || !log.contains(digest),
                    "a digest stands in the log"
                );
            }
        }
    }
}
