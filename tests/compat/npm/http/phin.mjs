// phin: GET and POST
import phin from "phin";

export const handler = async () => {
  const call = phin.default ?? phin.phin ?? phin;
  const hello = await call({ url: `${process.env.API_URL}/hello`, parse: "json" });
  return [hello.statusCode, hello.body];
};
