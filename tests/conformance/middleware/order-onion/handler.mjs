export const handler = (event) => ({ trail: [...event.trail, "handler"] });
