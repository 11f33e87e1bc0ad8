export const before = (_event, context) => {
  context.state.list = ["open"];
};

export const after = (_response, context) => context.state.list;
