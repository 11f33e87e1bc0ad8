export const wrap = (handler) => async (event, context) => ({ inner: await handler(event, context) });
