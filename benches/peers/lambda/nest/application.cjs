// A Nest application of two providers, one of which is handed the other. As TypeScript's compiler makes it of classes
// with decorators, CommonJS.
require("reflect-metadata");
const { Injectable, Module } = require("@nestjs/common");

class Counter {
  count = 0;

  next() {
    this.count += 1;
    return this.count;
  }
}
Injectable()(Counter);

class Echo {
  constructor(counter) {
    this.counter = counter;
  }

  answer(event) {
    return this.counter.next() > 0 ? event : undefined;
  }
}
Injectable()(Echo);
Reflect.defineMetadata("design:paramtypes", [Counter], Echo);

class Application {}
Module({ providers: [Counter, Echo] })(Application);

module.exports = { Application, Echo };
