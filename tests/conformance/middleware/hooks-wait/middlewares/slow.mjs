const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

export const before = async (event, context) => {
  context.state.n = event.n;
  await pause();
};

export const after = async (response, context) => {
  await pause();
  return [response.n, context.state.n];
};
