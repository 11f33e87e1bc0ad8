export const value = "plain";
