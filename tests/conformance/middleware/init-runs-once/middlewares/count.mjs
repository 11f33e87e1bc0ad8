let inits = 0;

export const init = () => {
  inits += 1;
};

export const before = () => inits;
