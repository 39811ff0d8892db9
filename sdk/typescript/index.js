import createClient from "openapi-fetch";

export const createTenantry = ({ baseUrl, key, ...options }) =>
  createClient({ ...options, baseUrl, headers: { ...options.headers, Authorization: `Bearer ${key}` } });
