setTimeout(() => process.exit(5), 1);
await new Promise((resolve) => setTimeout(resolve, 100));
