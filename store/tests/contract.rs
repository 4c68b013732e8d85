//! The tests that every store must pass, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod rules;
mod stage;

/// Makes two tests per rule, each with a database of its own.
macro_rules! every_store {
    ($($rule:ident),+ $(,)?) => {
        mod in_a_file {
            $(
                #[tokio::test]
                async fn $rule() {
                    let place = crate::stage::Place::new();
                    crate::rules::$rule(&place.open()).await;
                }
            )+
        }

        mod on_a_server {
            $(
                #[tokio::test]
                async fn $rule() {
                    let url = crate::stage::postgres::Postgres::shared().new_database();
                    crate::rules::$rule(&crate::stage::open_server(&url)).await;
                }
            )+
        }
    };
}

/// Makes a test per rule, with a store that keeps everything in memory as well.
macro_rules! steady_store {
    ($($rule:ident),+ $(,)?) => {
        mod before_a_file {
            $(
                #[tokio::test]
                async fn $rule() {
                    let place = crate::stage::Place::new();
                    let store = m365_store::SteadyStore::new(std::rc::Rc::new(place.open()));
                    crate::rules::$rule(&store).await;
                }
            )+
        }
    };
}

steady_store!(
    a_new_store_is_empty,
    a_subscription_is_found_again_and_replaced_by_its_kind,
    a_subscription_is_forgotten_alone,
    a_client_state_is_kept_per_kind,
    the_ledger_holds_one_row_per_user_and_slot,
    changes_of_the_ledger_apply_in_order,
    a_refresh_token_is_replaced_and_forgotten,
    a_record_of_a_sign_in_is_replaced_per_credential,
    notification_keys_come_newest_first,
    a_notification_key_is_forgotten_alone,
    license_answers_are_replaced_as_a_whole,
    requests_made_together_are_all_answered,
);

every_store!(
    a_new_store_is_empty,
    a_subscription_is_found_again_and_replaced_by_its_kind,
    a_subscription_is_forgotten_alone,
    a_client_state_is_kept_per_kind,
    the_ledger_holds_one_row_per_user_and_slot,
    changes_of_the_ledger_apply_in_order,
    times_come_back_to_the_microsecond,
    a_refresh_token_is_replaced_and_forgotten,
    a_record_of_a_sign_in_is_replaced_per_credential,
    notification_keys_come_newest_first,
    a_notification_key_is_forgotten_alone,
    license_answers_are_replaced_as_a_whole,
    requests_made_together_are_all_answered,
    settings_are_replaced_and_removed_with_their_records,
    old_records_of_the_audit_are_forgotten,
    the_timeline_of_a_user_comes_newest_first_and_page_by_page,
    the_timeline_is_bounded_per_user_and_by_age,
    the_timeline_is_bounded_altogether,
);
