-- +goose Up
CREATE SCHEMA auth;
CREATE TABLE auth.users (id bigint PRIMARY KEY, email text);
CREATE TABLE sessions (id text PRIMARY KEY, user_id bigint REFERENCES auth.users (id));
CREATE TABLE outbox (id bigint);
CREATE VIEW active AS SELECT * FROM sessions;
CREATE TEMP TABLE scratch (id int);
-- +goose Down
DROP TABLE sessions;
DROP SCHEMA auth CASCADE;
