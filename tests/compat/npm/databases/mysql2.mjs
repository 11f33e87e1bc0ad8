// mysql2: prepared statements, types, transactions, streams of rows, TLS
// needs: mariadb
import mysql from "mysql2/promise";
import { readFileSync } from "node:fs";

export const handler = async () => {
  const settings = {
    host: "127.0.0.1",
    port: Number(process.env.MYSQL_TCP_PORT),
    user: "trine",
    password: "secret",
    database: "trine",
  };
  const pool = mysql.createPool({ ...settings, connectionLimit: 2, timezone: "Z" });
  await pool.query("drop table if exists npm_mysql2");
  await pool.query(
    "create table npm_mysql2 (id int auto_increment primary key, name varchar(20) character set utf8mb4, price decimal(8,2), at datetime, bytes blob, big bigint)",
  );
  const [made] = await pool.execute("insert into npm_mysql2 (name, price, at, bytes, big) values (?, ?, ?, ?, ?)", [
    "Réx",
    "1.50",
    new Date(0),
    Buffer.from([1, 2]),
    "9007199254740993",
  ]);
  const [rows] = await pool.execute({ sql: "select * from npm_mysql2 where id = ?", supportBigNumbers: true }, [
    made.insertId,
  ]);
  const connection = await pool.getConnection();
  await connection.beginTransaction();
  await connection.query("delete from npm_mysql2");
  await connection.rollback();
  connection.release();
  const [[{ n }]] = await pool.query("select count(*) as n from npm_mysql2");
  const failed = await pool.query("select * from nothing").catch((error) => error.code);
  let streamed = 0;
  for await (const row of pool.pool.query("select seq from seq_1_to_100").stream()) streamed += row.seq;
  const secure = await mysql.createConnection({
    ...settings,
    ssl: { ca: readFileSync(process.env.AUTHORITY_FILE, "utf8"), rejectUnauthorized: false },
  });
  const [[{ Value: cipher }]] = await secure.query("show status like 'Ssl_cipher'");
  await secure.end();
  await pool.end();
  return [rows, n, failed, streamed, cipher !== ""];
};
