import { Color } from "./color.mts";

export const handler = async (event: { items: string[] }) => ({
  first: event.items[0]!,
  color: Color.Green,
  name: Color[Color.Green],
  level: "low" as const,
  point: [1, 2] satisfies number[],
  area: 6,
  label: `${event.items.length} items`,
  overload: typeof (1 as unknown),
  private: 3,
});
