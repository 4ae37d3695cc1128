/** How far a store had come: only one whose replicas lag behind has any. */
export interface Positions {
  /** Everything this process has written or heard of is at or before it; an opaque word. */
  current(): string;
  /** Runs `work`, whose reads then see everything up to `position`. What is no position changes nothing. */
  during<T>(position: string, work: () => T): T;
}
