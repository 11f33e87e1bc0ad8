// drizzle-orm: typed queries and transactions over PostgreSQL and MariaDB
// needs: postgres, mariadb
import { drizzle } from "drizzle-orm/node-postgres";
import { drizzle as overMysql } from "drizzle-orm/mysql2";
import { integer, pgTable, serial, text } from "drizzle-orm/pg-core";
import { eq, gt, sql } from "drizzle-orm";
import pg from "pg";
import mysql from "mysql2/promise";

const pets = pgTable("npm_drizzle", { id: serial("id").primaryKey(), name: text("name"), age: integer("age") });

export const handler = async () => {
  const pool = new pg.Pool({ max: 1 });
  const db = drizzle(pool);
  await db.execute(sql`drop table if exists npm_drizzle`);
  await db.execute(sql`create table npm_drizzle (id serial primary key, name text, age int)`);
  const made = await db
    .insert(pets)
    .values([
      { name: "a", age: 1 },
      { name: "b", age: 2 },
    ])
    .returning();
  await db.update(pets).set({ age: 5 }).where(eq(pets.name, "a"));
  const rolled = await db
    .transaction(async (tx) => {
      await tx.delete(pets);
      tx.rollback();
    })
    .catch((error) => error.constructor.name);
  const found = await db.select().from(pets).where(gt(pets.age, 2));
  await pool.end();
  const connection = await mysql.createConnection(process.env.MYSQL_URL);
  const [[two]] = await overMysql(connection).execute(sql`select 1 + ${1} as n`);
  await connection.end();
  return [made, rolled, found, two];
};
