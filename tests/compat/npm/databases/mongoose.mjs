// mongoose: schemas, validation and casts; no server
import mongoose from "mongoose";

export const handler = async () => {
  const schema = new mongoose.Schema({
    name: { type: String, required: true, trim: true },
    age: { type: Number, min: 0 },
    tags: [String],
  });
  schema.virtual("loud").get(function () {
    return this.name.toUpperCase();
  });
  const Pet = mongoose.models.Pet ?? mongoose.model("Pet", schema);
  const pet = new Pet({ name: " Rex ", age: "3", tags: ["a"] });
  const wrong = new Pet({ age: -1 }).validateSync();
  return [pet.name, pet.loud, pet.age, pet.toObject().tags, Object.keys(wrong.errors).sort()];
};
