// ajv, ajv-formats: compiled JSON Schemas with formats and references
import Ajv from "ajv";
import addFormats from "ajv-formats";

export const handler = async () => {
  const ajv = addFormats(new Ajv({ allErrors: true, coerceTypes: true }));
  ajv.addSchema({ $id: "owner", type: "object", properties: { email: { type: "string", format: "email" } } });
  const validate = ajv.compile({
    type: "object",
    required: ["name"],
    additionalProperties: false,
    properties: { name: { type: "string", pattern: "^\\p{L}+$" }, age: { type: "integer" }, owner: { $ref: "owner" } },
  });
  const pet = { name: "Réx", age: "3" };
  return [
    validate(pet),
    pet,
    validate({ age: "x", owner: { email: "no" }, z: 1 }),
    validate.errors.map(({ keyword, instancePath }) => [keyword, instancePath]),
  ];
};
