import asyncio
import json
import logging
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Optional

from fastapi import Depends, FastAPI, Query, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer, undefer

from . import ai, errors, middleware, similarity
from .config import settings
from .db import SessionLocal, engine, get_session
from .errors import CallNotFoundError, DuplicateCallError
from .feed import feed
from .models import Base, CallRecord
from .schemas import (
    AgentAnalytics,
    BulkIn,
    BulkResult,
    CallDetail,
    CallIn,
    CallPage,
    CallSummary,
    Recommendations,
    naive_utc,
)

log = logging.getLogger("peer")
@asynccontextmanager
async def _lifespan(_app: FastAPI):
    try:
        async with engine.begin() as conn:
            await conn.run_sync(Base.metadata.create_all)
    except OperationalError:  # two workers creating an empty file at once: the other one won
        pass
    if settings.embed_cache:
        async with SessionLocal() as session:
            await similarity.cache.catch_up(session)
    yield
    await engine.dispose()


app = FastAPI(title="Sales Analytics API", version="1.0.0", lifespan=_lifespan)
app.add_middleware(middleware.ObserveMiddleware)
errors.install(app)


# ---- reads -----------------------------------------------------------------


@app.get("/api/v1/calls", response_model=CallPage)
async def list_calls(
    agent_id: Optional[str] = None,
    from_date: Optional[datetime] = None,
    to_date: Optional[datetime] = None,
    min_sentiment: Optional[float] = Query(None, ge=-1, le=1),
    max_sentiment: Optional[float] = Query(None, ge=-1, le=1),
    limit: int = Query(20, ge=1, le=100),
    offset: int = Query(0, ge=0),
    session: AsyncSession = Depends(get_session),
):
    where = []
    if agent_id is not None:
        where.append(CallRecord.agent_id == agent_id)
    if from_date is not None:
        where.append(CallRecord.created_at >= naive_utc(from_date))
    if to_date is not None:
        where.append(CallRecord.created_at <= naive_utc(to_date))
    if min_sentiment is not None:
        where.append(CallRecord.customer_sentiment_score >= min_sentiment)
    if max_sentiment is not None:
        where.append(CallRecord.customer_sentiment_score <= max_sentiment)
    total = await session.scalar(select(func.count()).select_from(CallRecord).where(*where))
    rows = await session.execute(
        select(CallRecord)
        .options(defer(CallRecord.transcript))
        .where(*where)
        .order_by(CallRecord.created_at.desc())
        .limit(limit)
        .offset(offset)
    )
    return {"items": rows.scalars().all(), "total": total, "limit": limit, "offset": offset}


@app.get("/api/v1/calls/{call_id}", response_model=CallDetail)
async def get_call(call_id: str, session: AsyncSession = Depends(get_session)):
    call = await session.get(CallRecord, call_id)
    if call is None:
        raise CallNotFoundError(call_id)
    return call


@app.get("/api/v1/calls/{call_id}/recommendations", response_model=Recommendations)
async def recommendations(call_id: str, session: AsyncSession = Depends(get_session)):
    call = await session.get(CallRecord, call_id, options=[undefer(CallRecord.embedding)])
    if call is None:
        raise CallNotFoundError(call_id)
    best = []
    if call.embedding:
        search = similarity.cache.search if settings.embed_cache else similarity.scan
        best = await search(session, call_id, call.embedding)
    found = await session.execute(
        select(CallRecord.call_id, CallRecord.agent_id, CallRecord.customer_sentiment_score).where(
            CallRecord.call_id.in_([i for i, _ in best])
        )
    )
    rows = {r.call_id: r for r in found}
    return {
        "call_id": call_id,
        "similar_calls": [
            {
                "call_id": i,
                "agent_id": rows[i].agent_id,
                "similarity": round(score, 6),
                "customer_sentiment_score": rows[i].customer_sentiment_score,
            }
            for i, score in best
            if i in rows
        ],
        "coaching_nudges": ai.coaching_nudges(
            call.agent_talk_ratio, call.customer_sentiment_score, call.duration_seconds, call.transcript
        ),
    }


_last_good_analytics: Optional[dict] = None


@app.get("/api/v1/analytics/agents", response_model=AgentAnalytics)
async def agent_analytics(session: AsyncSession = Depends(get_session)):
    global _last_good_analytics
    query = (
        select(
            CallRecord.agent_id,
            func.avg(CallRecord.customer_sentiment_score).label("avg_sentiment"),
            func.avg(CallRecord.agent_talk_ratio).label("avg_talk_ratio"),
            func.count().label("total_calls"),
        )
        .group_by(CallRecord.agent_id)
        .order_by(func.avg(CallRecord.customer_sentiment_score).desc())
    )
    try:
        rows = (await session.execute(query)).all()
    except OperationalError:
        if _last_good_analytics is None:
            raise
        log.warning(json.dumps({"event": "stale_analytics_served"}))
        return _last_good_analytics  # notes: database timeouts -> cached responses
    _last_good_analytics = {
        "agents": [
            {
                "agent_id": r.agent_id,
                "avg_sentiment": r.avg_sentiment,
                "avg_talk_ratio": r.avg_talk_ratio,
                "total_calls": r.total_calls,
            }
            for r in rows
        ]
    }
    return _last_good_analytics


# ---- writes ----------------------------------------------------------------


def _row(call: CallIn, features: ai.Features, now: datetime) -> dict:
    return {
        "call_id": call.call_id,
        "agent_id": call.agent_id,
        "customer_id": call.customer_id,
        "language": call.language,
        "start_time": call.start_time,
        "created_at": now,
        "duration_seconds": call.duration_seconds,
        "transcript": call.transcript,
        "agent_talk_ratio": features.talk_ratio,
        "customer_sentiment_score": features.sentiment,
        "embedding": features.embedding,
    }


_FEED_FIELDS = ("call_id", "agent_id", "customer_id", "language", "agent_talk_ratio", "customer_sentiment_score")


def _feed_item(row: dict) -> dict:
    item = {k: row[k] for k in _FEED_FIELDS}
    item["created_at"] = row["created_at"].isoformat()
    return item


@app.post("/api/v1/calls", response_model=CallSummary, status_code=201)
async def create_call(call: CallIn, session: AsyncSession = Depends(get_session)):
    features = await run_in_threadpool(ai.analyze, call.transcript)
    record = CallRecord(**_row(call, features, datetime.utcnow()))
    session.add(record)
    try:
        await session.commit()
    except IntegrityError:
        raise DuplicateCallError(f"Call {call.call_id} already exists")
    feed.publish({"type": "call.created", "call": _feed_item(vars(record))})
    return record


@app.post("/api/v1/calls/bulk", response_model=BulkResult, status_code=201)
async def create_calls(body: BulkIn, session: AsyncSession = Depends(get_session)):
    features = await run_in_threadpool(ai.analyze_many, [c.transcript for c in body.calls])
    now = datetime.utcnow()
    rows = [_row(c, f, now) for c, f in zip(body.calls, features)]
    try:
        await session.execute(insert(CallRecord.__table__), rows)
        await session.commit()
    except IntegrityError:
        await session.rollback()
        raise DuplicateCallError("A call of the batch already exists; nothing was stored")
    feed.publish({"type": "calls.created", "count": len(rows), "call_ids": [r["call_id"] for r in rows]})
    return {"inserted": len(rows)}


# ---- websockets ------------------------------------------------------------


@app.websocket("/ws/feed")
async def ws_feed(ws: WebSocket):
    await ws.accept()
    feed.clients.add(ws)
    try:
        while True:
            await ws.receive_text()  # nothing is expected; this sees the close
    except WebSocketDisconnect:
        pass
    finally:
        feed.clients.discard(ws)


@app.websocket("/ws/sentiment/{call_id}")
async def ws_sentiment(ws: WebSocket, call_id: str):
    """Streams the running customer sentiment, one utterance an interval; ends with a final message."""
    await ws.accept()
    async with SessionLocal() as session:  # give the connection back before streaming
        call = await session.get(CallRecord, call_id)
    if call is None:
        await ws.send_json({"type": "error", "code": "call_not_found", "call_id": call_id})
        await ws.close(code=4404)
        return
    lines = [l for l in call.transcript.split("\n") if l.lower().startswith("customer:")]
    await ws.send_json({"type": "snapshot", "call_id": call_id, "sentiment": call.customer_sentiment_score})
    tokens: list = []
    try:
        for n, line in enumerate(lines):
            await asyncio.sleep(settings.sentiment_interval_s)
            tokens += ai._word.findall(line.lower())
            await ws.send_json(
                {"type": "sentiment", "call_id": call_id, "utterance": n, "sentiment": ai.lexicon_sentiment(tokens)}
            )
        await ws.send_json({"type": "final", "call_id": call_id, "sentiment": call.customer_sentiment_score})
        await ws.close()
    except (WebSocketDisconnect, RuntimeError):
        pass
    except Exception:  # connection lost between two sends
        log.debug("sentiment stream ended", exc_info=True)


# ---- operations ------------------------------------------------------------


@app.get("/health")
async def health(session: AsyncSession = Depends(get_session)):
    await session.execute(text("SELECT 1"))
    return {"status": "ok"}


@app.get("/metrics", response_class=PlainTextResponse)
async def metrics():
    return middleware.exposition()
