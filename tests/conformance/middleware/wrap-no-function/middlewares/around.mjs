export const wrap = () => 42;
