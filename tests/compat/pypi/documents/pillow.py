# pillow, imageio, opencv-python-headless, qrcode, python-barcode, svgwrite: images made, changed, converted, codes
import io
import barcode
import cv2
import imageio.v3 as imageio
import numpy
import qrcode
import svgwrite
from PIL import Image, ImageDraw, ImageFilter, ImageFont


def handler(event, context):
    image = Image.new("RGB", (64, 32), "red")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 31, 31), "blue")
    draw.text((2, 2), "é", font=ImageFont.load_default(), fill="white")
    small = image.resize((16, 8), Image.Resampling.LANCZOS).rotate(90, expand=True).filter(ImageFilter.GaussianBlur(1))
    told = []
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "AVIF"):
        sink = io.BytesIO()
        small.save(sink, kind)
        told.append([kind, Image.open(io.BytesIO(sink.getvalue())).size])
    grey = cv2.cvtColor(numpy.array(image), cv2.COLOR_RGB2GRAY)
    _, png = cv2.imencode(".png", cv2.Canny(grey, 50, 100))
    gif = imageio.imwrite("<bytes>", numpy.zeros((2, 4, 4, 3), numpy.uint8), extension=".gif")
    sink = io.BytesIO()
    barcode.get("ean13", "123456789012").write(sink)
    return told + [
        image.getpixel((60, 20)),
        cv2.imdecode(png, 0).shape,
        gif[:3].decode(),
        len(qrcode.make("hello").get_image().tobytes()) > 0,
        b"<svg" in sink.getvalue(),
        svgwrite.Drawing().tostring()[:4],
    ]
