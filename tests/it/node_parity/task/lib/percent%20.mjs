export const kind = import.meta.url.split("/").at(-1);
