-- What a policy compares must not look like a way to find rows: of an account with few statistics, or larger than the
-- others, the planner would rather read all sessions of the account than the few whose keys a statement names. No index
-- serves IS NOT DISTINCT FROM, so what a statement names decides alone. Neither side is ever both null and permitted:
-- the columns are NOT NULL.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['sessions', 'session_details', 'entries', 'whole_bodies', 'client_ids', 'open_execs',
                                'records', 'counters', 'indexes', 'index_blocks', 'indexed_sessions'] LOOP
        EXECUTE format('ALTER POLICY own_account ON %I '
                       'USING (account_id IS NOT DISTINCT FROM (SELECT current_setting(''cerver.account'', true)))',
                       name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['postings', 'title_words'] LOOP
        EXECUTE format('ALTER POLICY own_account ON %I USING (account_key IS NOT DISTINCT FROM (SELECT i.account_key '
                       'FROM indexes i WHERE i.account_id = current_setting(''cerver.account'', true)))', name);
    END LOOP;
END $$;
