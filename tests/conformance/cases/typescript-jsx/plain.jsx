export const plain = <s />;
