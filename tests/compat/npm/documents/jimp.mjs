// jimp: images without native code
import { Jimp } from "jimp";

export const handler = async () => {
  const image = new Jimp({ width: 20, height: 10, color: 0xff0000ff });
  image.resize({ w: 10, h: 5 }).rotate(90);
  const jpeg = await image.getBuffer("image/jpeg");
  const back = await Jimp.read(await image.getBuffer("image/png"));
  return [back.width, back.height, back.getPixelColor(2, 5).toString(16), jpeg.subarray(0, 3).toString("hex")];
};
