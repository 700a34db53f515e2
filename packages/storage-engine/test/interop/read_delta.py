"""Reads Delta tables with an engine that nobody here wrote and prints what it saw, as JSON lines.

    read_delta.py <deltalake|duckdb|pyspark> <folder or s3:// address of the object store> (<table prefix> <condition>)...

Each table is read whole, and once more with the condition, by which the engine may leave out files by their statistics.
For an S3 address AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION say where it is.
"""
import hashlib
import json
import os
import sys


def summary(rows):
    rows = sorted((row[0], "-" if row[1] is None else row[1]) for row in rows)
    text = ",".join(f"{key}:{value}" for key, value in rows)
    return {
        "n": str(len(rows)),
        "ids": str(sum(key for key, _ in rows)) if rows else None,
        "hash": hashlib.md5(text.encode()).hexdigest(),
    }


def read_deltalake(path, condition):
    from deltalake import DeltaTable, QueryBuilder

    options = {"AWS_ALLOW_HTTP": "true"} if path.startswith("s3:") else None
    query = f"select id, v from t where {condition}"
    table = QueryBuilder().register("t", DeltaTable(path, storage_options=options)).execute(query).read_all()
    return list(zip(table["id"].to_pylist(), table["v"].to_pylist()))


class DuckdbReader:
    def __init__(self):
        import duckdb
        import duckdb_extension_delta

        folder = os.path.join(os.path.dirname(duckdb_extension_delta.__file__), "extensions", f"v{duckdb.__version__}")
        self.connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
        self.connection.execute(f"load '{folder}/delta.duckdb_extension'")
        if "AWS_ENDPOINT_URL" in os.environ:
            import duckdb_extension_httpfs

            folder = os.path.join(os.path.dirname(duckdb_extension_httpfs.__file__), "extensions", f"v{duckdb.__version__}")
            self.connection.execute(f"load '{folder}/httpfs.duckdb_extension'")
            endpoint = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
            self.connection.execute(
                f"create secret (type s3, key_id '{os.environ['AWS_ACCESS_KEY_ID']}', secret '{os.environ['AWS_SECRET_ACCESS_KEY']}', "
                f"region '{os.environ['AWS_REGION']}', endpoint '{endpoint}', url_style 'path', use_ssl false)"
            )

    def __call__(self, path, condition):
        return self.connection.execute(f"select id, v from delta_scan('{path}') where {condition}").fetchall()


class SparkReader:
    def __init__(self):
        from delta import configure_spark_with_delta_pip
        from pyspark.sql import SparkSession

        builder = (
            SparkSession.builder.master("local[1]")
            .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
            .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.session.timeZone", "UTC")
        )
        self.spark = configure_spark_with_delta_pip(builder).getOrCreate()

    def __call__(self, path, condition):
        rows = self.spark.read.format("delta").load(path).where(condition).select("id", "v").collect()
        return [(row["id"], row["v"]) for row in rows]


def main():
    name, folder, *arguments = sys.argv[1:]
    read = {"deltalake": lambda: read_deltalake, "duckdb": DuckdbReader, "pyspark": SparkReader}[name]()
    for prefix, condition in zip(arguments[::2], arguments[1::2]):
        try:
            path = os.path.join(folder, prefix)
            found = {**summary(read(path, "true")), "where": summary(read(path, condition))}
        except Exception as error:  # the test decides which tables a reader may refuse
            found = {"error": f"{type(error).__name__}: {error}"[:400]}
        print(json.dumps({"prefix": prefix, **found}), flush=True)


main()
