import { parentPort, workerData } from "node:worker_threads";
import { double } from "./double";

parentPort!.postMessage(`double ${double(workerData as number)}`);
