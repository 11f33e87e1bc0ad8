export const kept: string = "kept";
(globalThis as { found?: string[] }).found = ["kept"];
