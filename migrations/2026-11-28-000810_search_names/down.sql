ALTER TABLE workspaces DROP COLUMN search_name;
DROP FUNCTION search_pattern(text);
DROP FUNCTION search_form(text);
