/**
 * What `require('socket.io')` had beside `listen`: versions, the parser, and the stores of 0.9, which an app makes and hands to
 * `set('store', …)`. Of those nothing is left to do but to say what does their work today.
 */
import { createRequire } from 'node:module'
import { installedVersion } from './installed'
import { refusals } from './not-there'

/** What socket.io depends on is found from where it is. */
const fromSocketIO = createRequire(createRequire(__filename).resolve('socket.io'))

class Store {
  readonly options: unknown

  constructor(options?: unknown) {
    this.options = options
  }
}

export class MemoryStore extends Store {}
export class RedisStore extends Store {}

const parser = () => fromSocketIO('socket.io-parser') as { protocol: number }

/** Found when they are used: nothing is loaded for apps that do not ask. */
const members = {
  MemoryStore,
  RedisStore,
  get version() {
    return installedVersion()
  },
  get clientVersion() {
    return installedVersion()
  },
  get protocol() {
    return parser().protocol
  },
  get parser() {
    return parser()
  },
}

export function addModuleMembers<Module extends object>(module: Module): Module & typeof members {
  const given = Object.getOwnPropertyDescriptors(members)
  Object.defineProperties(module, { ...given, ...refusals('module', module) })
  return module as Module & typeof members
}
