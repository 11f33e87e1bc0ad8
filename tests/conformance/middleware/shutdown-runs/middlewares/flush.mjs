let served = 0;

export const before = () => {
  served += 1;
};

export const shutdown = () => {
  console.log(`flushed after ${served}`);
};
