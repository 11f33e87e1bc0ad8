type Method = (this: any, ...args: any[]) => any;

const seen: unknown[] = [];
const order: string[] = [];

function named<T extends new (...args: any[]) => object>(target: T, context: ClassDecoratorContext<T>) {
  return class extends target {
    static described = [context.name, context.kind];
  };
}

function plusOne(method: Method, context: ClassMethodDecoratorContext) {
  seen.push(context.kind, context.name, context.static, context.private);
  return function (this: unknown, ...args: unknown[]) {
    return method.apply(this, args) - 1;
  };
}

function doubled(_: undefined, context: ClassFieldDecoratorContext) {
  return (value: number) => (seen.push(context.kind), 2 * value);
}

function tenfold(getter: () => number, _context: ClassGetterDecoratorContext) {
  return function (this: unknown) {
    return 10 * getter.call(this as never);
  };
}

function logged(target: ClassAccessorDecoratorTarget<any, number>, _context: ClassAccessorDecoratorContext) {
  return {
    get(this: unknown) {
      return target.get.call(this);
    },
    set(this: unknown, value: number) {
      target.set.call(this, value + 10);
    },
  };
}

function bound(_method: Method, context: ClassMethodDecoratorContext) {
  context.addInitializer(function (this: any) {
    this[context.name] = this[context.name].bind(this);
  });
}

function loud(method: Method, _context: ClassMethodDecoratorContext) {
  return function (this: unknown) {
    return `${method.call(this)}!`;
  };
}

function ordered(name: string) {
  order.push(`factory ${name}`);
  return (_method: Method, _context: ClassMethodDecoratorContext) => {
    order.push(name);
  };
}

@named
class Service {
  @doubled
  size = 2;

  @logged
  accessor level: number = 1;

  word = "bound";

  @plusOne
  double(value: number): number {
    return 2 * value;
  }

  @tenfold
  get three(): number {
    return 3;
  }

  @bound
  say(): string {
    return this.word;
  }

  @loud
  static shout(): string {
    return "static";
  }

  @loud
  #hidden(): string {
    return "hidden";
  }

  reveal(): string {
    return this.#hidden();
  }

  @ordered("a")
  @ordered("b")
  nothing(): void {}
}

export const handler = (event: number): unknown => {
  const service = new Service();
  const { say } = service;
  const first = service.level;
  service.level = 1;
  return {
    class: (Service as any).described,
    method: [service.double(event), ...seen.slice(0, 4)],
    field: [service.size, seen.at(-1)],
    getter: service.three,
    accessor: [first, service.level],
    bound: say(),
    static: Service.shout(),
    private: service.reveal(),
    order,
    replaced: service instanceof Service,
    stack: service.double(2),
  };
};
