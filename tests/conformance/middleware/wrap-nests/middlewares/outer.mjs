export const wrap = (handler) => async (event, context) => ({ outer: await handler(event, context) });
