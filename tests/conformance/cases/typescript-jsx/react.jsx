import React from "./react-like";

export const react = <u />;
