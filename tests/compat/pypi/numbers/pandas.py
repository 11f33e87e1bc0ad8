# pandas, pyarrow, polars: frames grouped, joined, written to Parquet and CSV and read by each other
import io
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def handler(event, context):
    frame = pd.DataFrame(
        {"k": ["a", "b", "a"], "n": [1, 2, 3], "at": pd.date_range("2026-01-01", periods=3, tz="Europe/Berlin")}
    )
    sink = io.BytesIO()
    frame.to_parquet(sink)
    table = pq.read_table(sink)
    sink.seek(0)
    lazy = pl.read_parquet(sink).lazy().group_by("k").agg(pl.col("n").sum()).sort("k").collect()
    joined = frame.merge(pd.DataFrame({"k": ["a"], "x": [1.5]}), how="left").fillna({"x": 0})
    return [
        frame.groupby("k")["n"].agg(["sum", "mean"]).reset_index().to_dict("records"),
        joined.drop(columns="at").to_csv(index=False),
        frame.set_index("at").resample("2D")["n"].sum().tolist(),
        table.schema.field("n").type.__str__(),
        pc.sum(table["n"]).as_py(),
        lazy.to_dicts(),
        pl.SQLContext(t=lazy).execute("select max(n) as m from t", eager=True).item(),
        pa.ipc.open_stream(_stream(table)).read_all().num_rows,
    ]


def _stream(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()
