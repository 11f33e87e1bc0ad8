from pathlib import Path


def handler(event, context):
    return (Path(__file__).parent / "data.txt").read_text()
