// @libsql/client: an embedded database by a native addon, transactions and batches
import { createClient } from "@libsql/client";

export const handler = async () => {
  const db = createClient({ url: ":memory:" });
  await db.batch(
    ["create table t (id integer primary key, name text)", { sql: "insert into t (name) values (?)", args: ["a"] }],
    "write",
  );
  const { rows } = await db.execute("select * from t");
  db.close();
  return rows.map((row) => ({ ...row }));
};
