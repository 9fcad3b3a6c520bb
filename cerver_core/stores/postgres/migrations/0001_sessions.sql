-- Every table begins with the account, and every policy below compares it with the setting cerver.account, which the
-- store sets for one transaction at a time: a statement that forgot its account finds nothing and writes nothing.
-- Text is compared by its bytes (COLLATE "C"), so that order and prefixes are the same on every server.

-- What moves with every append stands in sessions; what seldom changes and may be long stands in session_details,
-- so that an append rewrites a short row.
CREATE TABLE sessions (
    account_id text COLLATE "C" NOT NULL,
    session_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL,
    state text NOT NULL,
    status text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN state IN ('provisioning', 'running') THEN 'running'
             WHEN state IN ('terminated', 'failed') THEN 'ended'
             ELSE 'idle' END) STORED,
    updated_at_us bigint NOT NULL,
    last_seq bigint NOT NULL,
    name text COLLATE "C",
    source text COLLATE "C",
    project text COLLATE "C",
    parent_id text COLLATE "C",
    provision_ms double precision,
    first_exec_at_us bigint,
    last_exec_ms double precision,
    exec_ms_total double precision NOT NULL,
    exec_count bigint NOT NULL,
    stream_open_ms_total double precision NOT NULL,
    stream_count bigint NOT NULL,
    user_entry_count bigint NOT NULL,
    cost_micro_usd bigint,
    UNIQUE (account_id, id)
) WITH (fillfactor = 80);

-- One index per way of listing. Each has the status before the time: a list without a status merges three ranges.
CREATE INDEX sessions_by_activity ON sessions (account_id, status, updated_at_us, id);
CREATE INDEX sessions_of_source ON sessions (account_id, source, status, updated_at_us, id) WHERE source IS NOT NULL;
CREATE INDEX sessions_of_project ON sessions (account_id, project, status, updated_at_us, id) WHERE project IS NOT NULL;
CREATE INDEX sessions_of_parent ON sessions (account_id, parent_id, status, updated_at_us, id)
    WHERE parent_id IS NOT NULL;
CREATE INDEX sessions_by_name ON sessions (account_id, name) WHERE name IS NOT NULL;

CREATE TABLE session_details (
    account_id text COLLATE "C" NOT NULL,
    session_key bigint PRIMARY KEY,
    created_at_us bigint NOT NULL,
    end_reason text,
    ended_at_us bigint,
    session_type text NOT NULL,
    workload text NOT NULL,
    task text NOT NULL,
    harness text COLLATE "C",
    provider text,
    compute_id text,
    sandbox text,
    workspace_delete_at_us bigint,
    requirements text NOT NULL,
    policy text NOT NULL,
    metadata text NOT NULL,
    routing text
);

CREATE INDEX workspaces_to_delete ON session_details (account_id, workspace_delete_at_us)
    WHERE workspace_delete_at_us IS NOT NULL AND sandbox IS NOT NULL;

-- Entries are JSON in text, never jsonb: what was written comes back byte for byte, and \u0000 is allowed in it.
-- Every statement names the session's key, which grows with time and leads the primary key: the table can be made a
-- partition of another one, by ranges of session_key, without a change to any statement.
CREATE TABLE entries (
    account_id text COLLATE "C" NOT NULL,
    session_key bigint NOT NULL,
    seq bigint NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (session_key, seq)
);

-- The whole text of the entries whose row in entries holds a shorter view.
CREATE TABLE whole_bodies (
    account_id text COLLATE "C" NOT NULL,
    session_key bigint NOT NULL,
    seq bigint NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (session_key, seq)
);

CREATE TABLE client_ids (
    account_id text COLLATE "C" NOT NULL,
    session_key bigint NOT NULL,
    client_id text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    fingerprint bytea,
    PRIMARY KEY (session_key, client_id)
);

CREATE TABLE open_execs (
    account_id text COLLATE "C" NOT NULL,
    session_key bigint NOT NULL,
    tool_id text COLLATE "C" NOT NULL,
    holder text NOT NULL,
    started_at_us bigint NOT NULL,
    PRIMARY KEY (session_key, tool_id)
);

CREATE INDEX open_execs_by_start ON open_execs (account_id, started_at_us, tool_id);

-- Small things by kind and id, as JSON text.
CREATE TABLE records (
    account_id text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    data text NOT NULL,
    version bigint NOT NULL,
    created_at_us bigint NOT NULL,
    updated_at_us bigint NOT NULL,
    expires_at_us bigint,
    PRIMARY KEY (account_id, kind, id)
);

CREATE INDEX records_by_expiry ON records (account_id, expires_at_us) WHERE expires_at_us IS NOT NULL;

CREATE TABLE counters (
    account_id text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    value bigint NOT NULL,
    PRIMARY KEY (account_id, name)
) WITH (fillfactor = 50);

-- FORCE: the owner of the tables is bound too. In a subquery the setting is read once per statement, not once per row.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['sessions', 'session_details', 'entries', 'whole_bodies', 'client_ids', 'open_execs',
                                'records', 'counters'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own_account ON %I '
                       'USING (account_id = (SELECT current_setting(''cerver.account'', true)))', name);
    END LOOP;
END $$;

-- Appends what a group of requests bring: entries without client ids, for sessions of any accounts. Answers, for each
-- request, the seq behind which its entries stand, or null when the account has no such session.
-- Requests are given by account, session, time, number of entries, and how many of those are by the user; the entries
-- of all of them in the same order, as the number of their request (from 1), text, and whole text where it has a view.
CREATE FUNCTION append_group_1(
    accounts text[], sessions_ text[], times bigint[], counts bigint[], by_user bigint[],
    requests int[], bodies text[], wholes text[]
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    answers bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(accounts)]);
    account text;
    found_ record;
BEGIN
    -- One order for all who lock several sessions: nobody waits in a circle.
    FOR account IN SELECT DISTINCT a COLLATE "C" FROM unnest(accounts) a ORDER BY 1 LOOP
        PERFORM set_config('cerver.account', account, true);
        PERFORM FROM sessions s
            WHERE s.account_id = account
              AND s.id = ANY (SELECT r.session_id FROM unnest(accounts, sessions_) r (account_id, session_id)
                              WHERE r.account_id = account)
            ORDER BY s.id FOR UPDATE;
        FOR found_ IN
            WITH asked AS MATERIALIZED (
                SELECT r.number, r.session_id COLLATE "C" AS session_id, r.at_us, r.added, r.by_user_
                FROM unnest(accounts, sessions_, times, counts, by_user) WITH ORDINALITY
                    r (account_id, session_id, at_us, added, by_user_, number)
                WHERE r.account_id = account
            ), moved AS (
                UPDATE sessions s SET
                    last_seq = s.last_seq + g.added,
                    user_entry_count = s.user_entry_count + g.by_user_,
                    updated_at_us = greatest(s.updated_at_us, g.at_us)
                FROM (SELECT session_id, sum(added)::bigint AS added, sum(by_user_)::bigint AS by_user_,
                             max(at_us) AS at_us FROM asked GROUP BY session_id) g
                WHERE s.account_id = account AND s.id = g.session_id
                RETURNING s.id, s.session_key, s.last_seq - g.added AS base
            ), numbered AS MATERIALIZED (
                SELECT m.session_key, e.body, e.whole,
                       m.base + row_number() OVER (PARTITION BY m.session_key ORDER BY e.place) AS seq
                FROM unnest(requests, bodies, wholes) WITH ORDINALITY e (request, body, whole, place)
                JOIN asked a ON a.number = e.request JOIN moved m ON m.id = a.session_id
            ), kept AS (
                INSERT INTO entries (account_id, session_key, seq, body)
                SELECT account, n.session_key, n.seq, n.body FROM numbered n
            ), kept_whole AS (
                INSERT INTO whole_bodies (account_id, session_key, seq, body)
                SELECT account, n.session_key, n.seq, n.whole FROM numbered n WHERE n.whole IS NOT NULL
            )
            SELECT a.number,
                   (m.base + sum(a.added) OVER (PARTITION BY a.session_id ORDER BY a.number) - a.added)::bigint AS base
            FROM asked a JOIN moved m ON m.id = a.session_id
        LOOP
            answers[found_.number] := found_.base;
        END LOOP;
    END LOOP;
    RETURN answers;
END $$;

-- Writes a record over the expected version (0: only where there is none; null: over any). Answers its version and the
-- time of its creation, or nothing.
CREATE FUNCTION put_record_1(
    owner text, kind_ text, id_ text, data_ text, now_us bigint, expected bigint, expires_us bigint
) RETURNS TABLE (new_version bigint, made_at_us bigint) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('cerver.account', owner, true);
    -- What has expired goes with the writes that follow, a few at a time.
    DELETE FROM records r WHERE r.account_id = owner AND (r.kind, r.id) IN (
        SELECT o.kind, o.id FROM records o WHERE o.account_id = owner AND o.expires_at_us <= now_us
        ORDER BY o.expires_at_us LIMIT 20 FOR UPDATE SKIP LOCKED);
    LOOP
        UPDATE records r SET
            data = data_,
            version = CASE WHEN r.expires_at_us <= now_us THEN 1 ELSE r.version + 1 END,
            created_at_us = CASE WHEN r.expires_at_us <= now_us THEN now_us ELSE r.created_at_us END,
            updated_at_us = now_us,
            expires_at_us = expires_us
        WHERE r.account_id = owner AND r.kind = kind_ AND r.id = id_
          AND (expected IS NULL OR expected = CASE WHEN r.expires_at_us <= now_us THEN 0 ELSE r.version END)
        RETURNING r.version, r.created_at_us INTO new_version, made_at_us;
        IF FOUND THEN
            RETURN NEXT;
            RETURN;
        END IF;
        IF expected > 0 THEN
            RETURN;
        END IF;
        INSERT INTO records VALUES (owner, kind_, id_, data_, 1, now_us, now_us, expires_us)
        ON CONFLICT (account_id, kind, id) DO NOTHING
        RETURNING 1, now_us INTO new_version, made_at_us;
        IF FOUND THEN
            RETURN NEXT;
            RETURN;
        END IF;
        IF expected = 0 THEN
            -- It is there: as it was when it was looked for, or made since then.
            RETURN;
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION delete_record_1(owner text, kind_ text, id_ text, expected bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('cerver.account', owner, true);
    DELETE FROM records r WHERE r.account_id = owner AND r.kind = kind_ AND r.id = id_
        AND (expected IS NULL OR r.version = expected);
    RETURN FOUND;
END $$;

-- Adds to a counter, unless the sum would pass the ceiling: then null.
CREATE FUNCTION add_to_counter_1(owner text, name_ text, amount bigint, ceiling_ bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    total bigint;
BEGIN
    PERFORM set_config('cerver.account', owner, true);
    INSERT INTO counters VALUES (owner, name_, 0) ON CONFLICT DO NOTHING;
    UPDATE counters c SET value = c.value + amount
    WHERE c.account_id = owner AND c.name = name_ AND (ceiling_ IS NULL OR c.value + amount <= ceiling_)
    RETURNING c.value INTO total;
    RETURN total;
END $$;
