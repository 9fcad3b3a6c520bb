-- What moves with every append stands in sessions; what seldom changes and may be long stands in session_details,
-- so that an append rewrites a short row.
CREATE TABLE sessions (
    session_key INTEGER PRIMARY KEY,
    account_id TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    status TEXT NOT NULL GENERATED ALWAYS AS (
        CASE WHEN state IN ('provisioning', 'running') THEN 'running'
             WHEN state IN ('terminated', 'failed') THEN 'ended'
             ELSE 'idle' END) STORED,
    updated_at_us INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    name TEXT,
    source TEXT,
    project TEXT,
    parent_id TEXT,
    provision_ms REAL,
    first_exec_at_us INTEGER,
    last_exec_ms REAL,
    exec_ms_total REAL NOT NULL,
    exec_count INTEGER NOT NULL,
    stream_open_ms_total REAL NOT NULL,
    stream_count INTEGER NOT NULL,
    user_entry_count INTEGER NOT NULL,
    cost_micro_usd INTEGER,
    UNIQUE (account_id, id)
) STRICT;

-- One index per way of listing. Each has the status before the time: a list without a status merges three ranges.
CREATE INDEX sessions_by_activity ON sessions (account_id, status, updated_at_us, id);
CREATE INDEX sessions_of_source ON sessions (account_id, source, status, updated_at_us, id) WHERE source IS NOT NULL;
CREATE INDEX sessions_of_project ON sessions (account_id, project, status, updated_at_us, id) WHERE project IS NOT NULL;
CREATE INDEX sessions_of_parent ON sessions (account_id, parent_id, status, updated_at_us, id)
    WHERE parent_id IS NOT NULL;
CREATE INDEX sessions_by_name ON sessions (account_id, name) WHERE name IS NOT NULL;

CREATE TABLE session_details (
    session_key INTEGER PRIMARY KEY,
    created_at_us INTEGER NOT NULL,
    end_reason TEXT,
    ended_at_us INTEGER,
    session_type TEXT NOT NULL,
    workload TEXT NOT NULL,
    task TEXT NOT NULL,
    harness TEXT,
    provider TEXT,
    compute_id TEXT,
    sandbox TEXT,
    workspace_delete_at_us INTEGER,
    requirements TEXT NOT NULL,
    policy TEXT NOT NULL,
    metadata TEXT NOT NULL,
    routing TEXT
) STRICT;

CREATE INDEX workspaces_to_delete ON session_details (workspace_delete_at_us)
    WHERE workspace_delete_at_us IS NOT NULL AND sandbox IS NOT NULL;

-- place = session_key * 2^32 + seq: the entries of a session lie side by side, and need no second index.
CREATE TABLE entries (
    place INTEGER PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;

-- The whole text of the entries whose row in entries holds a shorter view.
CREATE TABLE whole_bodies (
    place INTEGER PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE client_ids (
    session_key INTEGER NOT NULL,
    client_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    fingerprint BLOB,
    PRIMARY KEY (session_key, client_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE open_execs (
    session_key INTEGER NOT NULL,
    tool_id TEXT NOT NULL,
    holder TEXT NOT NULL,
    started_at_us INTEGER NOT NULL,
    PRIMARY KEY (session_key, tool_id)
) STRICT, WITHOUT ROWID;
