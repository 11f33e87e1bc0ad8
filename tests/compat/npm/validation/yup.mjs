// yup: schemas with casts and asynchronous tests
import * as yup from "yup";

export const handler = async () => {
  const schema = yup.object({
    name: yup.string().required(),
    age: yup.number().min(1),
    even: yup.number().test("even", "is odd", async (n) => n % 2 === 0),
  });
  return [
    await schema.validate({ name: "a", age: "3", even: 2 }),
    await schema.validate({ age: 0, even: 1 }, { abortEarly: false }).catch((error) => error.errors.sort()),
  ];
};
