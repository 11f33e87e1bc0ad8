// sequelize: models, associations, transactions, validation over PostgreSQL and MariaDB
// needs: postgres, mariadb
const { Sequelize, DataTypes } = require("sequelize");

exports.handler = async () => {
  const told = [];
  for (const url of [process.env.POSTGRES_URL, process.env.MYSQL_URL]) {
    const db = new Sequelize(url, {
      logging: false,
      dialectModule: url.startsWith("mysql") ? require("mysql2") : require("pg"),
    });
    const Owner = db.define(
      "npm_seq_owner",
      { name: { type: DataTypes.STRING, validate: { len: [2, 10] } } },
      { timestamps: false },
    );
    const Pet = db.define("npm_seq_pet", { name: DataTypes.STRING, data: DataTypes.JSON }, { timestamps: false });
    Owner.hasMany(Pet);
    await db.sync({ force: true });
    const owner = await Owner.create(
      { name: "Ann", npm_seq_pets: [{ name: "Rex", data: { a: 1 } }] },
      { include: Pet },
    );
    const found = await Owner.findOne({ where: { id: owner.id }, include: Pet });
    const wrong = await Owner.create({ name: "A" }).catch((error) => error.name);
    const rolled = await db
      .transaction(async (transaction) => {
        await Owner.destroy({ where: {}, transaction });
        throw new Error("no");
      })
      .catch((error) => error.message);
    told.push(
      found.npm_seq_pets.map(({ name }) => name),
      wrong,
      rolled,
      await Owner.count(),
    );
    await db.close();
  }
  return told;
};
