// objection: models with relations over PostgreSQL
// needs: postgres
const knex = require("knex");
const { Model } = require("objection");

exports.handler = async () => {
  const db = knex({ client: "pg", connection: process.env.POSTGRES_URL, pool: { min: 0, max: 2 } });
  await db.raw(
    "drop table if exists npm_obj_pet; drop table if exists npm_obj_owner; create table npm_obj_owner (id serial primary key, name text); create table npm_obj_pet (id serial primary key, name text, owner_id int)",
  );
  class Pet extends Model {
    static tableName = "npm_obj_pet";
  }
  class Owner extends Model {
    static tableName = "npm_obj_owner";
    static relationMappings = {
      pets: {
        relation: Model.HasManyRelation,
        modelClass: Pet,
        join: { from: "npm_obj_owner.id", to: "npm_obj_pet.owner_id" },
      },
    };
  }
  await Owner.query(db).insertGraph({ name: "Ann", pets: [{ name: "Rex" }, { name: "Tom" }] });
  const found = await Owner.query(db).withGraphFetched("pets");
  await db.destroy();
  return JSON.parse(JSON.stringify(found));
};
