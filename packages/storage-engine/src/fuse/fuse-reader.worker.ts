import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { nodeClock } from '../io/node-clock.ts'
import { FileTree } from './file-tree.ts'
import { nodeCacheFiles, readDevice, writeDevice } from './fuse-device.ts'
import { REQUEST_BYTES_MAX } from './fuse-protocol.ts'
import { ControlWord, type DriverMessage, type ReaderMessage, type ReaderStart } from './miss-messages.ts'
import { CacheFolder, Overlay } from './overlay.ts'
import { RequestHandler } from './request-handler.ts'

/**
 * The one thread that reads requests: a blocking loop of read, handle, reply. It hears from the main thread only between
 * two requests, when the mail flag is set. It ends when the mount is gone.
 */
const start = workerData as ReaderStart
const port = parentPort!
const control = new Int32Array(start.control)
const post = (message: ReaderMessage): void => port.postMessage(message)

const tree = new FileTree(() => nodeClock.nowMs())
const overlay = new Overlay(new CacheFolder(nodeCacheFiles, start.cacheFolder), (file, presence) => {
  const { relation, firstBlock } = file.remote!
  post({ kind: 'segment-opened', nodeId: file.id, relation, firstBlock, presence })
})
const handler = new RequestHandler({
  tree,
  overlay,
  post,
  counts: control,
  send(reply, byteCount) {
    const failure = writeDevice(start.device, reply, byteCount)
    if (failure) post({ kind: 'failure', text: `reply refused by the kernel: ${failure}` })
  },
})

const buffer = new ArrayBuffer(REQUEST_BYTES_MAX)
const bytes = new Uint8Array(buffer)
const words = new Uint32Array(buffer)
for (;;) {
  const outcome = readDevice(start.device, bytes)
  if (outcome.kind === 'again') continue
  if (outcome.kind === 'ended') {
    post({ kind: 'ended', reason: outcome.reason })
    break
  }
  if (Atomics.compareExchange(control, ControlWord.mail, 1, 0) === 1) takeMail()
  handler.handle(bytes, words)
}
// Nothing else may keep this thread: its port would, as long as somebody listens on the other side.
port.close()

function takeMail(): void {
  for (;;) {
    const received = receiveMessageOnPort(port) as { message: DriverMessage } | undefined
    if (!received) return
    tree.plant(received.message.seed)
  }
}
