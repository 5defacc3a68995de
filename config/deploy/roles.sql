-- The two roles and the database of a PostgreSQL store. Run once by the server's administrator; safe to run again.
--
--   TIENDO_OWNER_PASSWORD=… TIENDO_APP_PASSWORD=… psql -X -v ON_ERROR_STOP=1 -f roles.sql postgres
--
-- tiendo_owner owns the tables and moves the schema; it is used for `tiendo init` and `tiendo schema upgrade` and by
-- nobody else. tiendo_app does all the rest: it may neither change the log nor pass over row security. What each may do
-- with each table is granted by the migrations themselves, and checked whenever a store is opened.
-- Passwords come from the environment, so that they stand in no file, no history and no list of processes. Without one a
-- role is made that can sign in through a socket by its own account only (peer, as pg_hba.conf says).
\set QUIET on
\getenv owner_password TIENDO_OWNER_PASSWORD
\getenv app_password TIENDO_APP_PASSWORD
SET log_statement = 'none';
SET password_encryption = 'scram-sha-256';

SELECT 'CREATE ROLE tiendo_owner' WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'tiendo_owner') \gexec
SELECT 'CREATE ROLE tiendo_app' WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'tiendo_app') \gexec
ALTER ROLE tiendo_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE tiendo_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
\if :{?owner_password}
ALTER ROLE tiendo_owner PASSWORD :'owner_password';
\endif
\if :{?app_password}
ALTER ROLE tiendo_app PASSWORD :'app_password';
\endif

SELECT 'CREATE DATABASE tiendo OWNER tiendo_owner TEMPLATE template0 ENCODING ''UTF8'''
WHERE NOT EXISTS (SELECT 1 FROM pg_database WHERE datname = 'tiendo') \gexec
REVOKE ALL ON DATABASE tiendo FROM PUBLIC;
GRANT CONNECT ON DATABASE tiendo TO tiendo_owner, tiendo_app;
\connect tiendo
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
