import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import type { S3Config } from '../src/object-store/object-store-config.ts'

/** Makes the bucket of a server for tests, unless it is there. */
export async function createBucket(
  config: Pick<S3Config, 'region' | 'endpoint' | 'bucket' | 'accessKeyId' | 'secretAccessKey'>,
): Promise<void> {
  const client = new S3Client({
    region: config.region,
    endpoint: config.endpoint ?? '',
    forcePathStyle: true,
    credentials: { accessKeyId: config.accessKeyId ?? '', secretAccessKey: config.secretAccessKey ?? '' },
  })
  try {
    await client.send(new CreateBucketCommand({ Bucket: config.bucket }))
  } catch (error) {
    if (!(error instanceof Error) || !error.name.startsWith('BucketAlready')) throw error
  } finally {
    client.destroy()
  }
}
