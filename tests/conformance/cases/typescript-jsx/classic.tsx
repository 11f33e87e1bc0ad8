/** @jsx h */
const h = (type: string, _props: unknown, ...children: unknown[]) => ({ factory: "h", type, children });

export const classic = <b>bold</b>;
