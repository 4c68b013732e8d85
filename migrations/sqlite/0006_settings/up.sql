CREATE TABLE settings (
    key TEXT NOT NULL PRIMARY KEY, -- dotted path
    value BLOB NOT NULL -- sealed JSON
);

CREATE TABLE audit (
    id BIGINT NOT NULL PRIMARY KEY,
    at TIMESTAMP NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    value_before TEXT, -- secrets masked
    value_after TEXT
);
