// sql.js: an embedded database in WebAssembly
import initSqlJs from "sql.js";

export const handler = async () => {
  const SQL = await initSqlJs();
  const db = new SQL.Database();
  db.run("create table t (id int, name text)");
  db.run("insert into t values (?, ?)", [1, "é"]);
  const rows = db.exec("select * from t");
  const size = db.export().length;
  db.close();
  return [rows, size];
};
