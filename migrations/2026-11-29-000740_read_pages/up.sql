-- A page of the tenant's workspaces in the order of creation, after this one; with `sought` those with this text in their names. It is for a
-- statement that has found out with `look_ups` who asks, which is also what sets the tenant that row security lets be seen.
--
-- The page is read along the index of its order, and nothing else is weighed: what else there would be is to sort all workspaces of the
-- tenant. So the plan can be kept, and is right however much the tenant grows.
--
-- STABLE, so that it sees what the statement that calls it sees. Whole rows, so that a new column needs no new function.
CREATE FUNCTION page_of_workspaces(
    of_tenant uuid, sought text, after_time timestamptz, after_id uuid, descending boolean, most integer
) RETURNS SETOF workspaces
    LANGUAGE plpgsql
    STABLE
    ROWS 50
    SET search_path FROM CURRENT
    SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off
    SET enable_bitmapscan = off
    SET enable_sort = off
    SET enable_incremental_sort = off
AS $$
DECLARE
    -- Once, and not for each row.
    pattern text := search_pattern(sought);
BEGIN
    IF descending THEN
        after_time := coalesce(after_time, 'infinity');
        after_id := coalesce(after_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
        RETURN QUERY SELECT * FROM workspaces AS r
            WHERE r.tenant_id = of_tenant AND r.deleted_at IS NULL AND (r.created_at, r.id) < (after_time, after_id)
                AND (pattern IS NULL OR r.search_name LIKE pattern)
            ORDER BY r.created_at DESC, r.id DESC LIMIT most;
    ELSE
        after_time := coalesce(after_time, '-infinity');
        after_id := coalesce(after_id, '00000000-0000-0000-0000-000000000000');
        RETURN QUERY SELECT * FROM workspaces AS r
            WHERE r.tenant_id = of_tenant AND r.deleted_at IS NULL AND (r.created_at, r.id) > (after_time, after_id)
                AND (pattern IS NULL OR r.search_name LIKE pattern)
            ORDER BY r.created_at, r.id LIMIT most;
    END IF;
END
$$;

GRANT EXECUTE ON FUNCTION page_of_workspaces(uuid, text, timestamptz, uuid, boolean, integer) TO tenantry_service;
