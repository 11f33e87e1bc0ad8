"""Language models that always say the same, in the forms of OpenAI's and Anthropic's APIs, whole and as event streams; and a
GraphQL API."""

import json

WORDS = ["The ", "answer ", "is ", "42."]
TEXT = "".join(WORDS)


def event(data, name=None):
    return (
        (f"event: {name}\n" if name else "") + f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n"
    ).encode()


def answer(api, parts, asked):
    """Answers what a client has asked."""
    match parts:
        case ["openai", "v1", "chat", "completions"]:
            completions(api, asked)
        case ["openai", "v1", "responses"]:
            responses(api, asked)
        case ["openai", "v1", "embeddings"]:
            inputs = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
            data = [{"object": "embedding", "index": at, "embedding": [0.1, 0.2, 0.3]} for at, _ in enumerate(inputs)]
            usage = {"prompt_tokens": 1, "total_tokens": 1}
            api.send(200, {"object": "list", "model": "m", "data": data, "usage": usage})
        case ["anthropic", "v1", "messages"]:
            messages(api, asked)
        case ["google", *_]:
            part = {"content": {"role": "model", "parts": [{"text": TEXT}]}, "finishReason": "STOP", "index": 0}
            api.send(200, {"candidates": [part], "modelVersion": "m"})
        case _:
            api.send(404, {"error": {"message": "no such model", "type": "not_found_error"}})


def completions(api, asked):
    base = {"id": "c1", "created": 1, "model": "m"}
    tools = asked.get("tools")
    called = any(message["role"] == "tool" for message in asked["messages"])
    if asked.get("stream"):
        pieces = [
            {
                **base,
                "object": "chat.completion.chunk",
                "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}],
            }
            for word in WORDS
        ]
        end = {
            **base,
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
        }
        api.send_pieces([event(piece) for piece in [*pieces, end]] + [event("[DONE]")], "text/event-stream")
        return
    message = {"role": "assistant", "content": TEXT}
    reason = "stop"
    if tools and not called:
        name = tools[0]["function"]["name"]
        call = {"id": "call1", "type": "function", "function": {"name": name, "arguments": '{"a": 40, "b": 2}'}}
        message, reason = {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls"
    choice = {"index": 0, "message": message, "finish_reason": reason}
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    api.send(200, {**base, "object": "chat.completion", "choices": [choice], "usage": usage})


def responses(api, asked):
    content = [{"type": "output_text", "text": TEXT, "annotations": []}]
    output = [{"type": "message", "id": "m1", "status": "completed", "role": "assistant", "content": content}]
    usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    whole = {"id": "r1", "object": "response", "created_at": 1, "model": "m", "status": "completed", "output": output}
    whole |= {"usage": usage, "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    if not asked.get("stream"):
        api.send(200, whole)
        return
    place = {"item_id": "m1", "output_index": 0, "content_index": 0}
    steps = [{"type": "response.created", "response": {**whole, "status": "in_progress", "output": []}}]
    steps += [{"type": "response.output_item.added", "output_index": 0, "item": {**output[0], "content": []}}]
    steps += [
        {"type": "response.content_part.added", **place, "part": {"type": "output_text", "text": "", "annotations": []}}
    ]
    steps += [{"type": "response.output_text.delta", **place, "delta": word} for word in WORDS]
    steps += [{"type": "response.output_text.done", **place, "text": TEXT}]
    steps += [{"type": "response.output_item.done", "output_index": 0, "item": output[0]}]
    steps += [{"type": "response.completed", "response": whole}]
    numbered = [{**step, "sequence_number": at} for at, step in enumerate(steps)]
    api.send_pieces([event(step, step["type"]) for step in numbered], "text/event-stream")


def messages(api, asked):
    base = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
    tools = asked.get("tools")
    told = json.dumps(asked["messages"])
    if not asked.get("stream"):
        content, reason = [{"type": "text", "text": TEXT}], "end_turn"
        if tools and "tool_result" not in told:
            content, reason = (
                [{"type": "tool_use", "id": "tool1", "name": tools[0]["name"], "input": {"a": 40, "b": 2}}],
                "tool_use",
            )
        usage = {"input_tokens": 3, "output_tokens": 4}
        api.send(200, {**base, "content": content, "stop_reason": reason, "usage": usage})
        return
    start = {**base, "content": [], "stop_reason": None, "usage": {"input_tokens": 3, "output_tokens": 1}}
    steps = [("message_start", {"message": start})]
    steps += [("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}})]
    steps += [("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": word}}) for word in WORDS]
    steps += [("content_block_stop", {"index": 0})]
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    steps += [("message_delta", {"delta": end, "usage": {"output_tokens": 4}}), ("message_stop", {})]
    api.send_pieces([event({"type": name, **data}, name) for name, data in steps], "text/event-stream")


def graph(body):
    """Answers a query of a GraphQL client."""
    asked = json.loads(body or b"{}")
    if "missing" in asked.get("query", ""):
        return {"errors": [{"message": "no field missing"}]}
    return {"data": {"pet": {"id": (asked.get("variables") or {}).get("id"), "name": "Rex"}}}
