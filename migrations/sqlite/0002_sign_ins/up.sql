CREATE TABLE sign_ins (
    credential TEXT NOT NULL PRIMARY KEY, -- an account, empty for the app registration
    record BLOB NOT NULL -- sealed
);
