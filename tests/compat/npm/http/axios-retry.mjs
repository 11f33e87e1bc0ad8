// axios-retry: retries what answers 503 twice
import axios from "axios";
import axiosRetry from "axios-retry";

export const handler = async (event) => {
  const client = axios.create({ baseURL: process.env.API_URL });
  axiosRetry(client, { retries: 3, retryDelay: () => 10 });
  const reply = await client.get(`/flaky/axios-retry-${process.versions.v8}-${event.call}`);
  return [reply.status, reply.config["axios-retry"].retryCount];
};
