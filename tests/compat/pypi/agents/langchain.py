# langchain, langchain-openai, langchain-anthropic, langgraph: prompts, chains, tools, streams, an agent, a graph with a memory
import asyncio
import operator
from typing import Annotated, TypedDict
from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import MemorySaver
from langgraph.graph import END, START, StateGraph


@tool
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


class State(TypedDict):
    n: int
    seen: Annotated[list, operator.add]


def handler(event, context):
    model = ChatOpenAI(model="m")
    chain = ChatPromptTemplate.from_template("{question}") | model | StrOutputParser()
    agent = create_agent(model, [add])
    messages = agent.invoke({"messages": [("user", "40 + 2?")]})["messages"]
    graph = (
        StateGraph(State)
        .add_node("double", lambda state: {"n": 2 * state["n"], "seen": [state["n"]]})
        .add_edge(START, "double")
    )
    graph = graph.add_conditional_edges("double", lambda state: "double" if state["n"] < 20 else END).compile(
        checkpointer=MemorySaver()
    )
    return [
        chain.invoke({"question": "?"}),
        list(chain.stream({"question": "?"})),
        asyncio.run(chain.ainvoke({"question": "?"})),
        ChatAnthropic(model="m").invoke("?").content,
        [[message.type, message.content] for message in messages],
        graph.invoke({"n": 3, "seen": []}, {"configurable": {"thread_id": "1"}}),
    ]
