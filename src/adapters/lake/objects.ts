/**
 * Where the lake's files are: names are paths with slashes. DuckDB reads and writes plain files, so that each kind of
 * place has a folder here, which is the place itself or what was fetched from it.
 */
export interface Objects {
  /** For messages, without what opens it. */
  readonly name: string;
  /** Where `path(name)` lie. */
  readonly folder: string;
  /** Puts what was written at these paths here in its place; resolved means there to stay. */
  publish(names: readonly string[]): Promise<void>;
  /** Makes sure that the file can be read at its path here; false: it is nowhere. */
  fetch(name: string): Promise<boolean>;
  /** null where it is not. */
  read(name: string): Promise<string | null>;
  /** Of all who create the same name at the same time, one does. Whether it was this one, as far as is known. */
  create(name: string, text: string): Promise<boolean>;
  /** Names that begin with `prefix`, in order. */
  list(prefix: string): Promise<string[]>;
  remove(names: readonly string[]): Promise<void>;
  /** Names of what was fetched or left here and is not in its place; none where here is the place. */
  fetched(): Promise<string[]>;
  /** Takes them away here alone. */
  forget(names: readonly string[]): Promise<void>;
}

/** Files on their way at the same time. */
const AT_ONCE = 8;

export async function forEachName(names: readonly string[], work: (name: string) => Promise<void>): Promise<void> {
  for (let i = 0; i < names.length; i += AT_ONCE) await Promise.all(names.slice(i, i + AT_ONCE).map(work));
}
