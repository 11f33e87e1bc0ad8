export const dots: string = "a.service";
