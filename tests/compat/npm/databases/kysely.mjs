// kysely: built queries over PostgreSQL
// needs: postgres
import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";

export const handler = async () => {
  const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ max: 2 }) }) });
  await db.schema.dropTable("npm_kysely").ifExists().execute();
  await db.schema.createTable("npm_kysely").addColumn("id", "serial").addColumn("name", "text").execute();
  await db
    .insertInto("npm_kysely")
    .values([{ name: "a" }, { name: "b" }])
    .execute();
  const rows = await db.selectFrom("npm_kysely").selectAll().where("name", "!=", "a").execute();
  const {
    rows: [one],
  } = await sql`select ${1}::int as n`.execute(db);
  await db.destroy();
  return [rows, one];
};
