import "./reflect";

const sees = (_target: object, _name: string): void => {};

class Rows {
  @sees maybe!: string | null;
  @sees missing?: number;
  @sees there!: string;
}

export const handler = (): unknown =>
  ["maybe", "missing", "there"].map((name) => (Reflect as any).getMetadata("design:type", Rows.prototype, name).name);
