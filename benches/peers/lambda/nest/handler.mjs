// The application's context is made while the function is loaded, so that no event has to wait for it.
import { NestFactory } from "@nestjs/core";
import { Application, Echo } from "./application.cjs";

const application = await NestFactory.createApplicationContext(Application, { logger: false });
const echo = application.get(Echo);

export const handler = async (event) => echo.answer(event);
