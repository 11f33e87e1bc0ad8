exports.api = { users: {} };
exports.api.users.get = ({ id }) => ({ user: id });
