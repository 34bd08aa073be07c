/** `require('socket.io/lib/stores/redis')`, as the documents of 0.9 wrote it. */
import { RedisStore } from './module-members'

export = RedisStore
