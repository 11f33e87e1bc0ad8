export const self: string = "index";
