import { classic } from "./classic";
import { source } from "./source";
import { react } from "./react";
import { plain } from "./plain";

type Props = { name: string };
const Same = <T,>(value: T): T => value;

export const handler = (event: string) => {
  const { name }: Props = { name: Same(event) };
  return { ...<p id={name}>Hello {name}</p>, classic, source, react, plain, fragment: (<></>).type };
};
