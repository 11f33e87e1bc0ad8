// With an instance to itself: see the case that it takes its handler from.
export { handler } from "../node-workers-unheard/handler.mjs";
