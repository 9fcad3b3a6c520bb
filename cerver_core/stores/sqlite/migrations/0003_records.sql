-- Small things by kind and id, as JSON text. The directory's own have no account: theirs is ''.
CREATE TABLE records (
    account_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    data TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at_us INTEGER NOT NULL,
    updated_at_us INTEGER NOT NULL,
    expires_at_us INTEGER,
    PRIMARY KEY (account_id, kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX records_by_expiry ON records (expires_at_us) WHERE expires_at_us IS NOT NULL;

CREATE TABLE counters (
    account_id TEXT NOT NULL,
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (account_id, name)
) STRICT, WITHOUT ROWID;
