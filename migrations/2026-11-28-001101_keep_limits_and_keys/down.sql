ALTER TABLE integrations
    DROP COLUMN limited,
    DROP COLUMN api_key_sid;
