export const wrap = (handler) => async (event, context) => {
  const response = await handler({ ...event, wrapped: true }, context);
  return { inside: response };
};

export const before = (event) => ({ ...event, before: "wrapped" in event });

export const after = (response) => ({ outside: response });
