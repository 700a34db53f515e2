/** Build-time constants of Postgres 18 as the npm binaries are configured (pg_config.h, pg_config_manual.h). */

/** BLCKSZ: bytes of a data page. */
export const PAGE_SIZE = 8192
/** XLOG_BLCKSZ: bytes of a WAL page. */
export const WAL_PAGE_SIZE = 8192
/** wal_segment_size: bytes of a WAL segment file. */
export const WAL_SEGMENT_SIZE = 16 * 1024 * 1024
/** RELSEG_SIZE: blocks of one relation segment file (1 GiB). */
export const RELATION_SEGMENT_BLOCKS = 131072
/** XLOG_PAGE_MAGIC of Postgres 18 (src/include/access/xlog_internal.h). */
export const WAL_PAGE_MAGIC = 0xd118
export const PG_CONTROL_VERSION = 1800
export const CATALOG_VERSION = 202506291
/** SLRU_PAGES_PER_SEGMENT (src/include/access/slru.h). */
export const SLRU_PAGES_PER_SEGMENT = 32
/** Microseconds from the Unix epoch to 2000-01-01 UTC, the epoch of TimestampTz. */
export const POSTGRES_EPOCH_UNIX_SECONDS = 946_684_800
/** DEFAULTTABLESPACE_OID and GLOBALTABLESPACE_OID (src/include/catalog/pg_tablespace.dat). */
export const DEFAULT_TABLESPACE_OID = 1663
export const GLOBAL_TABLESPACE_OID = 1664
/** WAL timeline of every segment and page header: fencing is by term, so it stays 1 for ever. */
export const WAL_TIMELINE = 1
