console.error("before the end");
throw new Error("after a log");
