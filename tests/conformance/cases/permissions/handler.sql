CREATE TABLE copied AS SELECT event('do') AS what;
VACUUM INTO 'data/new';
SELECT what FROM copied;
