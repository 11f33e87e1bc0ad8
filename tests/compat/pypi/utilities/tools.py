# click, typer, tqdm, python-dotenv, environs, more-itertools, toolz, boltons, funcy, deepdiff, returns, glom: command lines, variables, values grouped and compared
import io
import boltons.iterutils
import click
import click.testing
import deepdiff
import dotenv
import environs
import funcy
import glom
import more_itertools
import toolz
import tqdm
import typer
from returns.result import safe


@click.command()
@click.option("--n", type=int, required=True)
def command(n):
    click.echo(2 * n)


@safe
def divide(a, b):
    return a / b


def handler(event, context):
    runner = click.testing.CliRunner()
    failed = runner.invoke(command, ["--n", "x"])
    app = typer.Typer()
    app.command()(lambda name: print(f"hi {name}"))
    bar = io.StringIO()
    total = sum(tqdm.tqdm(range(10), file=bar))
    return [
        runner.invoke(command, ["--n", "21"]).output,
        failed.exit_code,
        total,
        "100%" in bar.getvalue(),
        dict(dotenv.dotenv_values(stream=io.StringIO('A=1\nB="x y"'))),
        environs.Env().str("AWS_REGION"),
        [list(chunk) for chunk in more_itertools.chunked(range(5), 2)],
        toolz.groupby(len, ["a", "bb", "c"]),
        boltons.iterutils.split([1, None, 2]),
        funcy.merge({"a": 1}, {"b": 2}),
        deepdiff.DeepDiff({"a": [1]}, {"a": [2]}).to_dict()["values_changed"]["root['a'][0]"],
        str(divide(1, 0)),
        glom.glom({"a": [{"b": 1}]}, ("a", ["b"])),
    ]
