// knex: schemas, queries, transactions over PostgreSQL and MariaDB
// needs: postgres, mariadb
import knex from "knex";

export const handler = async () => {
  const told = [];
  for (const [client, connection] of [
    ["pg", process.env.POSTGRES_URL],
    ["mysql2", process.env.MYSQL_URL],
  ]) {
    const db = knex({ client, connection, pool: { min: 0, max: 2 } });
    await db.schema.dropTableIfExists("npm_knex");
    await db.schema.createTable("npm_knex", (table) => {
      table.increments("id");
      table.string("name");
      table.integer("age");
    });
    await db("npm_knex").insert([
      { name: "a", age: 1 },
      { name: "b", age: 2 },
    ]);
    const rolled = await db
      .transaction(async (trx) => {
        await trx("npm_knex").delete();
        throw new Error("no");
      })
      .catch((error) => error.message);
    told.push(
      rolled,
      await db("npm_knex").where("age", ">", 1).select("name"),
      Number((await db("npm_knex").sum({ sum: "age" }))[0].sum),
    );
    await db.destroy();
  }
  return told;
};
