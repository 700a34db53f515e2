/**
 * Loaded before a program (`node --import`): a connection to anything but this machine fails, and is noted in the file
 * DENIED_CONNECTIONS names. Every client of Node.js opens its connections through here: http, tls, fetch.
 */
import * as fs from 'node:fs'
import * as net from 'node:net'

const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/
const connect = net.Socket.prototype.connect

net.Socket.prototype.connect = function (...args) {
  const first = Array.isArray(args[0]) ? args[0][0] : args[0]
  const [host, pipe] =
    typeof first === 'object' && first !== null
      ? [first.host ?? 'localhost', first.path]
      : [typeof args[1] === 'string' ? args[1] : 'localhost', Number.isNaN(Number(first)) ? first : undefined]
  if (pipe || LOCAL.test(host)) return connect.apply(this, args)
  if (process.env.DENIED_CONNECTIONS) fs.appendFileSync(process.env.DENIED_CONNECTIONS, `${host}\n`)
  process.nextTick(() => this.destroy(new Error(`the test denies a connection to ${host}`)))
  return this
}
