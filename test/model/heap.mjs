/**
 * What is to happen, the earliest first; of what happens at the same time, what was asked for first.
 */

export class Heap {
  /** @type {{ at: number, order: number }[]} */
  items = []

  get first() {
    return this.items[0]
  }

  add(item) {
    this.items.push(item)
    let index = this.items.length - 1
    while (index > 0 && isBefore(item, this.items[(index - 1) >> 1])) {
      this.items[index] = this.items[(index - 1) >> 1]
      index = (index - 1) >> 1
    }
    this.items[index] = item
  }

  shift() {
    const [first] = this.items
    const last = this.items.pop()
    if (this.items.length > 0) this.#sink(last)
    return first
  }

  #sink(item) {
    const { items } = this
    let index = 0
    for (let child = 1; child < items.length; child = 2 * index + 1) {
      if (child + 1 < items.length && isBefore(items[child + 1], items[child])) child++
      if (!isBefore(items[child], item)) break
      items[index] = items[child]
      index = child
    }
    items[index] = item
  }
}

function isBefore(one, other) {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}
