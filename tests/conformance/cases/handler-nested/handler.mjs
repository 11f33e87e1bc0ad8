export const api = {
  users: {
    get: ({ id }) => ({ user: id }),
  },
};
