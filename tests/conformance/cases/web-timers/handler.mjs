export const handler = () =>
  new Promise((resolve) => {
    const seen = [];
    setTimeout(() => seen.push("two"), 100);
    setTimeout(() => seen.push("one"), 1);
    clearTimeout(setTimeout(() => seen.push("cleared"), 5));
    Promise.resolve().then(() => seen.push("micro"));
    seen.push("sync");
    setTimeout(() => {
      let ticks = 0;
      const interval = setInterval(() => {
        seen.push("tick");
        if (++ticks === 3) {
          clearInterval(interval);
          resolve(seen);
        }
      }, 2);
    }, 200);
  });
