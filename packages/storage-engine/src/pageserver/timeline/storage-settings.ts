const MIB = 1024 * 1024

/** Bounds of the layered store. One active timeline needs at most (2 + frozenLayersMax) x openLayerResidentBytesMax. */
export interface StorageSettings {
  /** Values in the open layer at which it is frozen. */
  readonly openLayerBytesMax: number
  /** WAL behind the open layer at which it is frozen. */
  readonly openLayerWalBytesMax: number
  /** An open layer that holds anything is frozen after this time. */
  readonly openLayerAgeMsMax: number
  /** Values of one open or frozen layer kept in memory; the rest is in a scratch file. */
  readonly openLayerResidentBytesMax: number
  /** Frozen layers not yet in object storage at which `ready` makes ingest wait. */
  readonly frozenLayersMax: number
  /** Local copies of layer files. */
  readonly layerFilesBytesMax: number
  /** Decompressed blocks. */
  readonly blockCacheBytesMax: number
  /** Heap pages rebuilt from columnar layers, in segments of 2 MiB. */
  readonly columnarSegmentsBytesMax: number
  /** Blocks from which on a user table is put into columns by image making; publishing does so at any size. */
  readonly columnarBlocksMin: number
  /** Size at which the outputs of compaction and image making are cut. */
  readonly layerBytesTarget: number
  /** Level-0 layers at which they are merged. */
  readonly level0LayersMax: number
  /** Level-0 layers at which `ready` makes ingest wait for a merge: each is one more to look through for most reads. */
  readonly level0LayersIngestMax: number
  /** Level-0 layers merged in one run. */
  readonly mergeInputsMax: number
  /** Delta layers above the newest image of a key range at which a new image is considered. */
  readonly imageDeltaLayersMax: number
  /** Delta bytes above an image, as a share of its bytes, at which a new image is worth writing. */
  readonly imageDeltaShareMin: number
  /** Records that a read of one page may have to fold before an image is made whatever it costs. */
  readonly chainLengthMax: number
  /** Compaction and image making start by themselves after a flush. */
  readonly automaticUpkeep: boolean
  /** Compaction and image making that failed for want of space or of the object store are tried again after this time. */
  readonly upkeepRetryMs: number
  /** Objects of layers that a scrub reads, on average. */
  readonly scrubBytesPerSecond: number
  /** Wait after a failed upload or index write, doubled up to the maximum. */
  readonly retryDelayMsMin: number
  readonly retryDelayMsMax: number
}

export const defaultStorageSettings: StorageSettings = {
  openLayerBytesMax: 48 * MIB,
  openLayerWalBytesMax: 128 * MIB,
  openLayerAgeMsMax: 60_000,
  openLayerResidentBytesMax: 48 * MIB,
  frozenLayersMax: 2,
  layerFilesBytesMax: 16 * 1024 * MIB,
  blockCacheBytesMax: 128 * MIB,
  columnarSegmentsBytesMax: 64 * MIB,
  columnarBlocksMin: 32,
  layerBytesTarget: 64 * MIB,
  level0LayersMax: 4,
  level0LayersIngestMax: 24,
  mergeInputsMax: 10,
  imageDeltaLayersMax: 3,
  imageDeltaShareMin: 0.3,
  chainLengthMax: 4096,
  automaticUpkeep: true,
  upkeepRetryMs: 30_000,
  scrubBytesPerSecond: 32 * MIB,
  retryDelayMsMin: 100,
  retryDelayMsMax: 5_000,
}
