"""orjson for what the app itself encodes; answers are serialised by FastAPI (pydantic's Rust core)."""
import orjson
from fastapi.responses import JSONResponse as FastJSONResponse  # noqa: F401

loads = orjson.loads


def dumps(value) -> str:
    return orjson.dumps(value).decode()
