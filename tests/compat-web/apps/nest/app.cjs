// @nestjs/core, @nestjs/common, @nestjs/platform-express: controllers, providers, pipes and filters, without a compiler
// server: node
require("reflect-metadata");
const { createHash } = require("node:crypto");
const common = require("@nestjs/common");
const { NestFactory } = require("@nestjs/core");
const { FileInterceptor } = require("@nestjs/platform-express");
const express = require("express");
const session = require("express-session");

/** Puts decorators on a method, and on its parameters, as TypeScript's compiler would. */
function decorate(target, name, decorators, parameters = []) {
  parameters.forEach((decorator, at) => decorator(target.prototype, name, at));
  const descriptor = Object.getOwnPropertyDescriptor(target.prototype, name);
  Reflect.decorate(decorators, target.prototype, name, descriptor);
}

class Greeter {
  greet(name) { return { hello: name }; }
}
common.Injectable()(Greeter);

class Controller {
  constructor(greeter) { this.greeter = greeter; }
  json(name) { return this.greeter.greet(name ?? "world"); }
  upload(file, body) {
    return { title: body.title, filename: file.originalname, type: file.mimetype, size: file.size };
  }
  login(user, session) { session.user = user; return { ok: true }; }
  me(session) {
    if (!session.user) throw new common.UnauthorizedException("who are you?");
    return { user: session.user };
  }
  stream() { return new common.StreamableFile(Buffer.from("row 0\nrow 1\n"), { type: "text/plain" }); }
  error() { throw new Error("an error of the application"); }
  old() {}
  large(body) { return { size: body.length, sha256: createHash("sha256").update(body).digest("hex") }; }
  items(body) {
    if (!body.name) throw new common.UnprocessableEntityException("name is needed");
    return { name: body.name };
  }
  number(value) { return { number: value }; }
}
Reflect.defineMetadata("design:paramtypes", [Greeter], Controller);
common.Controller()(Controller);
decorate(Controller, "json", [common.Get("json")], [common.Query("name")]);
decorate(
  Controller, "upload",
  [common.Post("upload"), common.HttpCode(200), common.UseInterceptors(FileInterceptor("file"))],
  [common.UploadedFile(), common.Body()],
);
decorate(Controller, "login", [common.Get("login")], [common.Query("user"), common.Session()]);
decorate(Controller, "me", [common.Get("me")], [common.Session()]);
decorate(Controller, "stream", [common.Get("stream")]);
decorate(Controller, "error", [common.Get("error")]);
decorate(Controller, "old", [common.Get("old"), common.Redirect("/json?name=redirected", 302)]);
decorate(Controller, "large", [common.Post("large"), common.HttpCode(200)], [common.Body()]);
decorate(Controller, "items", [common.Post("items")], [common.Body()]);
decorate(Controller, "number", [common.Get("number/:value")], [common.Param("value", common.ParseIntPipe)]);

class Application {}
common.Module({ controllers: [Controller], providers: [Greeter] })(Application);

async function main() {
  const app = await NestFactory.create(Application, { logger: false, bodyParser: false });
  app.use(express.json());
  app.use(express.raw({ type: "application/octet-stream", limit: "16mb" }));
  app.use(session({ secret: "secret", resave: false, saveUninitialized: false }));
  app.useStaticAssets(`${__dirname}/static`, { prefix: "/static" });
  await app.listen(process.env.PORT, "127.0.0.1");
}

main();
