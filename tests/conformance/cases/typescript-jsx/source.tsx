/** @jsxImportSource tiny */
export const source = <i />;
