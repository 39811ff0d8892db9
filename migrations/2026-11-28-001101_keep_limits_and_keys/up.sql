-- A provider may accept a credential and not let it do everything that Tenantry asks for. Such a verification is `ok` with `limited`, so
-- that the program of before still knows the word.
--
-- Twilio knows API keys beside the auth token of an account: the secret is then that of the key with this SID.
ALTER TABLE integrations
    ADD COLUMN limited boolean NOT NULL DEFAULT false,
    ADD COLUMN api_key_sid text;

GRANT UPDATE (limited, api_key_sid) ON integrations TO tenantry_service;
