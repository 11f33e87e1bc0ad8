import { parentPort, workerData } from "node:worker_threads";

const value: number = workerData;
parentPort!.postMessage(value * 3);
