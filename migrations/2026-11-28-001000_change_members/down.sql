REVOKE UPDATE (email, email_key, issuer, subject) ON members FROM tenantry_service;
