CREATE TABLE orders (
  id bigint PRIMARY KEY,
  user_id bigint REFERENCES auth.users (id), -- want "fraction order refers to table auth.users of fraction auth"
  session text
);
CREATE TABLE outbox (id bigint);
CREATE TABLE auth.extra (id int); -- want "fraction order creates table auth.extra of fraction auth"
CREATE FUNCTION copy_users() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- want+1 "fraction order reads table auth.users of fraction auth"
  INSERT INTO orders (user_id) SELECT id FROM auth.users;
END $$;
ALTER TABLE sessions ADD COLUMN order_id bigint; -- want "fraction order alters table sessions of fraction auth"
GRANT USAGE ON SCHEMA auth TO order_role; -- want "fraction order alters schema auth of fraction auth"
INSERT INTO outbox SELECT * FROM scratch;
SELECT * FROM pg_catalog.pg_tables, information_schema.columns;
SELECT 'FROM sessions' /* FROM sessions */; -- FROM sessions
WITH sessions AS (SELECT 1) SELECT * FROM sessions;
