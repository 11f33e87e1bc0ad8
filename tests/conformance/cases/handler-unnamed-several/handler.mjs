export const get = () => "get";
export const post = () => "post";
