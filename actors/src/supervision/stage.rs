//! A stage for tests: a supervised tree on a paused clock that fails the test on any end that was not expected.
//!
//! A failed assertion inside an actor is a panic in its context and would leave the test green. Here it is an end like
//! any other, and an end that nobody expected fails the test. Time passes with [`tokio::time::sleep`] only: the paused
//! clock jumps to the next timer whenever all actors are at rest, so the actors see every step. Never call
//! `tokio::time::advance`, which jumps over timers.
//!
//! Behind the feature `test-support`.

use std::cell::RefCell;
use std::collections::VecDeque;

use super::exit::ExitKind;
use super::snapshot::{LastEnd, NodeSnapshot};
use super::spec::{Settings, SupervisorSpec};
use super::tree::{TreeHandle, start};

/// The stage of one test.
pub struct Stage {
    tree: TreeHandle,
    expected: RefCell<VecDeque<(String, ExitKind)>>,
}

/// Plays a scene on a tree: starts it on a paused clock inside an actix system, runs the scene, compares all ends with
/// the expected ones, and shuts the tree down.
///
/// # Panics
///
/// When the tree cannot be started, an expected end is missing, or an end was not expected. The ends of the final
/// shutdown are expected.
pub fn play<T>(
    root: impl FnOnce() -> (SupervisorSpec, T),
    settings: Settings,
    scene: impl AsyncFnOnce(&Stage, T),
) {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        #[allow(clippy::expect_used, reason = "a test that cannot start has failed")]
        builder
            .enable_all()
            .start_paused(true)
            .build()
            .expect("start a runtime")
    };
    actix::System::with_tokio_rt(runtime).block_on(async move {
        let (root, cast) = root();
        #[allow(clippy::expect_used, reason = "a test that cannot start has failed")]
        let tree = start(root, settings).expect("start the tree");
        let stage = Stage {
            tree,
            expected: RefCell::default(),
        };
        // a scene sees a started tree
        stage.rest().await;
        scene(&stage, cast).await;
        stage.rest().await;
        stage.compare();
        stage.tree.shutdown().await;
    });
}

impl Stage {
    /// Returns the tree.
    pub fn tree(&self) -> &TreeHandle {
        &self.tree
    }

    /// Expects one end of a node during the scene, before or after this call.
    pub fn expect_end(&self, name: &str, kind: ExitKind) {
        self.expected.borrow_mut().push_back((name.to_owned(), kind));
    }

    /// Lets everything that is due happen.
    pub async fn rest(&self) {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }

    /// Returns a node as it stands.
    ///
    /// # Panics
    ///
    /// When there is none of that name.
    pub fn node(&self, name: &str) -> NodeSnapshot {
        let node = self.tree.snapshot().into_iter().find(|node| node.name == name);
        #[allow(clippy::expect_used, reason = "a test that asks for a wrong name has failed")]
        node.expect("a node of that name")
    }

    /// Returns the ends so far, oldest first.
    pub fn ends(&self) -> Vec<LastEnd> {
        self.tree.last_ends()
    }

    fn compare(&self) {
        let mut missing = self.expected.borrow_mut();
        let mut unexpected = Vec::new();
        for end in self.ends() {
            let is_met = |(name, kind): &(String, ExitKind)| *name == end.actor && *kind == end.reason;
            match missing.iter().position(is_met) {
                Some(position) => drop(missing.remove(position)),
                None => unexpected.push(format!(
                    "{} ended: {}: {} ({})",
                    end.actor, end.reason, end.text, end.place
                )),
            }
        }
        assert!(
            unexpected.is_empty(),
            "ends that were not expected: {unexpected:#?}"
        );
        assert!(missing.is_empty(), "ends that did not come: {missing:?}");
    }
}
