"""Pydantic models."""
from datetime import datetime, timezone
from typing import List, Optional

from pydantic import BaseModel, ConfigDict, Field, field_validator


def naive_utc(value: datetime) -> datetime:
    """SQLite stores naive datetimes; everything is UTC."""
    if value.tzinfo is not None:
        value = value.astimezone(timezone.utc).replace(tzinfo=None)
    return value


class OrmModel(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class CallSummary(OrmModel):
    call_id: str
    agent_id: str
    customer_id: str
    language: str
    start_time: datetime
    created_at: datetime
    duration_seconds: int
    agent_talk_ratio: Optional[float] = None
    customer_sentiment_score: Optional[float] = None


class CallDetail(CallSummary):
    transcript: str


class CallPage(BaseModel):
    items: List[CallSummary]
    total: int
    limit: int
    offset: int


class CallIn(BaseModel):
    call_id: str = Field(..., min_length=1, max_length=64)
    agent_id: str = Field(..., min_length=1, max_length=64)
    customer_id: str = Field(..., min_length=1, max_length=64)
    language: str = Field("en", min_length=2, max_length=16)
    start_time: datetime
    duration_seconds: int = Field(..., ge=0, le=86400)
    transcript: str = Field(..., min_length=1, max_length=200_000)

    @field_validator("start_time")
    @classmethod
    def _utc(cls, value):
        return naive_utc(value)

    @field_validator("transcript")
    @classmethod
    def _not_blank(cls, value):
        if not value.strip():
            raise ValueError("transcript must not be blank")
        return value


class BulkIn(BaseModel):
    calls: List[CallIn] = Field(..., min_length=1, max_length=1000)


class BulkResult(BaseModel):
    inserted: int


class SimilarCall(BaseModel):
    call_id: str
    agent_id: str
    similarity: float
    customer_sentiment_score: Optional[float] = None


class Recommendations(BaseModel):
    call_id: str
    similar_calls: List[SimilarCall]
    coaching_nudges: List[str]


class AgentStats(BaseModel):
    agent_id: str
    avg_sentiment: Optional[float] = None
    avg_talk_ratio: Optional[float] = None
    total_calls: int


class AgentAnalytics(BaseModel):
    agents: List[AgentStats]
