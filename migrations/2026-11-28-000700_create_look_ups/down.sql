DROP FUNCTION look_ups(uuid[], bytea[], text[], text[], uuid[], bigint[], boolean);
