CREATE TABLE timeline (
    pbx_user TEXT NOT NULL,
    number BIGINT NOT NULL,
    item TEXT NOT NULL, -- a JSON object
    PRIMARY KEY (pbx_user, number)
);

CREATE INDEX timeline_number ON timeline (number);
