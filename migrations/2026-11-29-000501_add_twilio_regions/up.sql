-- The region in which Twilio accepts the credential of an integration. NULL where none was named, which is `us1`.
ALTER TABLE integrations ADD COLUMN twilio_region text;

GRANT UPDATE (twilio_region) ON integrations TO tenantry_service;
