# openai: completions, responses, streams, tools, embeddings, errors, asynchronously, against a model's API of ours
import asyncio
import openai


async def main():
    async with openai.AsyncOpenAI() as client:
        stream = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "?"}], stream=True
        )
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


def handler(event, context):
    client = openai.OpenAI(max_retries=0)
    messages = [{"role": "user", "content": "?"}]
    whole = client.chat.completions.create(model="m", messages=messages).choices[0].message.content
    streamed = [
        chunk.choices[0].delta.content
        for chunk in client.chat.completions.create(model="m", messages=messages, stream=True)
    ]
    tools = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}]
    call = (
        client.chat.completions.create(model="m", messages=messages, tools=tools)
        .choices[0]
        .message.tool_calls[0]
        .function
    )
    events = [item.type for item in client.responses.create(model="m", input="?", stream=True)]
    try:
        client.models.list()
    except openai.NotFoundError as error:
        missing = error.status_code
    return [
        whole,
        streamed,
        [call.name, call.arguments],
        client.responses.create(model="m", input="?").output_text,
        events,
        len(client.embeddings.create(model="m", input=["a", "b"], encoding_format="float").data),
        missing,
        asyncio.run(main()),
    ]
