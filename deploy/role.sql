-- Run once by the postgres image, when it makes its data folder: Tocsin's role owns one database and is no superuser.
-- The superuser keeps no password, so that nobody is it over the network: `docker compose exec postgres psql -U postgres`.
\getenv password POSTGRES_PASSWORD
CREATE ROLE tocsin LOGIN PASSWORD :'password';
CREATE DATABASE tocsin OWNER tocsin;
REVOKE CONNECT ON DATABASE tocsin FROM PUBLIC;
ALTER ROLE postgres PASSWORD NULL;
