export const kind = "js of type module";
