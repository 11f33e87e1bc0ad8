export const lazy = () => "loaded when it is asked for";
