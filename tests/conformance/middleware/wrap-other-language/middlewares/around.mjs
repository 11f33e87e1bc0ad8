export const wrap = (handler) => handler;
