import "./reflect";
import { Clock, Shape } from "./clock";

const metadata = (key: string, target: object, name?: string): any => (Reflect as any).getMetadata(key, target, name);
const order: string[] = [];
const marks: number[] = [];

const injectable = (): ClassDecorator => (target) => {
  Object.assign(target, { made: metadata("design:paramtypes", target) });
};

const mark = (_target: object, _name: undefined, index: number): void => {
  marks.push(index);
};

const watched = (target: object, name: string): void => {
  Object.defineProperty(target, name, {
    get: () => "accessor",
    set: () => {},
  });
};

const column = (_target: object, _name: string): void => {};

const wrap = (_target: object, _name: string, descriptor: PropertyDescriptor): void => {
  const before = descriptor.value;
  descriptor.value = async function (this: unknown) {
    return `wr${await before.call(this)}`;
  };
};

const say = (word: string) => (_target: object, _name: string, _descriptor: PropertyDescriptor) => {
  order.push(word);
};

@injectable()
class Service {
  static count = 4;
  size: number = 5;

  @column
  age!: number;

  @watched
  seen!: string;

  ready = this.clock.name;

  constructor(
    private readonly clock: Clock,
    @mark public shape: Shape,
    public name: string,
    public list: Clock[],
    readonly when: Date,
  ) {}

  @wrap
  async work(): Promise<string> {
    return "apped";
  }

  @say("second")
  @say("first")
  both(): void {}
}

export const handler = async (): Promise<unknown> => {
  const types: { name: string; }[] = (Service as any).made;
  const service: any = new Service(new Clock(), { edges: 1 }, "n", [], new Date());
  return {
    injected: service.ready,
    parameters: types.map((type) => type.name),
    marked: marks,
    property: metadata("design:type", Service.prototype, "age").name,
    returns: metadata("design:returntype", Service.prototype, "work").name,
    kept: [service.seen, service.size],
    fields: Object.keys(service),
    method: await service.work(),
    sealed: !("age" in service),
    order,
    static: Service.count,
  };
};
