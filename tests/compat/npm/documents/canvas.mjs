// @napi-rs/canvas: drawing by a native addon
import { createCanvas } from "@napi-rs/canvas";

export const handler = async () => {
  const canvas = createCanvas(20, 10);
  const context = canvas.getContext("2d");
  context.fillStyle = "#0f0";
  context.fillRect(0, 0, 10, 10);
  return [
    [...context.getImageData(5, 5, 1, 1).data],
    [...context.getImageData(15, 5, 1, 1).data],
    (await canvas.encode("png")).subarray(1, 4).toString(),
  ];
};
