// Bytes that some work allocates, those that were collected meanwhile included: V8's sampling heap profiler counts them.
import { Session } from 'node:inspector/promises'

/** One sample in so many bytes: fine enough for a hundred bytes a connection, among some thousand. */
const samplingInterval = 256

/** @returns bytes, and the profile: a tree of functions, each with what it allocated itself */
export async function allocated(work) {
  const inspector = new Session()
  inspector.connect()
  const collected = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true }
  await inspector.post('HeapProfiler.startSampling', { samplingInterval, ...collected })
  await work()
  const { profile } = await inspector.post('HeapProfiler.stopSampling')
  inspector.disconnect()
  return { bytes: sizeOf(profile.head), profile }
}

function sizeOf({ selfSize, children }) {
  return children.reduce((sum, child) => sum + sizeOf(child), selfSize)
}
