-- names: create auth.users, alter auth.users, write auth.users, drop auth.users
-- +goose Up
CREATE TABLE auth.users (
    id   bigint GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL CHECK (length(name) > 0)
);
-- +goose StatementBegin
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    NEW.seen := now();
    RETURN NEW;
END;
$fn$;
-- +goose StatementEnd
CREATE TRIGGER touch BEFORE UPDATE ON auth.users FOR EACH ROW EXECUTE FUNCTION touch();
UPDATE auth.users SET name = 'from other';
-- +goose Down
DROP TABLE auth.users;
