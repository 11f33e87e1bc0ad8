import { dom } from "./dom";

export const handler = (event: string) => <p id={event}><>text</></p>;
