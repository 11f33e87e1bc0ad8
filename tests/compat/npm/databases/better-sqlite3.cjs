// better-sqlite3: an embedded database
const Database = require("better-sqlite3");

exports.handler = async () => {
  const db = new Database(":memory:");
  db.exec("create table t (n int)");
  db.prepare("insert into t values (?)").run(1);
  return db.prepare("select * from t").all();
};
