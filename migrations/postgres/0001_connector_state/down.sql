DROP TABLE license_answers;
DROP TABLE notification_keys;
DROP TABLE refresh_tokens;
DROP TABLE ledger;
DROP TABLE client_states;
DROP TABLE subscriptions;
DROP TABLE meta;
