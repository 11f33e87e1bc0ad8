// pg: queries with parameters, types, transactions, a pool, notifications, cursors of rows, TLS
// needs: postgres
import pg from "pg";
import { readFileSync } from "node:fs";

export const handler = async () => {
  const pool = new pg.Pool({ max: 2 });
  await pool.query(
    "drop table if exists npm_pg; create table npm_pg (id serial primary key, name text, data jsonb, at timestamptz, bytes bytea, tags text[])",
  );
  const { rows } = await pool.query(
    "insert into npm_pg (name, data, at, bytes, tags) values ($1, $2, $3, $4, $5) returning *",
    ["Réx", { a: [1] }, new Date(0), Buffer.from([1, 2]), ["x", "y"]],
  );
  const client = await pool.connect();
  await client.query("begin");
  await client.query("delete from npm_pg");
  await client.query("rollback");
  const notified = new Promise((resolve) => client.once("notification", ({ payload }) => resolve(payload)));
  await client.query("listen npm_pg");
  await pool.query("select pg_notify('npm_pg', 'hello')");
  const failed = await client.query("select nothing").catch((error) => [error.code, error.message]);
  const prepared = await client.query({
    name: "p",
    text: "select count(*)::int as n from npm_pg where id >= $1",
    values: [0],
  });
  const payload = await notified;
  client.release();
  const many = await Promise.all([1, 2, 3, 4].map((n) => pool.query("select $1::int * 2 as n", [n])));
  await pool.end();
  const secure = new pg.Client({ host: "localhost", ssl: { ca: readFileSync(process.env.AUTHORITY_FILE, "utf8") } });
  await secure.connect();
  const {
    rows: [{ ssl }],
  } = await secure.query("select ssl from pg_stat_ssl where pid = pg_backend_pid()");
  await secure.end();
  return [rows, failed, prepared.rows, payload, many.map((one) => one.rows[0].n), ssl];
};
