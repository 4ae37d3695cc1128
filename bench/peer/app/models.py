from sqlalchemy import JSON, Column, DateTime, Float, Index, Integer, String, Text
from sqlalchemy.orm import declarative_base, deferred

Base = declarative_base()


class CallRecord(Base):
    __tablename__ = "call_records"

    call_id = Column(String, primary_key=True)
    agent_id = Column(String, nullable=False)
    customer_id = Column(String, nullable=False)
    language = Column(String, nullable=False, default="en")
    start_time = Column(DateTime, nullable=False)
    created_at = Column(DateTime, nullable=False)
    duration_seconds = Column(Integer, nullable=False)
    transcript = Column(Text, nullable=False)
    agent_talk_ratio = Column(Float)
    customer_sentiment_score = Column(Float)
    # never wanted by the API's responses: loaded only where asked for
    embedding = deferred(Column(JSON))


# exactly the four of the notes
Index("idx_call_records_agent_id", CallRecord.agent_id)
Index("idx_call_records_created_at", CallRecord.created_at)
Index("idx_call_records_sentiment", CallRecord.customer_sentiment_score)
Index(
    "idx_call_records_composite",
    CallRecord.agent_id,
    CallRecord.created_at,
    CallRecord.customer_sentiment_score,
)


if __name__ == "__main__":
    # python -m app.models DB: an empty file with this schema, for the bench to fill.
    import sys

    from sqlalchemy import create_engine

    Base.metadata.create_all(create_engine(f"sqlite:///{sys.argv[1]}"))
