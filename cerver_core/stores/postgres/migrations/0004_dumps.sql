-- A dump reads what every account keeps, and a restoration adds it: in a transaction that says so by the setting
-- cerver.operator. Nothing can be changed or removed by it.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['sessions', 'session_details', 'entries', 'whole_bodies', 'client_ids', 'open_execs',
                                'records', 'counters'] LOOP
        EXECUTE format('CREATE POLICY operator_reads ON %I FOR SELECT '
                       'USING ((SELECT current_setting(''cerver.operator'', true)) = ''on'')', name);
        EXECUTE format('CREATE POLICY operator_adds ON %I FOR INSERT '
                       'WITH CHECK ((SELECT current_setting(''cerver.operator'', true)) = ''on'')', name);
    END LOOP;
END $$;
