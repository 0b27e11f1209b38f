CREATE TABLE shared (id int);
CREATE TABLE ledger (id int);
SET search_path TO auth;
SELECT * FROM users; -- want "fraction pay reads table auth.users of fraction auth"
