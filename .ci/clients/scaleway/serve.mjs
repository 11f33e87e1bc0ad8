// Serves the handler with Scaleway's own library: serve.mjs PORT
import { serveHandler } from "@scaleway/serverless-functions";
import { handle } from "./handler.mjs";

serveHandler(handle, Number(process.argv[2]));
