// pg-promise: formatted queries, tasks, transactions
// needs: postgres
const pgp = require("pg-promise")({ noWarnings: true });

exports.handler = async () => {
  const db = pgp(process.env.POSTGRES_URL);
  await db.none("drop table if exists npm_pgp; create table npm_pgp (id int, name text)");
  await db.none(
    pgp.helpers.insert(
      [
        { id: 1, name: "a" },
        { id: 2, name: "b'c" },
      ],
      ["id", "name"],
      "npm_pgp",
    ),
  );
  const rows = await db.tx((t) =>
    t.batch([t.any("select * from npm_pgp order by id"), t.one("select count(*)::int from npm_pgp")]),
  );
  const none = await db.one("select * from npm_pgp where id = 9").catch((error) => error.name);
  await db.$pool.end();
  return [rows, none];
};
