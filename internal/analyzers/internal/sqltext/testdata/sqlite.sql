-- names: create t, create log, alter t, write log, read t, create v, read t
PRAGMA foreign_keys = ON;
BEGIN TRANSACTION;
CREATE TABLE t (id INTEGER PRIMARY KEY, x) WITHOUT ROWID, STRICT;
CREATE TABLE log (id, at);
CREATE TRIGGER tr INSTEAD OF DELETE ON t
BEGIN
  INSERT INTO log SELECT id, CASE WHEN x THEN 1 ELSE 2 END FROM t WHERE id = old.id;
END;
CREATE VIEW v AS SELECT * FROM t INDEXED BY i WHERE x GLOB 'a*';
COMMIT;
