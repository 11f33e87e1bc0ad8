export const error = () => "rescued";
