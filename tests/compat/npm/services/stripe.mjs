// stripe: requests with retries, and signatures of webhooks
import Stripe from "stripe";

export const handler = async (event) => {
  const { hostname, port } = new URL(process.env.API_URL);
  const stripe = new Stripe("sk_test_1", {
    host: hostname,
    port: Number(port),
    protocol: "http",
    maxNetworkRetries: 0,
  });
  const made = await stripe.customers.create({ email: "a@b.test", metadata: { n: "1" } });
  const payload = '{"id":"evt_1","object":"event","type":"x"}';
  const header = stripe.webhooks.generateTestHeaderString({ payload, secret: "whsec" });
  let refused;
  try {
    stripe.webhooks.constructEvent(`${payload} `, header, "whsec");
  } catch (error) {
    refused = error.type;
  }
  const taken = (await (await fetch(`${process.env.API_URL}/taken/v1`)).json()).filter((text) =>
    text.includes("customers"),
  );
  return [typeof made, stripe.webhooks.constructEvent(payload, header, "whsec").id, refused, taken.at(-1)];
};
