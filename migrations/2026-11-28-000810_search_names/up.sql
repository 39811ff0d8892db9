-- A text as searches compare it: in lower case, without accents, and with one spelling for each letter, so that `müller` finds both
-- ways to write the ü, and `muller` too.
CREATE FUNCTION search_form(text) RETURNS text
    LANGUAGE sql
    IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT replace(regexp_replace(normalize(lower($1 COLLATE "und-x-icu"), NFKD), '[\u0300-\u036f]', '', 'g'), 'ß', 'ss')
$$;

-- A text that is looked for, as a pattern for LIKE that matches its search form literally anywhere.
CREATE FUNCTION search_pattern(text) RETURNS text
    LANGUAGE sql
    IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT '%' || regexp_replace(search_form($1), '([%_\\])', '\\\1', 'g') || '%'
$$;

GRANT EXECUTE ON FUNCTION search_form(text), search_pattern(text) TO tenantry_service;

-- Stored, because it takes longer to make than to compare, and a tenant can have many. In the order of bytes, in which texts are
-- compared fastest. Whatever writes a name writes it, the binary before this one too.
ALTER TABLE workspaces
    ADD COLUMN search_name text COLLATE "C" NOT NULL GENERATED ALWAYS AS (search_form(name)) STORED;
