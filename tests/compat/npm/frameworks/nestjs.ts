// @nestjs/core, @nestjs/common, @nestjs/platform-express, reflect-metadata, class-validator, class-transformer: an application in TypeScript with controllers, injection by type, pipes, guards
import "reflect-metadata";
import {
  Body,
  CanActivate,
  Controller,
  ExecutionContext,
  Get,
  Injectable,
  Module,
  Param,
  ParseIntPipe,
  Post,
  UseGuards,
  ValidationPipe,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { Type } from "class-transformer";
import { IsEmail, IsInt } from "class-validator";

class Pet {
  @IsEmail() owner!: string;
  @IsInt() @Type(() => Number) age!: number;
}

@Injectable()
class Pets {
  find(id: number) {
    return { id, name: "Rex" };
  }
}

@Injectable()
class Guard implements CanActivate {
  canActivate(context: ExecutionContext) {
    return context.switchToHttp().getRequest().headers.token === "t";
  }
}

@Controller("pets")
class PetsController {
  constructor(private readonly pets: Pets) {}

  @Get(":id")
  one(@Param("id", ParseIntPipe) id: number) {
    return this.pets.find(id);
  }

  @Post()
  @UseGuards(Guard)
  make(@Body() pet: Pet) {
    return { ...pet, type: pet.constructor.name };
  }
}

@Module({ controllers: [PetsController], providers: [Pets] })
class App {}

export const handler = async () => {
  const app = await NestFactory.create(App, { logger: false });
  app.useGlobalPipes(new ValidationPipe({ transform: true }));
  await app.listen(0, "127.0.0.1");
  const base = await app.getUrl();
  const post = (body: unknown, token = "t") =>
    fetch(`${base}/pets`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", token },
    }).then((reply) => reply.json());
  const told = [
    await (await fetch(`${base}/pets/7`)).json(),
    await (await fetch(`${base}/pets/x`)).json(),
    await post({ owner: "a@b.test", age: "3" }),
    await post({ owner: "no", age: 1 }),
    await post({}, "wrong"),
  ];
  await app.close();
  return told;
};
