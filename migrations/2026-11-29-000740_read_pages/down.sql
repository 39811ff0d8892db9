DROP FUNCTION page_of_workspaces(uuid, text, timestamptz, uuid, boolean, integer);
