INSERT INTO sessions VALUES ('x');
