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
