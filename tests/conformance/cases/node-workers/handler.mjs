import { Worker } from "node:worker_threads";
import handlerOf from "./cases.cjs";

export const handler = handlerOf(Worker, import.meta.url);
