DROP FUNCTION workspace_contents(uuid, uuid, integer);
DROP VIEW slots;
