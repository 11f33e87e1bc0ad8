// joi: schemas with references, conversions and messages
import Joi from "joi";

export const handler = async () => {
  const schema = Joi.object({
    a: Joi.number().required(),
    b: Joi.number().greater(Joi.ref("a")),
    at: Joi.date().iso(),
    mail: Joi.string().email({ tlds: false }),
  });
  return [
    schema.validate({ a: "1", b: 2, at: "2026-01-01" }).value,
    schema.validate({ a: 3, b: 2, mail: "x" }, { abortEarly: false }).error.details.map(({ message }) => message),
  ];
};
