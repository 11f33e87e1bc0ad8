export const view: string = "view";
