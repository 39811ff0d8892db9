-- People get another address, and another identity: their company changes its identity provider, or its name. The member stays, with its
-- id, its assignments and its history.
GRANT UPDATE (email, email_key, issuer, subject) ON members TO tenantry_service;
