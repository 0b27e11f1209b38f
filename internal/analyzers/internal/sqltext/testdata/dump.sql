-- names: read pg_catalog.*, create public.a, write public.a, create public.b, read public.a
\connect shop
# it's a comment of MySQL
SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.a (id integer, note text);
COPY public.a (id, note) FROM stdin;
1	DROP TABLE users;
2	insert into users
\.

this is no statement at all, but select from it;
CREATE TABLE public.b (id integer);
TABLE public.a;
