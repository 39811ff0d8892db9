ALTER TABLE integrations DROP COLUMN twilio_region;
