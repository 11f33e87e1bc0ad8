import colorsys


def init(context):
    colorsys.rgb_to_yiq = lambda *colour: "patched"
