# matplotlib, sympy, networkx, shapely: plots, formulas, graphs, shapes
import io
import matplotlib
import networkx
import shapely
import sympy

matplotlib.use("agg")
import matplotlib.pyplot as plt


def handler(event, context):
    figure, axes = plt.subplots()
    axes.plot([1, 2], [3, 4])
    sinks = [io.BytesIO(), io.BytesIO()]
    figure.savefig(sinks[0], format="png")
    figure.savefig(sinks[1], format="svg")
    plt.close(figure)
    x = sympy.symbols("x")
    graph = networkx.path_graph(5)
    return [
        sinks[0].getvalue()[1:4].decode(),
        b"<svg" in sinks[1].getvalue(),
        str(sympy.integrate(sympy.sin(x) ** 2, x)),
        [str(root) for root in sympy.solve(x**2 - 2)],
        networkx.shortest_path(graph, 0, 4),
        round(networkx.pagerank(graph)[2], 6),
        shapely.Point(0, 0).buffer(1).intersection(shapely.box(0, 0, 2, 2)).area.__round__(4),
    ]
