import { dom } from "./dom";

export const handler = (event) => <p id={event}><>text</></p>;
