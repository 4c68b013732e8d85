CREATE TABLE sign_ins (
    credential TEXT NOT NULL PRIMARY KEY, -- an account, empty for the app registration
    record BYTEA NOT NULL -- sealed
);
