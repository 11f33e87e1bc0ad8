# anthropic: messages, streams, tools, errors, asynchronously
import asyncio
import anthropic

ASKED = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "?"}]}


async def main():
    async with anthropic.AsyncAnthropic() as client, client.messages.stream(**ASKED) as stream:
        return [text async for text in stream.text_stream]


def handler(event, context):
    client = anthropic.Anthropic(max_retries=0)
    with client.messages.stream(**ASKED) as stream:
        texts = list(stream.text_stream)
        usage = stream.get_final_message().usage.output_tokens
    tool = client.messages.create(**ASKED, tools=[{"name": "add", "input_schema": {"type": "object"}}]).content[0]
    try:
        client.models.retrieve("x")
    except anthropic.NotFoundError as error:
        missing = error.status_code
    return [client.messages.create(**ASKED).content[0].text, texts, usage, tool.input, missing, asyncio.run(main())]
