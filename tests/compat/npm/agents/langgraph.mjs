// @langchain/langgraph: a graph with a condition and a memory
import { Annotation, END, MemorySaver, START, StateGraph } from "@langchain/langgraph";

export const handler = async () => {
  const State = Annotation.Root({
    n: Annotation(),
    seen: Annotation({ reducer: (a, b) => [...a, ...b], default: () => [] }),
  });
  const graph = new StateGraph(State)
    .addNode("double", ({ n }) => ({ n: 2 * n, seen: [n] }))
    .addEdge(START, "double")
    .addConditionalEdges("double", ({ n }) => (n < 20 ? "double" : END))
    .compile({ checkpointer: new MemorySaver() });
  const result = await graph.invoke({ n: 3 }, { configurable: { thread_id: "1" } });
  return [result, (await graph.getState({ configurable: { thread_id: "1" } })).values.n];
};
