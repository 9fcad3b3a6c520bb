-- What schema 3 held, as it was written then; never changed.
BEGIN TRANSACTION;
CREATE TABLE client_ids (
    session_key INTEGER NOT NULL,
    client_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    fingerprint BLOB,
    PRIMARY KEY (session_key, client_id)
) STRICT, WITHOUT ROWID;
INSERT INTO client_ids VALUES(1,'id-1',1,X'0102');
CREATE TABLE entries (
    place INTEGER PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;
INSERT INTO entries VALUES(4294967297,'{"role":"user","content":"go"}');
INSERT INTO entries VALUES(4294967298,'{"role":"tool","content":"…"}');
INSERT INTO entries VALUES(12884901889,'{"content":"theirs"}');
CREATE TABLE open_execs (
    session_key INTEGER NOT NULL,
    tool_id TEXT NOT NULL,
    holder TEXT NOT NULL,
    started_at_us INTEGER NOT NULL,
    PRIMARY KEY (session_key, tool_id)
) STRICT, WITHOUT ROWID;
INSERT INTO open_execs VALUES(1,'tool_1','process-7',100);
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
INSERT INTO session_details VALUES(1,1000,'none yet',3000,'coding','tests','count
the stars','claude','local','comp_1','{"id":"sb_1","nested":{"list":[1,2.5,null,true,"\u00e9"]}}',4000,'{"network":false}','{"mode":"cheap"}','{"source":"cli","":null}','{"provider":"local","reasons":["here"]}');
INSERT INTO session_details VALUES(2,5,NULL,NULL,'general','general','',NULL,NULL,NULL,NULL,NULL,'{}','{}','{}',NULL);
INSERT INTO session_details VALUES(3,6,NULL,NULL,'general','general','',NULL,NULL,NULL,NULL,NULL,'{}','{}','{}',NULL);
CREATE INDEX workspaces_to_delete ON session_details (workspace_delete_at_us)
    WHERE workspace_delete_at_us IS NOT NULL AND sandbox IS NOT NULL;
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
INSERT INTO sessions VALUES(1,'acme','5e55-full','running',1767225600000000,2,'kept in 2026','cli','sky','5e55-parent',1.5,1500,2.5,4.0,2,8.0,3,5,5);
INSERT INTO sessions VALUES(2,'acme','5e55-bare','terminated',5,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0.0,0,0.0,0,0,NULL);
INSERT INTO sessions VALUES(3,'other','5e55-full','ready',6,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0.0,0,0.0,0,0,NULL);
CREATE INDEX sessions_by_activity ON sessions (account_id, status, updated_at_us, id);
CREATE INDEX sessions_by_name ON sessions (account_id, name) WHERE name IS NOT NULL;
CREATE INDEX sessions_of_parent ON sessions (account_id, parent_id, status, updated_at_us, id)
    WHERE parent_id IS NOT NULL;
CREATE INDEX sessions_of_project ON sessions (account_id, project, status, updated_at_us, id) WHERE project IS NOT NULL;
CREATE INDEX sessions_of_source ON sessions (account_id, source, status, updated_at_us, id) WHERE source IS NOT NULL;
CREATE TABLE whole_bodies (
    place INTEGER PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;
INSERT INTO whole_bodies VALUES(4294967298,'{"role":"tool","content":"the whole of it"}');
pragma user_version=3;
pragma application_id=1129469522;
-- The index of entries: of what was said, and of what tools were given and gave back. It keeps neither text nor
-- positions; phrases are looked for in the texts of the entries that hold their words.
CREATE VIRTUAL TABLE said_index USING fts5 (
    text, content = '', contentless_delete = 1, detail = none, tokenize = 'unicode61 remove_diacritics 0'
);
CREATE VIRTUAL TABLE tool_index USING fts5 (
    text, content = '', contentless_delete = 1, detail = none, tokenize = 'unicode61 remove_diacritics 0'
);

-- The rowid of an entry in them is block * 64 + (seq - 1) % 64. Blocks are numbered as they are needed, so that rowids
-- lie close together, which halves the index, and are newer the greater they are.
CREATE TABLE index_blocks (
    block INTEGER PRIMARY KEY,
    session_key INTEGER NOT NULL,
    number INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX blocks_of_session ON index_blocks (session_key, number);

-- The index of sessions as documents, by session_key: what they are called and what they were opened for.
CREATE VIRTUAL TABLE session_index USING fts5 (
    name, about,
    content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 0'
);

-- How far each session is indexed, and what a search needs to know of it.
CREATE TABLE indexed_sessions (
    session_key INTEGER PRIMARY KEY,
    last_seq INTEGER NOT NULL,
    word_count INTEGER NOT NULL,
    first_at_us INTEGER,
    last_at_us INTEGER
) STRICT;

CREATE INDEX indexed_sessions_by_time ON indexed_sessions (last_at_us);

-- One row: sums over indexed_sessions, and the same for all their entries.
CREATE TABLE indexed_totals (
    session_count INTEGER NOT NULL,
    entry_count INTEGER NOT NULL,
    word_count INTEGER NOT NULL
) STRICT;

INSERT INTO indexed_totals VALUES (0, 0, 0);

-- The sessions that have something to index, since when. An append marks its session here and touches no index.
CREATE TABLE unindexed_sessions (
    session_key INTEGER PRIMARY KEY,
    since_us INTEGER NOT NULL
) STRICT;

CREATE TRIGGER session_made AFTER INSERT ON sessions BEGIN
    INSERT OR IGNORE INTO unindexed_sessions VALUES (new.session_key, new.updated_at_us);
END;

CREATE TRIGGER session_grown AFTER UPDATE OF last_seq, name ON sessions
WHEN new.last_seq > old.last_seq OR new.name IS NOT old.name BEGIN
    INSERT OR IGNORE INTO unindexed_sessions VALUES (new.session_key, new.updated_at_us);
END;

-- A key may be given again: nothing may be found under it that was another session's.
CREATE TRIGGER session_gone AFTER DELETE ON sessions BEGIN
    DELETE FROM said_index WHERE rowid IN (
        SELECT d.id FROM index_blocks b JOIN said_index_docsize d ON d.id BETWEEN b.block << 6 AND (b.block << 6) + 63
        WHERE b.session_key = old.session_key);
    DELETE FROM tool_index WHERE rowid IN (
        SELECT d.id FROM index_blocks b JOIN tool_index_docsize d ON d.id BETWEEN b.block << 6 AND (b.block << 6) + 63
        WHERE b.session_key = old.session_key);
    DELETE FROM index_blocks WHERE session_key = old.session_key;
    DELETE FROM session_index WHERE rowid = old.session_key;
    UPDATE indexed_totals SET
        session_count = session_count - (SELECT count(*) FROM indexed_sessions WHERE session_key = old.session_key),
        entry_count = entry_count
            - coalesce((SELECT last_seq FROM indexed_sessions WHERE session_key = old.session_key), 0),
        word_count = word_count
            - coalesce((SELECT word_count FROM indexed_sessions WHERE session_key = old.session_key), 0);
    DELETE FROM indexed_sessions WHERE session_key = old.session_key;
    DELETE FROM unindexed_sessions WHERE session_key = old.session_key;
END;

INSERT INTO unindexed_sessions SELECT session_key, updated_at_us FROM sessions;
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
INSERT INTO records VALUES('acme','note','n1','{"said":"é"}',2,5,6,NULL);
INSERT INTO counters VALUES('acme','spent',7);
COMMIT TRANSACTION;
