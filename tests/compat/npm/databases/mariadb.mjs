// mariadb: pools, batches, streams of rows, TLS
// needs: mariadb
import mariadb from "mariadb";

export const handler = async () => {
  const settings = {
    host: "127.0.0.1",
    port: Number(process.env.MYSQL_TCP_PORT),
    user: "trine",
    password: "secret",
    database: "trine",
  };
  const pool = mariadb.createPool({ ...settings, connectionLimit: 2 });
  await pool.query("create or replace table npm_mariadb (id int auto_increment primary key, name varchar(20))");
  const batch = await pool.batch("insert into npm_mariadb (name) values (?)", [["a"], ["b"], ["c"]]);
  const rows = await pool.query("select * from npm_mariadb where id > ?", [1]);
  const connection = await pool.getConnection();
  let sum = 0;
  for await (const row of connection.queryStream("select seq from seq_1_to_10")) sum += Number(row.seq);
  await connection.release();
  const failed = await pool.query("select * from nothing").catch((error) => error.code);
  await pool.end();
  const secure = await mariadb.createConnection({ ...settings, ssl: { rejectUnauthorized: false } });
  const [{ Value: cipher }] = await secure.query("show status like 'Ssl_cipher'");
  await secure.end();
  return [batch.affectedRows, [...rows], sum, failed, cipher !== ""];
};
