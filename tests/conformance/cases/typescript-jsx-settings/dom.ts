export const dom = { make: (...all: unknown[]) => all, fragment: "#fragment" };
