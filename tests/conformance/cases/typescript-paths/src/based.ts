export const based: string = "based";
