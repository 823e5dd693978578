// @ts-check
/** The times at which the cards of a graph appear, and the time as of which the graph is shown. */

/** @import { SceneResponse } from "../contract.js" */

/** @param {number[]} differences @returns {number[]} the sums of each and those before */
function sums(differences) {
  let sum = 0;
  return differences.map((difference) => {
    sum += difference;
    return sum;
  });
}

/** When the cards of a graph appear, in seconds from the first. */
export class Timeline {
  /** @param {Required<SceneResponse>} response of ``autoflow.scene`` */
  constructor(response) {
    /** milliseconds of the first time; NaN if no card has one */
    this.begin = Math.floor(Date.parse(response.begin ?? "") / 1000) * 1000;
    this.times = sums(response.times);
    /** @type {Map<number, number[]>} of clusters and folded groups, the times of their cards */
    this.memberTimes = new Map(
      Object.entries(response.member_times).map(([card, differences]) => [Number(card), sums(differences)]),
    );
    /** cards that appear later are not shown */
    this.until = Infinity;
    /** @type {number[] | null} */
    this._steps = null;
  }

  /** @param {number} card @returns {boolean} whether it has appeared */
  has(card) {
    return (this.times[card] ?? 0) <= this.until;
  }

  /** @param {number} card @returns {number} how many of the cards that it stands for have appeared */
  count(card) {
    const members = this.memberTimes.get(card);
    if (!members) return this.has(card) ? 1 : 0;
    return this.until === Infinity ? members.length : countUntil(members, this.until);
  }

  /** The number of cards now, those in clusters and folded groups included. */
  get total() {
    let members = this.times.length - this.memberTimes.size;
    for (const times of this.memberTimes.values()) members += times.length;
    return members;
  }

  /** The times at which anything appears, in order. */
  get steps() {
    if (!this._steps) {
      const times = new Set(this.times);
      for (const members of this.memberTimes.values()) for (const time of members) times.add(time);
      this._steps = [...times].sort((a, b) => a - b);
    }
    return this._steps;
  }

  /** @param {number} seconds @returns {Date} */
  dateOf(seconds) {
    return new Date(this.begin + seconds * 1000);
  }

  /** @param {string} time in ISO 8601 @returns {number} seconds; Infinity for none */
  secondsOf(time) {
    const at = Date.parse(time);
    return Number.isNaN(at) || Number.isNaN(this.begin) ? Infinity : Math.floor((at - this.begin) / 1000);
  }
}

/**
 * Count the numbers of a sorted list that are not above a limit, by binary search.
 * @param {number[]} sorted
 * @param {number} limit
 */
export function countUntil(sorted, limit) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
