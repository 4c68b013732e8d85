-- Times are UTC with at most microseconds. Columns marked as sealed hold AES-256-GCM ciphertext.

CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL -- sealed
);

CREATE TABLE subscriptions (
    kind TEXT NOT NULL, -- users, presence
    account TEXT NOT NULL, -- empty for users
    id TEXT NOT NULL,
    users TEXT NOT NULL, -- a JSON array of Teams object ids
    expires_at TIMESTAMP NOT NULL,
    certificate_id TEXT,
    notification_url TEXT NOT NULL,
    PRIMARY KEY (kind, account)
);

CREATE TABLE client_states (
    kind TEXT NOT NULL,
    account TEXT NOT NULL,
    client_state BLOB NOT NULL, -- sealed
    PRIMARY KEY (kind, account)
);

CREATE TABLE ledger (
    pbx_user TEXT NOT NULL,
    slot TEXT NOT NULL, -- session, preferred, pbx_entry, alien_call
    h323 TEXT NOT NULL,
    home TEXT NOT NULL,
    teams_user TEXT NOT NULL,
    state TEXT NOT NULL, -- intended, confirmed, overridden
    availability TEXT NOT NULL,
    activity TEXT NOT NULL,
    stands_for TEXT NOT NULL,
    written_at TIMESTAMP NOT NULL,
    until TIMESTAMP,
    PRIMARY KEY (pbx_user, slot)
);

CREATE TABLE refresh_tokens (
    account TEXT NOT NULL PRIMARY KEY,
    token BLOB NOT NULL -- sealed
);

CREATE TABLE notification_keys (
    id TEXT NOT NULL PRIMARY KEY,
    certificate BLOB NOT NULL,
    private_key BLOB NOT NULL, -- sealed
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE license_answers (
    pbx_user TEXT NOT NULL PRIMARY KEY,
    held BOOLEAN NOT NULL
);
