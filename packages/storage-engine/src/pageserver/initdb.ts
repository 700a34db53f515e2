/** Makes a fresh data directory at `directory` (which does not exist yet), without data checksums, superuser `postgres`. */
export type Initdb = (directory: string) => Promise<void>
