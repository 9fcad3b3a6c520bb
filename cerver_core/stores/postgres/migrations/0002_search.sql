-- How far a session is indexed: -1 for not at all, and whether its name and task are as they were indexed.
ALTER TABLE sessions ADD COLUMN indexed_seq bigint NOT NULL DEFAULT -1;
ALTER TABLE sessions ADD COLUMN is_described boolean NOT NULL DEFAULT false;
CREATE INDEX sessions_to_index ON sessions (account_id, session_key) WHERE indexed_seq < last_seq OR NOT is_described;

-- One row per account that has something indexed: its number in the tables below, and sums over all its sessions.
CREATE TABLE indexes (
    account_id text COLLATE "C" PRIMARY KEY,
    account_key int GENERATED ALWAYS AS IDENTITY UNIQUE,
    newest_block int NOT NULL DEFAULT 0,
    session_count bigint NOT NULL DEFAULT 0,
    word_count bigint NOT NULL DEFAULT 0
);

-- A block is 64 entries of one session. Blocks of an account are numbered as they are needed: the newest is the
-- greatest. `times` holds when each of its entries was said, in microseconds.
CREATE TABLE index_blocks (
    account_id text COLLATE "C" NOT NULL,
    session_key bigint NOT NULL,
    number int NOT NULL,
    block int NOT NULL,
    times bigint[] NOT NULL,
    PRIMARY KEY (session_key, number)
);
CREATE UNIQUE INDEX blocks_by_number ON index_blocks (account_id, block);

-- In which entries of a block a word stands, a bit each: in what was said, and in what tools were given and gave back.
-- One account's newest blocks that hold a word lie side by side, so a search costs what it looks at. What begins with
-- a sign that no word has tells of an entry's role, kind and tool.
CREATE TABLE postings (
    account_key int NOT NULL,
    block int NOT NULL,
    said bigint NOT NULL,
    tool bigint NOT NULL,
    word text COLLATE "C" NOT NULL,
    PRIMARY KEY (account_key, word, block)
) WITH (fillfactor = 90);

-- The words of names and of tasks, and of the days on which a session was held.
CREATE TABLE title_words (
    account_key int NOT NULL,
    session_key bigint NOT NULL,
    word text COLLATE "C" NOT NULL,
    PRIMARY KEY (account_key, word, session_key)
);
CREATE INDEX title_words_of_session ON title_words (session_key);

CREATE TABLE indexed_sessions (
    account_id text COLLATE "C" NOT NULL,
    session_key bigint PRIMARY KEY,
    word_count bigint NOT NULL,
    first_at_us bigint,
    last_at_us bigint
);
CREATE INDEX indexed_sessions_by_time ON indexed_sessions (account_id, last_at_us);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['indexes', 'index_blocks', 'indexed_sessions', 'postings', 'title_words'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['indexes', 'index_blocks', 'indexed_sessions'] LOOP
        EXECUTE format('CREATE POLICY own_account ON %I '
                       'USING (account_id = (SELECT current_setting(''cerver.account'', true)))', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['postings', 'title_words'] LOOP
        EXECUTE format('CREATE POLICY own_account ON %I USING (account_key = (SELECT i.account_key FROM indexes i '
                       'WHERE i.account_id = current_setting(''cerver.account'', true)))', name);
    END LOOP;
END $$;
