// inversify, tsyringe, awilix: injection by types and by names in TypeScript
import "reflect-metadata";
import { Container, inject, injectable } from "inversify";
import { container, injectable as tsInjectable, singleton } from "tsyringe";
import { asClass, asValue, createContainer } from "awilix";

@injectable()
class Engine {
  power = 7;
}

@injectable()
class Car {
  constructor(@inject(Engine) readonly engine: Engine) {}
}

@singleton()
class Clock {
  now = 5;
}

@tsInjectable()
class Watch {
  constructor(readonly clock: Clock) {}
}

class Plain {
  constructor(readonly options: { size: number }) {}
}

export const handler = async () => {
  const ioc = new Container({ defaultScope: "Singleton" });
  ioc.bind(Engine).toSelf();
  ioc.bind(Car).toSelf();
  const awilix = createContainer().register({ size: asValue(3), plain: asClass(Plain) });
  return [
    ioc.get(Car).engine.power,
    ioc.get(Car) === ioc.get(Car),
    container.resolve(Watch).clock.now,
    container.resolve(Watch).clock === container.resolve(Clock),
    awilix.resolve<Plain>("plain").options.size,
  ];
};
