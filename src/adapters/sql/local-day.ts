/** Buckets of the rollups: days as the wall clock of a time zone has them. */
const DAY = 86_400_000;
/** Offsets change at multiples of a quarter hour, everywhere and always since 1970. */
const QUARTER = 900_000;
const CACHE_LIMIT = 50_000;

/** Makes time (epoch ms) -> local day (days since 1970-01-01) for an IANA time zone; throws RangeError if unknown. */
export function localDays(timezone: string): (time: number) => number {
  const offsetAt = (time: number) =>
    Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(timezone).offsetNanoseconds / 1_000_000;
  offsetAt(0);
  const cache = new Map<number, number>();
  return (time) => {
    const quarter = Math.floor(time / QUARTER);
    let offset = cache.get(quarter);
    if (offset === undefined) {
      if (cache.size >= CACHE_LIMIT) cache.clear();
      offset = offsetAt(quarter * QUARTER);
      cache.set(quarter, offset);
    }
    return Math.floor((time + offset) / DAY);
  };
}

/** "YYYY-MM-DD" -> days since 1970-01-01. */
export function dayNumber(day: string): number {
  return Math.floor(Date.parse(`${day}T00:00:00Z`) / DAY);
}
