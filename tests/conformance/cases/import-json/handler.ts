import settings from "./settings.json" with { type: "json" };

export const handler = (): { name: string; list: number[] } => settings;
