-- +goose Up
CREATE TABLE bus_inbox (
    grp   TEXT    NOT NULL,
    id    TEXT    NOT NULL,
    owner TEXT    NOT NULL, -- of the claim
    done  BOOLEAN NOT NULL, -- handled, not only claimed
    until BIGINT  NOT NULL, -- end of the lease or of the retention, in microseconds since 1970
    PRIMARY KEY (grp, id)
);
CREATE INDEX bus_inbox_until ON bus_inbox (until);

CREATE TABLE bus_outbox (
    seq   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    grp   TEXT NOT NULL, -- for this group alone, or '' for all
    id    TEXT NOT NULL,
    relay TEXT NOT NULL, -- who has published it last, or ''
    event BLOB NOT NULL
);
CREATE INDEX bus_outbox_id ON bus_outbox (id);

CREATE TABLE bus_dead_letters (
    seq      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    grp      TEXT   NOT NULL,
    id       TEXT   NOT NULL,
    cause    TEXT   NOT NULL,
    attempts BIGINT NOT NULL,
    first_at BIGINT NOT NULL, -- microseconds since 1970
    last_at  BIGINT NOT NULL,
    event    BLOB  NOT NULL,
    UNIQUE (grp, id)
);

-- +goose Down
DROP TABLE bus_dead_letters;
DROP TABLE bus_outbox;
DROP TABLE bus_inbox;
