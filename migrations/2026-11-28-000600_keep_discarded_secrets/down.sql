DROP INDEX integrations_discarded;
ALTER TABLE integrations
    DROP COLUMN discarded_secret,
    DROP COLUMN discarded_key,
    DROP COLUMN discarded_last_four,
    DROP COLUMN discarded_set_at,
    DROP COLUMN discarded_at;
