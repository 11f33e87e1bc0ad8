export const suffix: string = "suffix";
