"""Async engine: pooled aiosqlite connections, WAL."""
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import sessionmaker
from sqlalchemy.pool import AsyncAdaptedQueuePool

from . import jsonlib
from .config import settings

engine = create_async_engine(
    f"sqlite+aiosqlite:///{settings.db_path}",
    poolclass=AsyncAdaptedQueuePool,
    pool_size=settings.pool_size,
    max_overflow=0,
    pool_timeout=30,
    json_serializer=jsonlib.dumps,
    json_deserializer=jsonlib.loads,
)


@event.listens_for(engine.sync_engine, "connect")
def _pragmas(dbapi_connection, _record):
    cur = dbapi_connection.cursor()
    cur.execute(f"PRAGMA busy_timeout={settings.busy_timeout_ms}")
    cur.execute("PRAGMA journal_mode=WAL")
    cur.execute("PRAGMA synchronous=NORMAL")
    cur.execute("PRAGMA foreign_keys=ON")
    cur.execute("PRAGMA cache_size=-64000")
    cur.execute("PRAGMA temp_store=MEMORY")
    cur.close()


SessionLocal = sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)


async def get_session():
    async with SessionLocal() as session:
        yield session
