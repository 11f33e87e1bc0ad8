const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let state = "started";

export const handler = async (event) => {
  if (event === "start") {
    sleep(20).then(() => {
      state = "done";
    });
  } else {
    await sleep(60);
  }
  return state;
};
