export const star: string = "lib/star";
