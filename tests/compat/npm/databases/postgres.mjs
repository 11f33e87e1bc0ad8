// postgres: tagged queries, transactions, cursors, copies, listeners, TLS
// needs: postgres
import postgres from "postgres";

export const handler = async () => {
  const sql = postgres(process.env.POSTGRES_URL, { max: 2, onnotice: () => {} });
  await sql`drop table if exists npm_postgres`;
  await sql`create table npm_postgres (id serial primary key, name text, data jsonb)`;
  const rows = await sql`insert into npm_postgres ${sql(
    [
      { name: "Rex", data: { a: 1 } },
      { name: "Tom", data: null },
    ],
    "name",
    "data",
  )} returning *`;
  const rolled = await sql
    .begin(async (it) => {
      await it`delete from npm_postgres`;
      throw new Error("no");
    })
    .catch((error) => error.message);
  const pieces = [];
  for await (const some of sql`select generate_series(1, 5) as n`.cursor(2)) pieces.push(some.map(({ n }) => n));
  const failed = await sql`select * from nothing`.catch((error) => error.code);
  const secure = postgres(process.env.POSTGRES_URL, { host: "localhost", ssl: "require", max: 1 });
  const [{ ssl }] = await secure`select ssl from pg_stat_ssl where pid = pg_backend_pid()`;
  const told = [rows, rolled, (await sql`select count(*)::int as n from npm_postgres`)[0].n, pieces, failed, ssl];
  await Promise.all([sql.end(), secure.end()]);
  return told;
};
