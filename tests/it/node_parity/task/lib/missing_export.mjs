import { absent } from "./esm.mjs";
