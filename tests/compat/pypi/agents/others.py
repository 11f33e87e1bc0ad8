# litellm, pydantic-ai, instructor, google-genai, tokenizers: models through other clients; a tokenizer trained here
# set: LITELLM_LOCAL_MODEL_COST_MAP=True
import os
import instructor
import litellm
import openai
from google import genai
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from tokenizers import Tokenizer, models, pre_tokenizers, trainers


class Sum(BaseModel):
    a: int
    b: int


def handler(event, context):
    messages = [{"role": "user", "content": "?"}]
    lite = litellm.completion("openai/m", messages, api_base=os.environ["OPENAI_BASE_URL"]).choices[0].message.content
    agent = Agent(OpenAIChatModel("m")).run_sync("?").output
    typed = instructor.from_openai(openai.OpenAI()).chat.completions.create(
        model="m", messages=messages, response_model=Sum
    )
    client = genai.Client(api_key="k", http_options={"base_url": os.environ["API_URL"] + "/models/google"})
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(
        ["low lower lowest", "new newer"],
        trainers.BpeTrainer(vocab_size=30, special_tokens=["[UNK]"], show_progress=False),
    )
    return [
        lite,
        agent,
        typed.model_dump(),
        client.models.generate_content(model="m", contents="?").text,
        tokenizer.encode("lower newest").tokens,
    ]
