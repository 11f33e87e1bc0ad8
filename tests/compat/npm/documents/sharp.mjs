// sharp: images made, resized, turned, composed and converted by its native library
import sharp from "sharp";

export const handler = async () => {
  const png = await sharp({ create: { width: 64, height: 32, channels: 3, background: "#f00" } })
    .png()
    .toBuffer();
  const overlay = await sharp({ create: { width: 8, height: 8, channels: 4, background: "#00f" } })
    .png()
    .toBuffer();
  const told = [];
  for (const format of ["jpeg", "webp", "avif", "tiff", "gif"]) {
    const { info, data } = await sharp(png)
      .resize(16)
      .rotate(90)
      .composite([{ input: overlay }])
      .toFormat(format)
      .toBuffer({ resolveWithObject: true });
    told.push([info.format, info.width, info.height, data.length > 0]);
  }
  const { data } = await sharp(png).resize(1, 1).raw().toBuffer({ resolveWithObject: true });
  const svg = await sharp(
    Buffer.from('<svg width="10" height="10"><rect width="10" height="10" fill="lime"/></svg>'),
  ).stats();
  return [
    told,
    [...data],
    svg.dominant,
    (await sharp(png).metadata()).space,
    await sharp(Buffer.from("x"))
      .toBuffer()
      .catch((error) => error.message),
  ];
};
