export default { createElement: (type: string) => ({ factory: "react", type }) };
